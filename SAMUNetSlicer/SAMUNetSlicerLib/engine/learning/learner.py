"""Train a small network that tells the pixels of one structure from those around it.

Learned in about a tenth of a second from slices whose mask is known, with the volume's own intensities in
one window for all of its slices, and learned anew whenever a mask is added or corrected.  The published idea
of learning from the user's corrections beside a frozen SAM is AuxOL (Huang et al., "Improving Segment
Anything on the Fly", 2024).
"""

from typing import Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ..prompting import bounding_box
from .appearance import FEATURES, HIDDEN, Appearance, Example, finite_values, window_of
from .features import pixel_features

_STEPS = 120
_RATE, _DECAY = 0.01, 1e-3
_BETAS = 0.9, 0.999
_PIXELS = 3000  # of each example, half of the structure, half of them near its border
_NEAR = 3  # pixels of a slice of 224
_AROUND = 0.5  # sizes of the structure on each side: where examples are taken

Box = Tuple[int, int, int, int]


def learn_appearance(examples: Sequence[Example]) -> Appearance:
    """Learn what the structure of some examples looks like; the same examples give the same result.

    :raises InputError: there is no example, or one has an empty mask.
    """
    if not examples or not all(each.mask.any() for each in examples):
        raise InputError("Only a slice on which the structure is can show what it looks like.")
    boxes = [around(each.mask, _AROUND) for each in examples]
    window = window_of([finite_values(each.values[each.mask]) for each in examples])
    chance = np.random.default_rng(0)
    rows, targets = [], []
    for each, box in zip(examples, boxes):
        mask = _part(each.mask, box)
        chosen = _sampled(mask, _NEAR * max(1.0, max(each.mask.shape) / 224), chance)
        x0, y0, x1, y1 = box
        features = pixel_features(each.values, window)[:, y0:y1, x0:x1]
        rows.append(features.reshape(FEATURES, -1).T[chosen])
        targets.append(torch.from_numpy(mask.ravel()[chosen].astype(np.float32)))
    return Appearance(window, _trained(torch.cat(rows), torch.cat(targets)))


def log_odds(appearance: Appearance, values: np.ndarray, box: Box) -> np.ndarray:
    """Return (y1 - y0, x1 - x0) float32: above 0 where a pixel looks like the structure.

    :param values: (H, W) in the volume's units; ``box``: (x0, y0, x1, y1) half open, within it.
    """
    x0, y0, x1, y1 = box
    mean, deviation, weights, bias, last, last_bias = map(torch.from_numpy, appearance.arrays)
    seen = pixel_features(values, appearance.window)[:, y0:y1, x0:x1].reshape(FEATURES, -1).T
    hidden = functional.relu(functional.linear((seen - mean) / deviation, weights, bias))
    return functional.linear(hidden, last, last_bias).reshape(y1 - y0, x1 - x0).numpy()


def around(mask: np.ndarray, reach: float) -> Box:
    """Return the box (x0, y0, x1, y1) around a mask (H, W) bool, not empty, ``reach`` sizes wider on each
    side.
    """
    low, high = np.split(bounding_box(mask), 2)
    wider = reach * np.maximum(high - low, 4)
    size = np.array(mask.shape[::-1])
    low, high = np.maximum(np.floor(low - wider), 0), np.minimum(np.ceil(high + wider), size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _part(pixels: np.ndarray, box: Box) -> np.ndarray:
    x0, y0, x1, y1 = box
    return pixels[y0:y1, x0:x1]


def _sampled(mask: np.ndarray, near: float, chance: np.random.Generator) -> np.ndarray:
    """Return indices of pixels: as many inside as outside, half of them nearer to the border than the
    others.
    """
    border = torch.from_numpy(mask.astype(np.float32))[None, None]
    size, reach = 2 * round(near) + 1, round(near)
    grown = functional.max_pool2d(border, size, 1, reach)[0, 0].numpy() > 0
    shrunk = -functional.max_pool2d(-border, size, 1, reach)[0, 0].numpy() > 0
    pools = (mask, mask & ~shrunk, ~mask, ~mask & grown)
    return np.concatenate([_picked(np.flatnonzero(pool), chance) for pool in pools])


def _picked(pool: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    count = _PIXELS // 4
    return chance.choice(pool, count, replace=len(pool) < count) if len(pool) else pool


@torch.enable_grad()
def _trained(rows: Tensor, targets: Tensor) -> Tuple[np.ndarray, ...]:
    mean, deviation = rows.mean(0), rows.std(0) + 1e-6
    rows = (rows - mean) / deviation
    net = nn.Sequential(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    _start_alike(net)
    parameters = list(net.parameters())
    moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in parameters]
    for step in range(1, _STEPS + 1):
        loss = functional.binary_cross_entropy_with_logits(net(rows)[:, 0], targets)
        gradients = torch.autograd.grad(loss, parameters)
        _adam_step(parameters, gradients, moments, step)
    learned = (mean, deviation, net[0].weight, net[0].bias, net[2].weight, net[2].bias)
    return tuple(array.detach().numpy().copy() for array in learned)


@torch.no_grad()
def _adam_step(parameters, gradients, moments, step: int) -> None:
    """Kingma and Ba, "Adam", 2015, with weight decay in the gradient.

    Written out because the first step of any optimizer of torch loads torch's compiler, which takes seconds,
    and the user waits.
    """
    for parameter, gradient, (first, second) in zip(parameters, gradients, moments):
        slope = gradient + _DECAY * parameter
        first.lerp_(slope, 1 - _BETAS[0])
        second.lerp_(slope * slope, 1 - _BETAS[1])
        spread = (second / (1 - _BETAS[1] ** step)).sqrt() + 1e-8
        parameter.sub_(_RATE / (1 - _BETAS[0] ** step) * first / spread)


def _start_alike(net: nn.Module) -> None:
    """Start the same way every time, whatever else has drawn random numbers."""
    chance = torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        reach = parameter.shape[-1] ** -0.5
        with torch.no_grad():
            parameter.uniform_(-reach, reach, generator=chance)
