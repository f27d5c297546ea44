"""Compute boxes around masks and points, half-open [x0, y0, x1, y1)."""

from typing import Tuple

import numpy as np


def bounding_box(mask: np.ndarray) -> np.ndarray:
    """Return the half-open box [x0, y0, x1, y1) float32 of a mask (H, W) that is not empty."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def box_with_point(box: np.ndarray, point: np.ndarray, margin: float) -> np.ndarray:
    """Grow a box (4,) to hold a point (x, y) and ``margin`` times its own width and height around it."""
    reach = margin * (box[2:] - box[:2])
    return np.hstack([np.minimum(box[:2], point - reach), np.maximum(box[2:], point + reach)])


def clipped(boxes: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """Clip boxes (..., 4) float32 to an image of ``size`` (H, W)."""
    return np.clip(boxes, 0, np.array([size[1], size[0], size[1], size[0]])).astype(np.float32)
