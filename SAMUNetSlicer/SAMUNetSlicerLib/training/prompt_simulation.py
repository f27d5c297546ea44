"""Simulate prompts as users give them: boxes drawn loosely or shifted, clicks on what is wrong.

Sources: RITM (Sofiiuk et al., "Reviving Iterative Training with Mask Guidance", 2021) for clicks at the
largest error; ScribblePrompt (Wong et al., 2024) for the center of the largest component.

Boxes are half-open [x0, y0, x1, y1), points (x, y) with integers at pixel centers.
"""

from typing import Optional, Tuple

import numpy as np
from scipy import ndimage

from .corpus import EIGHT_NEIGHBORS

Click = Tuple[int, int, int]  # x, y, label


def tight_box(mask: np.ndarray) -> np.ndarray:
    """Return the half-open bounding box (4,) float32 of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def center(region: np.ndarray) -> Tuple[int, int]:
    """Return (x, y) of the pixel deepest inside a region that is not empty; the image border counts as
    outside.
    """
    x0, y0, x1, y1 = tight_box(region).astype(int)
    inside = np.pad(region[y0:y1, x0:x1], 1)
    depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x) + x0, int(y) + y0


def largest_part(region: np.ndarray) -> np.ndarray:
    """Return the largest connected component (8 neighbors) of a region that is not empty."""
    parts, count = ndimage.label(region, EIGHT_NEIGHBORS)
    return region if count == 1 else parts == np.bincount(parts.ravel())[1:].argmax() + 1


def next_click(mask: np.ndarray, target: np.ndarray) -> Optional[Click]:
    """Return the click that corrects the largest wrong part of a mask at its center; None if nothing is
    wrong.

    A first click is the correction of an empty mask.
    """
    wrong = mask != target
    if not wrong.any():
        return None
    parts = [part for part in (wrong & target, wrong & ~target) if part.any()]
    part = max((largest_part(part) for part in parts), key=np.count_nonzero)
    x, y = center(part)
    return x, y, int(target[y, x])


def careless_click(mask: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> Optional[Click]:
    """Return a click like `next_click`, but anywhere in the largest wrong part, or in half of the cases at
    its center.
    """
    click = next_click(mask, target)
    if click is None or rng.random() < 0.5:
        return click
    wrong = (mask != target) & (target == bool(click[2]))
    rows, columns = np.nonzero(largest_part(wrong))
    chosen = rng.integers(len(rows))
    return int(columns[chosen]), int(rows[chosen]), click[2]


def shifted_box(box: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Move the box by (dx, dy) pixels."""
    return box + np.array([dx, dy, dx, dy], np.float32)


def scaled_box(box: np.ndarray, factor: float) -> np.ndarray:
    """Multiply both sides of the box by ``factor`` about its center."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def fitted_box(box: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Fit the box into an image of ``shape`` (H, W), at least one pixel wide and high."""
    height, width = shape
    x0, y0 = np.clip(box[:2], 0, [width - 1, height - 1])
    x1, y1 = np.clip(box[2:], [x0 + 1, y0 + 1], [width, height])
    return np.array([x0, y0, x1, y1], np.float32)


def careless_box(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a box as by hand: exact (2 in 5), or shifted, each side loose or a little tight."""
    box = tight_box(mask)
    if rng.random() < 0.4:
        return box
    size = np.tile(box[2:] - box[:2], 2)
    outward = np.array([-1, -1, 1, 1]) * rng.uniform(-0.05, 0.1, 4) * size
    shift = np.tile(rng.normal(0, 1, 2), 2) * (1 + 0.02 * size)
    return fitted_box((box + outward + shift).astype(np.float32), mask.shape)
