"""Describe what is seen around a pixel of a slice, in the volume's own intensities."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .appearance import Window, in_window

# Pixels of a slice whose longer side has 224 of them.
_SIDE = 224
_SMOOTHED = (1.0, 2.5, 6.0)
_SPREAD_OVER = 2.0
# A slice up to so many times larger is not made smaller first.
_TOLERATED_RATIO = 1.25


def pixel_features(values: np.ndarray, window: Window) -> Tensor:
    """Return (FEATURES, H, W) float32: the intensity, its mean over three neighborhoods, and its deviation.

    :param values: (H, W) of any real dtype, in the volume's units.
    """
    pixels = torch.from_numpy(in_window(values, window))[None, None]
    ratio = max(values.shape) / _SIDE
    seen = pixels
    if ratio > _TOLERATED_RATIO:
        size = [max(1, round(side / ratio)) for side in values.shape]
        seen = functional.interpolate(pixels, size, mode="bilinear", antialias=True)
        ratio = 1.0
    means = [_smoothed(seen, ratio * sigma) for sigma in _SMOOTHED]
    mean, square = (_smoothed(each, ratio * _SPREAD_OVER) for each in (seen, seen * seen))
    # Four times, to be of the order of the others.
    spread = (square - mean * mean).clamp(min=0).sqrt() * 4
    stacked = torch.cat([seen, *means, spread], 1)
    if stacked.shape[2:] != values.shape:
        stacked = functional.interpolate(stacked, values.shape, mode="bilinear")
    return stacked[0]


def _smoothed(images: Tensor, sigma: float) -> Tensor:
    """Return (1, 1, H, W) convolved with a Gaussian that ends at three sigma; edges are repeated."""
    reach = max(1, round(3 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    along = functional.pad(images, (reach, reach, 0, 0), mode="replicate")
    along = functional.conv2d(along, kernel[:, :, None])
    across = functional.pad(along, (0, 0, reach, reach), mode="replicate")
    return functional.conv2d(across, kernel[..., None])
