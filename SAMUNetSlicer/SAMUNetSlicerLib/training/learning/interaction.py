"""Simulate a user: a first prompt, then a click wherever the network's last mask is wrong."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...engine.networks import CompactSAMUNet, decode_compact
from ..data import avoiding_click, careless_box, careless_click, neighboring_mask, next_click, tight_box

# Logits and their spread, in cells, of a mask that is given to start from.
_DRAWN_LOGIT, _SPREAD = 7.0, 3


@dataclass(frozen=True)
class Script:
    """Script of prompts for one group of objects: with a box or not, and how many clicks.

    ``feedback``: the previous logits are given back with every click after the first call; ``neighbor``: the
    first call also gets the structure's mask on the slice beside, and its box may be that mask's;
    ``avoid``: the first prompt comes with a click on what does not belong.
    """

    box: bool
    clicks: int
    feedback: bool = True
    neighbor: bool = False
    avoid: bool = False

    @property
    def first(self) -> int:
        """Number of clicks of the first call, the one to avoid not counted."""
        return 0 if self.box or self.neighbor else 1


@dataclass(frozen=True)
class Turn:
    """Answer that is learned from: ``logits`` (n, 1, L, L) and, with a head, estimated IoU (n,).

    ``first``: it answers the script's first call.
    """

    logits: Tensor
    estimate: Optional[Tensor]
    first: bool


def draw_scripts(rng: np.random.Generator) -> tuple:
    """Draw a script that begins with a box, or with a mask, and one that begins with a click."""
    extra = rng.choice([0, 1, 2, 3, 5, 8], p=[0.42, 0.2, 0.13, 0.1, 0.1, 0.05], size=2)
    feedback = rng.random(2) < 0.85
    neighbor = rng.random() < 0.2
    boxed = not (neighbor and rng.random() < 0.25)
    avoid = rng.random(2) < (0.05, 0.12)
    return (
        Script(boxed, int(extra[0]), bool(feedback[0]), bool(neighbor), bool(avoid[0])),
        Script(False, int(extra[1]) + 1, bool(feedback[1]), avoid=bool(avoid[1])),
    )


class SimulatedUser:
    """Prompts for n objects at once, in pixels of the network's canvas.

    :param target: (n, h, h) covered fraction on a grid that divides the canvas.
    :param canvas: side of the network's input.
    """

    def __init__(self, target: Tensor, canvas: int, rng: np.random.Generator):
        self._rng = rng
        coarse = functional.avg_pool2d(target.unsqueeze(1), 2).squeeze(1)
        peak = coarse.amax((1, 2), keepdim=True)
        # A structure thinner than a cell still needs somewhere to be clicked.
        self._truth = (coarse >= torch.minimum(peak, torch.tensor(0.5, device=peak.device))).cpu().numpy()
        self._step = canvas / coarse.shape[-1]
        self._points: list = []
        self._labels: list = []
        self._neighbors: Optional[np.ndarray] = None

    def boxes(self) -> Tensor:
        """Draw one box (n, 4) per object as by hand, or in half of the cases its neighboring mask's."""
        if self._neighbors is not None and self._rng.random() < 0.5:
            cells = np.stack([tight_box(mask) for mask in self._neighbors])
        else:
            cells = np.stack([careless_box(truth, self._rng) for truth in self._truth])
        return torch.from_numpy(cells * np.float32(self._step))

    def neighbors(self) -> Tensor:
        """Return logits (n, 1, L, L) of every object's mask on the slice beside; L: twice the click grid."""
        self._neighbors = np.stack([neighboring_mask(truth, self._rng) for truth in self._truth])
        signs = torch.from_numpy(self._neighbors).float()[:, None] * 2 - 1
        soft = functional.avg_pool2d(signs, _SPREAD, 1, _SPREAD // 2, count_include_pad=False)
        logits = _DRAWN_LOGIT * (soft if self._rng.random() < 0.5 else signs)
        return functional.interpolate(logits, scale_factor=2.0, mode="bilinear")

    def avoid(self) -> None:
        """Click beside every object, on what does not belong to it."""
        found = [avoiding_click(truth, self._rng) for truth in self._truth]
        self._add([click or self._confirmation(truth) for click, truth in zip(found, self._truth)])

    def click(self, low_res_logits: Optional[Tensor]) -> None:
        """Correct the given masks (n, 1, L, L), or start from nothing, by one click per object."""
        masks = np.zeros_like(self._truth) if low_res_logits is None else self._masks(low_res_logits)
        self._add(
            [
                careless_click(mask, truth, self._rng) or self._confirmation(truth)
                for mask, truth in zip(masks, self._truth)
            ]
        )

    def _confirmation(self, truth):
        """Confirm a perfect mask by one more click inside."""
        return next_click(np.zeros_like(truth), truth)

    def _add(self, clicks):
        within = self._rng.uniform(-0.5, 0.5, (len(clicks), 2))
        cells = np.array([click[:2] for click in clicks]) + 0.5 + within
        self._points.append(torch.from_numpy((cells * self._step - 0.5).astype(np.float32)))
        self._labels.append(torch.tensor([click[2] for click in clicks]))

    def _masks(self, low_res_logits):
        logits = functional.interpolate(low_res_logits.float(), self._truth.shape[1:], mode="bilinear")
        return logits.squeeze(1).cpu().numpy() > 0

    def prompts(self) -> Dict[str, Tensor]:
        """Return all clicks so far as `decode_prompts` takes them."""
        if not self._points:
            return {}
        return {"points": torch.stack(self._points, 1), "labels": torch.stack(self._labels, 1)}


class Decoding:
    """Quick form of a network's decoder, for n objects that each bring their encoded image."""

    def __init__(self, network: CompactSAMUNet):
        self._network = network
        self.canvas = network.config.image_size

    def __call__(
        self,
        encoded: Tuple[Tensor, Tensor, Tensor],
        points: Optional[Tensor] = None,
        labels: Optional[Tensor] = None,
        boxes: Optional[Tensor] = None,
        mask_logits: Optional[Tensor] = None,
    ) -> Tuple[Tensor, Optional[Tensor]]:
        """Return logits (n, 1, L, L) and estimated IoU (n,), see `decode_compact`."""
        prompts = self._network.embed_prompts(points, labels, boxes, mask_logits)
        position = self._network.prompt_encoder.dense_position().flatten(2).transpose(1, 2)
        logits, estimate = decode_compact(self._network.mask_decoder, *encoded, position, *prompts)
        return logits[:, None], estimate


def play(
    decode: Decoding, encoded: tuple, target: Tensor, script: Script, rng: np.random.Generator
) -> List[Turn]:
    """Return the first and the last answer of a script, with a graph for the gradient; others have none.

    :param encoded: embedding, feature and detail, one per object (batch n).
    :param target: (n, h, h), see `SimulatedUser`.
    """
    device = target.device
    user = SimulatedUser(target, decode.canvas, rng)
    previous = user.neighbors().to(device) if script.neighbor else None
    fixed = {"boxes": user.boxes().to(device)} if script.box else {}
    if script.avoid:
        user.avoid()
    logits, turns = None, []
    for clicks in range(script.first, script.clicks + 1):
        if clicks:
            user.click(logits)
        learned = clicks in (script.first, script.clicks)
        prompts = {name: tensor.to(device) for name, tensor in user.prompts().items()}
        with torch.set_grad_enabled(learned and torch.is_grad_enabled()):
            logits, estimate = decode(encoded, **fixed, **prompts, mask_logits=previous)
        turns += [Turn(logits, estimate, clicks == script.first)] if learned else []
        logits = logits.detach()
        previous = logits.float() if script.feedback else None
    return turns
