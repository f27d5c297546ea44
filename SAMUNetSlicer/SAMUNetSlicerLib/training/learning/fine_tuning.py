"""Teach a compact SAM-UNet a user's own structures from slices they have corrected, for `samunet finetune`.

The recipe of training, shortened: convolutional branch and decoder learn, the transformer stays.  A block of
neighboring slices is held out; the new weights are kept only if they do better there.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Callable, List, Sequence

import numpy as np
from torch.utils.data import DataLoader

from ...engine.models import PromptableModel
from ...engine.networks import CompactSAMUNet
from ...engine.overlap import dice
from ...engine.types import Prompts
from ...engine.windowing import WindowSetting, to_uint8
from ...errors import InputError
from ..data import ExampleOptions, Examples, Pair, next_click, targets, tight_box
from ..measuring import product_answers
from .trainer import Trainer, TrainOptions, averaged_weights

FEWEST_SLICES = 5
GENTLE = TrainOptions(steps=120, rate=1e-4, pretrained_rate=3e-5, warm_up=10, average=0.98)
# Gains below this are chance with a handful of slices.
LEAST_GAIN = 0.002


@dataclass(frozen=True)
class Outcome:
    """Mean Dice on the held-out slices before and after, over an exact box and a first click."""

    before: float
    after: float

    @property
    def better(self) -> bool:
        return self.after >= self.before + LEAST_GAIN


def labeled_slices(volume: np.ndarray, labels: np.ndarray, window: WindowSetting) -> List[Pair]:
    """Return (image uint8, label map) of every slice with a label.

    :param volume: (slices, H, W), ``labels`` of the same shape, 0 background.
    :raises InputError: the shapes differ or fewer than five slices are labeled.
    """
    if volume.shape[:3] != labels.shape:
        raise InputError(f"Volume and segmentation differ in size: {volume.shape[:3]} and {labels.shape}.")
    marked = np.flatnonzero(labels.any(axis=(1, 2)))
    if len(marked) < FEWEST_SLICES:
        raise InputError(
            f"Only {len(marked)} slices are segmented: correct at least {FEWEST_SLICES}, then fine-tune."
        )
    return [(to_uint8(volume[i], window), labels[i].astype(np.int32)) for i in marked]


def hold_out(pairs: Sequence[Pair]) -> tuple:
    """Split pairs into (training, held out): the middle fifth, so that few held-out slices have a neighbor in
    training.
    """
    count = max(1, len(pairs) // 5)
    start = (len(pairs) - count) // 2
    return [*pairs[:start], *pairs[start + count :]], list(pairs[start : start + count])


def score(model: PromptableModel, pairs: Sequence[Pair]) -> float:
    """Return mean Dice over all structures of an exact box and of a first click in the center.

    :raises InputError: no structure is large enough to be scored.
    """
    found = []
    for image, labels in pairs:
        ask = product_answers(model, image)
        for target in targets(labels):
            truth = target.mask
            x, y, label = next_click(np.zeros_like(truth), truth)
            click = Prompts(np.array([[x, y]], np.float32), np.array([label], np.int64))
            for prompts in (Prompts(boxes=tight_box(truth)[None]), click):
                found.append(dice(ask(prompts).mask, truth))
    if not found:
        raise InputError("The held-out slices show no structure large enough to compare results on.")
    return mean(found)


def finetune(
    network: CompactSAMUNet,
    as_model: Callable[[CompactSAMUNet], PromptableModel],
    pairs: Sequence[Pair],
    folder: Path,
    say: Callable[[str], None],
    steps: int = GENTLE.steps,
    device: str = "cpu",
) -> Outcome:
    """Train ``network`` in place on most of the slices; undone unless the held-out slices gain.

    :param as_model: wraps the network for prediction.
    :param folder: for the checkpoint; an interrupted fine-tuning with the same data goes on there.
    """
    training, held_out = hold_out(pairs)
    original = deepcopy(network.state_dict())
    before = score(as_model(network.eval()), held_out)
    options = replace(GENTLE, steps=steps)
    examples = ExampleOptions(network.config.image_size, synthetic=0, regions=0)
    stream = Examples(training, np.full(len(training), 1 / len(training)), examples, options.seed)
    trainer = Trainer(network, folder, options, device)
    trainer.run(DataLoader(stream, batch_size=2), lambda now: say(f"{now.progress:.0%}"), every=10)
    network.load_state_dict(averaged_weights(folder))
    outcome = Outcome(before, score(as_model(network.eval()), held_out))
    if not outcome.better:
        network.load_state_dict(original)
    return outcome
