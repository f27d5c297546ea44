"""Check prompts so that the engine can rely on them: right shapes and types, inside the image, known
labels.
"""

from typing import Tuple

import numpy as np

from ...errors import PromptError
from ..types import NEGATIVE, POSITIVE, Prompts


def checked_prompts(prompts: Prompts, size: Tuple[int, int]) -> Prompts:
    """Return the same prompts with the documented dtypes; boxes that are partly outside are clipped.

    :param size: (H, W) of the image.
    :return: ``mask`` is None where it is empty.
    :raises PromptError: nothing to go by; wrong shapes; values that are no finite numbers; a point outside
        the image or with an unknown label; a box that is inverted, empty or wholly outside; a mask of
        another size.
    """
    points, labels = _points(prompts, size)
    checked = Prompts(points, labels, _boxes(prompts, size), _mask(prompts, size))
    if not checked:
        raise PromptError("There is no prompt yet: click into the structure or draw a box around it.")
    return checked


def _points(prompts: Prompts, size: Tuple[int, int]) -> Tuple[np.ndarray, np.ndarray]:
    points = _rows("Points", prompts.points, 2)
    labels = np.asarray(prompts.labels)
    if labels.shape != (len(points),):
        raise PromptError(f"Each point needs one label, but {len(points)} came with labels {labels.shape}.")
    for label in labels.tolist():
        if label not in (POSITIVE, NEGATIVE):
            raise PromptError(f"The point label {label} is unknown; use 1 for foreground, 0 for background.")
    height, width = size
    for x, y in points.tolist():
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise PromptError(
                f"The point ({x:g}, {y:g}) lies outside the image of {width} x {height} pixels."
            )
    return points, labels.astype(np.int64)


def _boxes(prompts: Prompts, size: Tuple[int, int]) -> np.ndarray:
    boxes = _rows("Boxes", prompts.boxes, 4)
    height, width = size
    clipped = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    for given, (x0, y0, x1, y1) in zip(boxes.tolist(), clipped):
        text = ", ".join(f"{value:g}" for value in given)
        if given[0] >= given[2] or given[1] >= given[3]:
            raise PromptError(f"The box ({text}) is empty or inverted; give x0 < x1 and y0 < y1.")
        if x0 >= x1 or y0 >= y1:
            raise PromptError(f"The box ({text}) lies outside the image of {width} x {height} pixels.")
    return clipped


def _mask(prompts: Prompts, size: Tuple[int, int]):
    if prompts.mask is None:
        return None
    mask = np.asarray(prompts.mask)
    if mask.shape != tuple(size):
        raise PromptError(f"The mask to start from is {mask.shape}, but the image is {tuple(size)}.")
    mask = mask.astype(bool)
    return mask if mask.any() else None


def _rows(name: str, values, columns: int) -> np.ndarray:
    try:
        rows = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        rows = np.full((1, columns), np.nan)
    if rows.size == 0:
        return np.zeros((0, columns), np.float32)
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise PromptError(f"{name} must be rows of {columns} numbers, not an array of shape {rows.shape}.")
    if not np.isfinite(rows).all():
        raise PromptError(f"{name} must be finite numbers.")
    return rows
