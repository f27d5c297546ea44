"""The prompts of a file placed in a volume: planes resolved, every coordinate in RAS on its plane."""

from dataclasses import dataclass
from typing import Any, Mapping, Optional

import numpy as np

from ..errors import PromptError
from ..scene.plane import SlicePlane
from ..scene.planeFactory import planeFromAxis, planeFromNormal
from ..scene.segments import Code, Terminology
from ..scene.volumeGeometry import ijkToRAS, mapPoints
from .promptPlacing import boxOnSlice
from .promptsFile import PlanePrompts, SegmentPrompts

# Rounding of coordinates in files, mm.
_DISTANCE_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class PlacedPrompts:
    """Prompts on one slice of one volume.

    ``points`` (N, 3) RAS mm; ``positive`` (N,) bool; ``boxes`` (B, 2, 3) RAS mm, two opposite corners each,
    which may lie beyond the image.
    """

    plane: SlicePlane
    points: np.ndarray
    positive: np.ndarray
    boxes: np.ndarray


def placePrompts(prompts: PlanePrompts, volumeNode) -> PlacedPrompts:
    """Place the prompts of one slice.

    :raises PromptError: a point or a whole box lies outside the slice's image, a box has no area, or a
        prompt lies further than half a slice from its slice.
    :raises InputError: the slice misses the volume or does not define a plane.
    """
    matrix = ijkToRAS(volumeNode)
    plane = resolvePlane(prompts.plane, volumeNode)
    points = [_inRAS([point.position], point.space, matrix)[0] for point in prompts.points]
    boxes = [_inRAS(box.corners, box.space, matrix) for box in prompts.boxes]
    for index, point in enumerate(points):
        where = f"{prompts.where}.points[{index}]"
        _requireNear(plane, point[np.newaxis], where)
        _requireOnImage(plane, point, where)
    for index, corners in enumerate(boxes):
        where = f"{prompts.where}.boxes[{index}]"
        _requireNear(plane, corners, where)
        _requireAreaOnImage(plane, corners, where)
    return PlacedPrompts(
        plane,
        np.array(points).reshape(-1, 3),
        np.array([point.positive for point in prompts.points], dtype=bool),
        np.array(boxes).reshape(-1, 2, 3),
    )


def resolvePlane(plane: Mapping[str, Any], volumeNode) -> SlicePlane:
    """Return the slice that a validated "plane" entry of a prompts file means.

    :raises InputError: it misses the volume or its directions do not define a plane.
    """
    if "sliceToRAS" in plane:
        # The network sees slices as Slicer displays them, also where the matrix looks from behind.
        matrix = np.array(plane["sliceToRAS"], dtype=np.float64).reshape(4, 4)
        return planeFromNormal(volumeNode, matrix[:3, 3], matrix[:3, 2], matrix[:3, 1])
    if "normal" in plane:
        return planeFromNormal(volumeNode, plane["origin"], plane["normal"], plane.get("up"))
    axis = plane.get("orientation") or plane["axis"]
    index = int(plane["index"]) if "index" in plane else None
    return planeFromAxis(volumeNode, axis, index, plane.get("offset"))


def terminologyOf(segment: SegmentPrompts) -> Optional[Terminology]:
    """Return the ``Terminology`` of a segment of the file, or None."""
    codes = segment.terminology
    return codes and Terminology(**{role: Code(*code) for role, code in codes.items()})


def _inRAS(positions, space: str, matrix: np.ndarray) -> np.ndarray:
    return mapPoints(matrix, positions) if space == "ijk" else np.array(positions, dtype=np.float64)


def _requireNear(plane: SlicePlane, points: np.ndarray, where: str) -> None:
    furthest = float(np.abs(plane.rasToPixel(points)[1]).max())
    if furthest > plane.thickness / 2 + _DISTANCE_TOLERANCE:
        raise PromptError(
            f"{where} lies {furthest:.1f} mm from its slice, more than half of the slice's "
            f"{plane.thickness:g} mm: move it onto the slice or name the slice it belongs to."
        )


def _requireOnImage(plane: SlicePlane, point: np.ndarray, where: str) -> None:
    pixel, _ = plane.rasToPixel(point)
    if not plane.contains(pixel)[0]:
        height, width = plane.shape
        raise PromptError(
            f"{where} lies outside the image: column {pixel[0, 0]:.1f}, row {pixel[0, 1]:.1f} of a slice of "
            f"{width} x {height} pixels."
        )


def _requireAreaOnImage(plane: SlicePlane, corners: np.ndarray, where: str) -> None:
    """A box may reach beyond the image, where the session cuts it off, but not lie outside of it."""
    try:
        boxOnSlice(*corners, plane)
    except PromptError as error:
        raise PromptError(f"{where}: {error}") from error
