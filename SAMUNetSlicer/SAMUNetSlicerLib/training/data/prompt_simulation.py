"""Simulate prompts as users give them: loose, shifted or cut boxes, clicks on what is wrong, old masks.

Sources: RITM (Sofiiuk et al., "Reviving Iterative Training with Mask Guidance", 2021) for clicks at the
largest error; ScribblePrompt (Wong et al., 2024) for the center of the largest component.

Boxes are half-open [x0, y0, x1, y1), points (x, y) with integers at pixel centers.
"""

from typing import Optional, Tuple

import numpy as np
from scipy import ndimage

from .augment import smooth_field
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
    """Return a click like `next_click`, but at the center in half of the cases only.

    Otherwise anywhere in the largest wrong part, and every third time close to its border.
    """
    click = next_click(mask, target)
    if click is None or rng.random() < 0.5:
        return click
    part = largest_part((mask != target) & (target == bool(click[2])))
    if rng.random() < 1 / 3:
        part = part & ~ndimage.binary_erosion(part, EIGHT_NEIGHBORS, iterations=2)
    return (*_anywhere(part, rng), click[2])


def avoiding_click(target: np.ndarray, rng: np.random.Generator) -> Optional[Click]:
    """Return a click beside a structure, on what must not belong to it; None if nothing is there."""
    x0, y0, x1, y1 = scaled_box(tight_box(target), 1.6).astype(int)
    beside = np.zeros_like(target)
    beside[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = True
    beside &= ~ndimage.binary_dilation(target, EIGHT_NEIGHBORS)
    return (*_anywhere(beside, rng), 0) if beside.any() else None


def _anywhere(region, rng):
    """Return (x, y) of any pixel of a region that is not empty."""
    rows, columns = np.nonzero(region)
    chosen = rng.integers(len(rows))
    return int(columns[chosen]), int(rows[chosen])


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
    """Draw a box as by hand: exact (2 in 5), a little off (2 in 5), loose, or missing a part."""
    box = tight_box(mask)
    kind = rng.choice(["exact", "near", "loose", "cut"], p=[0.4, 0.4, 0.13, 0.07])
    if kind == "exact":
        return box
    size = np.tile(box[2:] - box[:2], 2)
    low, high = (0.05, 0.4) if kind == "loose" else (-0.05, 0.1)
    outward = np.array([-1, -1, 1, 1]) * rng.uniform(low, high, 4) * size
    if kind == "cut":
        side = int(rng.integers(4))
        outward[side] = (1 if side < 2 else -1) * rng.uniform(0.1, 0.4) * size[side]
    shift = np.tile(rng.normal(0, 1, 2), 2) * (1 + 0.02 * size)
    return fitted_box((box + outward + shift).astype(np.float32), mask.shape)


def neighboring_mask(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Show the structure as on the slice beside: moved, turned, scaled and bent a little, (H, W) bool.

    Never empty: what vanishes altogether is left as it was.
    """
    x0, y0, x1, y1 = tight_box(mask)
    extent = max(x1 - x0, y1 - y0)
    turn, scale = rng.normal(0, 0.12), np.exp(rng.normal(0, 0.12))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    middle = np.array([(y0 + y1) / 2, (x0 + x1) / 2])
    grid = np.mgrid[: mask.shape[0], : mask.shape[1]].reshape(2, -1).astype(np.float32)
    places = matrix @ (grid - middle[:, None]) + (middle + rng.normal(0, 0.05 * extent, 2))[:, None]
    bent = np.stack([smooth_field(mask.shape, int(rng.integers(3, 9)), rng).ravel() for _ in range(2)]) - 0.5
    places += bent * rng.uniform(0, 0.3) * extent
    moved = ndimage.map_coordinates(mask.astype(np.float32), places, order=1).reshape(mask.shape) > 0.5
    return moved if moved.any() else mask
