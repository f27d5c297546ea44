"""Check that prompts lie on the image of their slice."""

from typing import Sequence, Tuple

import numpy as np

from ...errors import PromptError
from ...scene.geometry import SlicePlane

# Rounding of the way from the mouse to the slice and back, mm.
_DISTANCE_TOLERANCE = 1e-3


def pointOnSlice(position: Sequence[float], plane: SlicePlane) -> Tuple[float, float, float]:
    """Return the world position (R, A, S) in mm of a point on a slice.

    :param position: (R, A, S) in mm, or (x, y) in pixels of the slice, integers at pixel centers.
    :raises PromptError: it is neither, or it lies outside the image or off the slice.
    """
    position = _finite(position)
    ras = plane.pixelToRAS([position])[0] if len(position) == 2 else position
    pixel, distance = plane.rasToPixel([ras])
    if abs(distance[0]) > plane.thickness / 2 + _DISTANCE_TOLERANCE:
        raise PromptError(f"The prompt lies {abs(distance[0]):.1f} mm off the slice: place it on the slice.")
    if not plane.contains(pixel)[0]:
        raise PromptError("The prompt lies outside the image: place it on the image.")
    return tuple(ras.tolist())


def boxOnSlice(corner: Sequence[float], opposite: Sequence[float], plane: SlicePlane):
    """Return the world positions of two opposite corners of a box, cut off at the border of the image.

    :param corner, opposite: as ``pointOnSlice``; each may lie outside the image, but not the whole box.
    :raises PromptError: the box has no area, or no part of it lies on the image.
    """
    corners = np.array([_pixel(_finite(position), plane) for position in (corner, opposite)])
    border = np.array([plane.shape[1], plane.shape[0]]) - 0.5
    low, high = np.clip([corners.min(axis=0), corners.max(axis=0)], -0.5, border)
    if not (low < high).all():
        raise PromptError("The box has no area on the image: drag it over what is to be segmented.")
    return tuple(tuple(point) for point in plane.pixelToRAS([low, high]).tolist())


def promptsOnSlice(points: Sequence, boxes: Sequence, plane: SlicePlane) -> Tuple[list, list]:
    """Return world positions of points, and corners of boxes, given as for ``pointOnSlice`` and
    ``boxOnSlice``.

    :raises PromptError: one of them cannot be placed.
    """
    placed = [pointOnSlice(point, plane) for point in points]
    return placed, [boxOnSlice(*corners, plane) for corners in boxes]


def _pixel(position: np.ndarray, plane: SlicePlane) -> np.ndarray:
    return position if len(position) == 2 else plane.rasToPixel([position])[0][0]


def _finite(position: Sequence[float]) -> np.ndarray:
    position = np.asarray(position, dtype=np.float64).reshape(-1)
    if len(position) not in (2, 3) or not np.isfinite(position).all():
        raise PromptError(
            "A prompt's position is three numbers (R, A, S in mm) or two (pixels of the slice)."
        )
    return position
