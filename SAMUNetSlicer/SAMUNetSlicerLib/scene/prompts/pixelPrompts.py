"""Convert prompts to what the network takes: pixels of one slice.

A pixel covers half a pixel on each side of its center, which has integer coordinates.  A box holds the pixels
whose centers it holds: drawn from center (2, 3) to center (9, 12), or along their outer edges, it is
[2, 3, 10, 13).
"""

from typing import NamedTuple, Sequence, Tuple

import numpy as np

from ..geometry import SlicePlane
from .promptRecord import Point, PromptRecord

# A corner this close to the center of a pixel lies on it, in pixels: world points come back with rounding.
_ROUNDING = 1e-6


class PixelPrompts(NamedTuple):
    """The prompts of a slice in the order in which they were given.

    ``points`` (N, 2) float32 (x, y), integers at pixel centers; ``labels`` (N,) int64 of 1 and 0;
    ``boxes`` (B, 4) float32 half-open [x0, y0, x1, y1), whole pixels.
    """

    points: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray


def promptPixels(records: Sequence[PromptRecord], plane: SlicePlane) -> PixelPrompts:
    """Return prompts that apply to a slice as pixels of that slice; parts outside the image are not cut
    off.
    """
    points = [record for record in records if record.kind != "box"]
    boxes = [record for record in records if record.kind == "box"]
    pixels, _ = plane.rasToPixel([record.ras[0] for record in points])
    return PixelPrompts(
        pixels.astype(np.float32),
        np.array([record.kind == "positive" for record in points], np.int64),
        np.array([_pixelBox(record, plane) for record in boxes], np.float32).reshape(-1, 4),
    )


def boxCornersOfPixels(plane: SlicePlane, box: Sequence[float]) -> Tuple[Point, Point]:
    """Return world corners of a half-open pixel box [x0, y0, x1, y1): the outer edges of its border
    pixels.
    """
    x0, y0, x1, y1 = box
    corners = plane.pixelToRAS([[x0 - 0.5, y0 - 0.5], [x1 - 0.5, y1 - 0.5]])
    return tuple(map(tuple, corners.tolist()))


def _pixelBox(record: PromptRecord, plane: SlicePlane) -> Tuple[float, float, float, float]:
    """Return the pixels whose centers lie in the box, borders included; at least one."""
    (x0, y0), (x1, y1) = record.plane.rasToPixel(record.ras)[0]
    corners = record.plane.pixelToRAS([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    pixels, _ = plane.rasToPixel(corners)
    low = np.ceil(pixels.min(axis=0) - _ROUNDING)
    high = np.floor(pixels.max(axis=0) + _ROUNDING) + 1
    middle = np.floor(pixels.mean(axis=0) + 0.5)
    low, high = np.where(low < high, low, middle), np.where(low < high, high, middle + 1)
    return (*low, *high)
