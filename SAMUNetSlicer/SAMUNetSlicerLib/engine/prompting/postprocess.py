"""Measure masks and logits: confidence, clicks that are not followed."""

from typing import Sequence, Tuple

import numpy as np
import torch
from torch.nn import functional

from ..types import POSITIVE

_SURE = 0.999  # probability given to the pixels of a mask that somebody drew


def covers(mask: np.ndarray, point: np.ndarray) -> bool:
    """Tell whether the pixel of a mask (H, W) under a point (x, y), integers at pixel centers, is set."""
    column, row = pixel_under(point, mask.shape)
    return bool(mask[row, column])


def pixel_under(point: np.ndarray, size: Tuple[int, int]) -> Tuple[int, int]:
    """Return (column, row) of the pixel under a point of an image of ``size`` (H, W)."""
    column, row = np.floor(np.asarray(point, np.float64) + 0.5).astype(int)
    return min(max(column, 0), size[1] - 1), min(max(row, 0), size[0] - 1)


def violated(mask: np.ndarray, points: np.ndarray, labels: np.ndarray) -> Sequence[int]:
    """Return indices of the clicks that a mask (H, W) does not follow."""
    return [i for i, point in enumerate(points) if covers(mask, point) != (labels[i] == POSITIVE)]


def stability_score(logits: np.ndarray, threshold: float, offset: float = 1.0) -> float:
    """Measure how little a mask depends on where the logits (any shape) are cut, in [0, 1].

    Intersection over union of the masks at ``threshold`` + and - ``offset``; 0 where the former is empty.
    Source: Kirillov et al., "Segment Anything", ICCV 2023, appendix B.
    """
    inner = np.count_nonzero(logits > threshold + offset)
    outer = np.count_nonzero(logits > threshold - offset)
    return float(inner / outer) if outer else 0.0


def logits_of_mask(
    mask: np.ndarray, input_size: Tuple[int, int], image_size: int, low_res_size: int
) -> np.ndarray:
    """Turn a drawn mask into the logits (L, L) float32 that a network would have given for it.

    :param mask: (H, W) bool; ``input_size``: (h, w) that the image takes up in the network's square input
        of side ``image_size``; ``low_res_size``: L.
    """
    height, width = (max(1, round(n * low_res_size / image_size)) for n in input_size)
    drawn = torch.from_numpy(mask.astype(np.float32))[None, None]
    shares = functional.interpolate(drawn, (height, width), mode="bilinear", antialias=True)[0, 0]
    square = functional.pad(shares, (0, low_res_size - width, 0, low_res_size - height))
    return torch.logit(square, 1 - _SURE).numpy()
