"""Square pixels for the network, whatever the slice distance of the volume.

Networks have learned from pictures with square pixels.  A coronal slice of a CT with 5 mm between its slices
is a strip of 11 rows; given to the network like that, a box around a tumor finds little of it.  Such slices
are stretched along their coarse direction first, and the mask is brought back to the slice's own pixels.

Measured with LiteMedSAM and exact boxes on the largest coronal and sagittal slices of lesions in five CT and
MR volumes with pixels of 3 to 9 to 1 (Testing/benchmarks/bench_square_pixels.py): mean Dice 0.44 as they
are, 0.82 stretched.
"""

from dataclasses import replace
from typing import Tuple

import numpy as np
from PIL import Image

from ...engine.types import POSITIVE, Prediction, Prompts
from ...scene.geometry import SlicePlane

# Up to here pixels are left as they are, so that ordinary slices are not resampled twice.
_TOLERATED_RATIO = 1.25


def squareImage(image: np.ndarray, plane: SlicePlane) -> np.ndarray:
    """The image as the network gets it: uint8 (h, w) or (h, w, 3) with nearly square pixels.

    :param image: uint8 (H, W) or (H, W, 3), of the plane's shape.
    """
    height, width = _squareShape(plane)
    if (height, width) == plane.shape:
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def squarePrompts(prompts: Prompts, plane: SlicePlane) -> Prompts:
    """The prompts in pixels of `squareImage`.

    :param prompts: in pixels of the plane.
    """
    shape = _squareShape(plane)
    if shape == plane.shape:
        return prompts
    factors = np.array([shape[1] / plane.shape[1], shape[0] / plane.shape[0]], np.float32)
    points = (prompts.points + 0.5) * factors - 0.5  # points count from pixel centers, boxes from edges
    boxes = prompts.boxes * np.tile(factors, 2)
    mask = None if prompts.mask is None else _resized(prompts.mask, shape) > 0.5
    return replace(prompts, points=points.astype(np.float32), boxes=boxes.astype(np.float32), mask=mask)


def planeMask(prediction: Prediction, prompts: Prompts, plane: SlicePlane) -> np.ndarray:
    """The predicted mask on the plane's own pixels, bool (H, W).

    A pixel belongs to it if the logits say so on the average over the pixel; one that was clicked follows the
    click if the network's mask does, also where the average does not.

    :param prediction: for `squareImage` and `squarePrompts`.
    :param prompts: in pixels of the plane.
    """
    if prediction.mask.shape == plane.shape:
        return prediction.mask
    mask = planeLogits(prediction, plane) > 0
    stretched = squarePrompts(prompts, plane)
    for point, networkPoint, label in zip(prompts.points, stretched.points, prompts.labels):
        isPositive = bool(label == POSITIVE)
        if prediction.mask[_pixel(networkPoint, prediction.mask.shape)] == isPositive:
            mask[_pixel(point, plane.shape)] = isPositive
    return mask


def planeLogits(prediction: Prediction, plane: SlicePlane) -> np.ndarray:
    """The predicted logits on the plane's own pixels, float32 (H, W)."""
    isSame = prediction.logits.shape == plane.shape
    return prediction.logits if isSame else _resized(prediction.logits, plane.shape)


def _squareShape(plane: SlicePlane) -> Tuple[int, int]:
    """Rows and columns once the coarser direction is as fine as the other one."""
    alongX, alongY = plane.spacing
    height, width = plane.shape
    if max(alongX, alongY) <= _TOLERATED_RATIO * min(alongX, alongY):
        return plane.shape
    finest = min(alongX, alongY)
    return max(1, round(height * alongY / finest)), max(1, round(width * alongX / finest))


def _resized(values: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _pixel(point: np.ndarray, shape: Tuple[int, int]) -> Tuple[int, int]:
    """Row and column of the pixel that a point (x, y) is in."""
    x, y = np.floor(np.asarray(point) + 0.5).astype(int)
    return int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
