"""Train in a loop: frozen early transformer, everything else trained, resumable at any step."""

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional

import numpy as np
import torch
from torch import Tensor, nn

from ...atomicFiles import replaceFile
from ...errors import WeightsError
from .frozen import FrozenStages
from .interaction import Decoding, draw_scripts, play
from .losses import mask_loss, overlap, quality_loss

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
_PRETRAINED = ("image_encoder.", "prompt_encoder.", "mask_decoder.")
_ADDED_TO_DECODER = ("mask_decoder.refinement.", "mask_decoder.logit_bias", "mask_decoder.detail_")


def is_pretrained(name: str) -> bool:
    """Tell whether a trained parameter starts from pretrained weights: transformer, prompt encoder,
    decoder.
    """
    return name.startswith(_PRETRAINED) and not name.startswith(_ADDED_TO_DECODER)


@dataclass(frozen=True)
class TrainOptions:
    """Options of training.

    ``steps`` or ``minutes`` (0: no limit) end the run; the rate falls to 0 by a half cosine over it.

    ``rate``: of the parts that start from nothing, ``pretrained_rate``: of the others; ``thaw``: "none" of
    the transformer is trained, its "last" stage, or "all" of it, with the small rate; ``average``: decay of
    the running mean of the weights that is kept; ``precision``: fp32 | bf16.
    """

    steps: int = 0
    minutes: float = 0
    rate: float = 5e-4
    pretrained_rate: float = 2e-5
    thaw: str = "none"
    weight_decay: float = 0.01
    warm_up: int = 100
    average: float = 0.995
    precision: str = "fp32"
    seed: int = 0


def freeze_encoder(network: nn.Module, thaw: str = "none") -> None:
    """Freeze the transformer with its pretrained weights and statistics, as in the published recipe.

    :param thaw: "last" frees the weights of its last stage and neck, through which gradients pass anyway;
        "all" also the statistics, for a start from random weights.
    """
    network.train()
    encoder = network.image_encoder
    if thaw != "all":
        encoder.eval().requires_grad_(False)
    if thaw == "last":
        encoder.layers[3].requires_grad_(True)
        encoder.neck.requires_grad_(True)


def parameter_groups(network: nn.Module, options: TrainOptions) -> list:
    """Return two groups for the optimizer: pretrained parts with the small rate, added ones with the
    large.
    """
    slow, fast = [], []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (slow if is_pretrained(name) else fast).append(parameter)
    return [
        {"params": slow, "rate": options.pretrained_rate},
        {"params": fast, "rate": options.rate},
    ]


class WeightAverage:
    """Exponential moving average of what is trained, running statistics of normalization included."""

    def __init__(self, network: nn.Module, decay: float):
        frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
        self._decay = decay
        self.mean = {k: v.detach().clone() for k, v in network.state_dict().items() if k not in frozen}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Update the mean; the first steps weigh more, so that it does not remember the start."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if name in self.mean and value.is_floating_point():
                self.mean[name].lerp_(value, 1 - decay)


class Trainer:
    """Owns network, optimizer, average and log of one run in one folder.

    :param folder: gets ``checkpoint.pt`` and ``log.csv``; a run found there is continued.
    :param teacher: makes a second target for boxes without clicks, see `teacher.BoxTeacher`.
    """

    def __init__(
        self,
        network: nn.Module,
        folder: Path,
        options: TrainOptions,
        device: str = "cpu",
        teacher: Optional[Callable[[Tensor, Tensor], Tensor]] = None,
    ):
        self.network, self.options, self.device = network.to(device), options, device
        self._folder, self._teacher = Path(folder), teacher
        self._folder.mkdir(parents=True, exist_ok=True)
        freeze_encoder(network, options.thaw)
        groups = parameter_groups(network, options)
        self._optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.weight_decay)
        self.average = WeightAverage(network, options.average)
        self.step, self._minutes, self._scores = 0, 0.0, []
        if (self._folder / CHECKPOINT).exists():
            self._resume()
        self._decode = Decoding(network)
        self._frozen = (
            None if options.thaw == "all" else FrozenStages(network.image_encoder, options.precision)
        )

    @property
    def progress(self) -> float:
        """Return the progress: 0 at the start, 1 at the end of the run."""
        limits = self.options
        by_steps = self.step / limits.steps if limits.steps else 0
        by_time = self._minutes / limits.minutes if limits.minutes else 0
        return min(1.0, max(by_steps, by_time))

    def run(
        self, batches: Iterable[dict], on_progress: Callable[["Trainer"], None], every: int = 100
    ) -> None:
        """Train until `progress` is 1; every ``every`` steps save, log and call ``on_progress``."""
        for batch in batches:
            if self.progress >= 1:
                break
            started = time.monotonic()
            self._scores.append(self._train(batch))
            self.step += 1
            self._minutes += (time.monotonic() - started) / 60
            if self.step % every == 0:
                self._record()
                on_progress(self)
        if self._scores:
            self._record()
        else:
            self.save()

    def _train(self, batch):
        self._set_rates()
        rng = np.random.default_rng([self.options.seed, self.step])
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, self.options.precision == "bf16"):
            loss, scores = self._loss(batch, rng)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        trained = [p for group in self._optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(trained, 1.0)
        self._optimizer.step()
        self.average.update(self.network, self.step)
        return (float(loss.detach()), *scores)

    def _loss(self, batch, rng):
        """Return mean loss, Dice of both scripts' first answers, and how far the estimated IoU is off.

        Each script takes half of the objects of every image.
        """
        target = batch["targets"].to(self.device)
        encoded = self._encode(batch["image"].to(self.device))
        half = target.shape[1] // 2
        losses, dice, errors = [], [], []
        for script, objects in zip(draw_scripts(rng), (target[:, :half], target[:, half:])):
            repeated = tuple(tensor.repeat_interleave(objects.shape[1], 0) for tensor in encoded)
            truth = objects.flatten(0, 1)
            for turn in play(self._decode, repeated, truth, script, rng):
                wanted = truth
                if self._teacher and script.box and not script.clicks:
                    wanted = (truth + self._teacher(batch["image"], objects)) / 2
                loss = mask_loss(turn.logits, wanted)
                scores, iou = overlap(turn.logits, truth)
                if turn.estimate is not None:
                    loss = loss + quality_loss(turn.estimate, iou)
                    errors.append(float((turn.estimate.detach() - iou).abs().mean()))
                losses.append(loss)
                dice += [float(scores.mean())] if turn.first else []
        return sum(losses) / len(losses), (*dice, np.mean(errors) if errors else 0.0)

    def _encode(self, images):
        return self.network.encode_image(images, self._frozen(images) if self._frozen else None)

    def _set_rates(self):
        warm = min(1.0, (self.step + 1) / self.options.warm_up)
        factor = warm * 0.5 * (1 + math.cos(math.pi * self.progress))
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * factor

    def _record(self):
        """Write one line of the log with the means since the last, and a checkpoint."""
        path = self._folder / LOG
        new = not path.exists()
        with open(path, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(
                    ["step", "minutes", "rate", "loss", "dice_box", "dice_click", "quality_error"]
                )
            means = np.mean(self._scores, 0).round(5).tolist()
            rate = self._optimizer.param_groups[1]["lr"]
            writer.writerow([self.step, round(self._minutes, 2), f"{rate:.2e}", *means])
        self._scores = []
        self.save()

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the old one."""
        content = {
            "model": self.network.state_dict(),
            "average": self.average.mean,
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "minutes": self._minutes,
        }
        replaceFile(self._folder / CHECKPOINT, lambda temporary: torch.save(content, temporary))

    def _resume(self):
        path = self._folder / CHECKPOINT
        try:
            content = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(content["model"])
            self._optimizer.load_state_dict(content["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise WeightsError(
                f"The run in {path.parent} cannot be continued ({error}): choose another folder."
            ) from error
        self.average.mean = content["average"]
        self.step, self._minutes = content["step"], content["minutes"]


def averaged_weights(folder: Path) -> Dict[str, Tensor]:
    """Return the complete state dict of the run in ``folder``, averaged where trained."""
    content = torch.load(Path(folder) / CHECKPOINT, map_location="cpu", weights_only=True)
    return {**content["model"], **content["average"]}
