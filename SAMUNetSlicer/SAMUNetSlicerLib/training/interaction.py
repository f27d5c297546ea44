"""Simulate a user: a first prompt, then a click wherever the network's last mask is wrong."""

from dataclasses import dataclass
from typing import Dict, Optional

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .prompt_simulation import careless_box, careless_click, next_click


@dataclass(frozen=True)
class Script:
    """Script of prompts for one group of objects: with a box or not, and how many clicks.

    ``feedback``: the previous logits are given back with every click after the first call.
    """

    box: bool
    clicks: int
    feedback: bool = True


def draw_scripts(rng: np.random.Generator) -> tuple:
    """Draw a script with a box and one without; about half of all masks are answers to a first prompt."""
    extra = rng.choice([0, 1, 2, 3, 5, 8], p=[0.42, 0.2, 0.13, 0.1, 0.1, 0.05], size=2)
    feedback = rng.random(2) < 0.85
    return Script(True, int(extra[0]), bool(feedback[0])), Script(False, int(extra[1]) + 1, bool(feedback[1]))


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

    def boxes(self) -> Tensor:
        """Return one hand-drawn box per object, (n, 4)."""
        cells = np.stack([careless_box(truth, self._rng) for truth in self._truth])
        return torch.from_numpy(cells * np.float32(self._step))

    def click(self, low_res_logits: Optional[Tensor]) -> None:
        """Correct the given masks (n, 1, L, L), or start from nothing, by one click per object."""
        masks = np.zeros_like(self._truth) if low_res_logits is None else self._masks(low_res_logits)
        clicks = [self._correction(mask, truth) for mask, truth in zip(masks, self._truth)]
        within = self._rng.uniform(-0.5, 0.5, (len(clicks), 2))
        cells = np.array([click[:2] for click in clicks]) + 0.5 + within
        self._points.append(torch.from_numpy((cells * self._step - 0.5).astype(np.float32)))
        self._labels.append(torch.tensor([click[2] for click in clicks]))

    def _correction(self, mask, truth):
        # A perfect mask is confirmed by one more click inside.
        return careless_click(mask, truth, self._rng) or next_click(np.zeros_like(truth), truth)

    def _masks(self, low_res_logits):
        logits = functional.interpolate(low_res_logits.float(), self._truth.shape[1:], mode="bilinear")
        return logits.squeeze(1).cpu().numpy() > 0

    def prompts(self) -> Dict[str, Tensor]:
        """Return all clicks so far as `decode_prompts` takes them."""
        if not self._points:
            return {}
        return {"points": torch.stack(self._points, 1), "labels": torch.stack(self._labels, 1)}


def play(
    network: nn.Module, encoded: tuple, target: Tensor, script: Script, rng: np.random.Generator
) -> Tensor:
    """Return logits (n, 1, L, L) of the script's last call; only this one keeps a graph for the gradient.

    :param encoded: embedding and feature, one per object (batch n).
    :param target: (n, h, h), see `SimulatedUser`.
    """
    device = target.device
    user = SimulatedUser(target, network.config.image_size, rng)
    fixed = {"boxes": user.boxes().to(device)} if script.box else {}
    logits, previous = None, None
    for clicks in range(0 if script.box else 1, script.clicks + 1):
        if clicks:
            user.click(logits)
        last = clicks == script.clicks
        prompts = {name: tensor.to(device) for name, tensor in user.prompts().items()}
        with torch.set_grad_enabled(last and torch.is_grad_enabled()):
            logits = network.decode_prompts(*encoded, **fixed, **prompts, mask_logits=previous)
        previous = logits.detach().float() if script.feedback else None
    return logits
