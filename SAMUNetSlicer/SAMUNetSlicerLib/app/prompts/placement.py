"""Place the prompts of a file in a volume: planes resolved, every coordinate in RAS on its plane."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any, Mapping, Optional, Tuple

import numpy as np

from ...errors import PromptError
from ...scene.geometry import (
    AXES,
    RegionBox,
    SlicePlane,
    dimensions,
    ijkToRAS,
    mapPoints,
    planeFromAxis,
    planeFromNormal,
)
from ...scene.segments import Code, Terminology
from ..propagation import PropagationOptions
from ..session import boxOnSlice
from .fromFile import PlanePrompts, PointPrompt, SegmentPrompts

_NORMALS = {"sagittal": 0, "coronal": 1, "axial": 2}  # which of R, A, S is across the slice

# Rounding of coordinates in files, mm.
_DISTANCE_TOLERANCE = 1e-3
# How far from the ends of the volume the points at its ends are put, as a part of it.
_END = 1e-6


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
    plane = resolvePlane(prompts.plane, volumeNode)
    points = [_pointToRAS(point, volumeNode) for point in prompts.points]
    boxes = [toRAS(box.corners, box.space, volumeNode) for box in prompts.boxes]
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


def _pointToRAS(point: PointPrompt, volumeNode) -> np.ndarray:
    position = np.array(point.position)
    if point.space == "fraction":
        # Both ends of the volume belong to it, while an image has only one of its two borders.
        ends = np.clip(position, _END, 1 - _END)
        position = np.where((position >= 0) & (position <= 1), ends, position)
    return toRAS([position], point.space, volumeNode)[0]


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
    if "fraction" in plane:
        return _planeAtFraction(volumeNode, plane["orientation"], plane["fraction"])
    axis = plane.get("orientation") or plane["axis"]
    index = int(plane["index"]) if "index" in plane else None
    return planeFromAxis(volumeNode, axis, index, plane.get("offset"))


def chosenTerminology(segment: SegmentPrompts) -> Optional[Terminology]:
    """Return the ``Terminology`` of a segment of the file, or None."""
    codes = segment.terminology
    return codes and Terminology(**{role: Code(*code) for role, code in codes.items()})


def readPropagationOptions(entry: Mapping[str, Any], volumeNode) -> PropagationOptions:
    """Read a validated "propagate" entry of a prompts file.

    :raises InputError: its region has no volume.
    """
    region, axes = entry.get("region"), tuple(entry.get("axes", ()))
    return PropagationOptions(**{**entry, "axes": axes, "region": region and _region(region, volumeNode)})


def _region(box: Mapping[str, Any], volumeNode) -> RegionBox:
    ((space, corners),) = box.items()
    placed = toRAS(corners, space, volumeNode)
    if space == "ras":
        return RegionBox.fromCorners(*placed)
    # Turned with the volume; voxels count as a whole.
    matrix, reach = ijkToRAS(volumeNode), 0.5 if space == "ijk" else 0.0
    indices = np.sort(mapPoints(np.linalg.inv(matrix), placed), axis=0)
    return RegionBox.fromCorners(indices[0] - reach, indices[1] + reach, matrix)


def toRAS(positions, space: str, volumeNode) -> np.ndarray:
    """Convert positions of a space of prompts files, see `PointPrompt`, to world positions (n, 3) in mm.

    Fractions count from border to border of the volume's voxels, along its axes: they turn with it.
    """
    positions = np.array(positions, dtype=np.float64).reshape(-1, 3)
    if space == "ras":
        return positions
    matrix = ijkToRAS(volumeNode)
    if space == "ijk":
        return mapPoints(matrix, positions)
    axes, signs = _anatomicalAxes(matrix)
    size = np.array(dimensions(volumeNode))[axes]
    along = np.where(signs > 0, positions, 1 - positions) * size - 0.5
    indices = np.empty_like(along)
    indices[:, axes] = along
    return mapPoints(matrix, indices)


def _anatomicalAxes(matrix: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the voxel axes nearest to R, A and S, each once, and whether they run that way (+1) or not
    (-1).
    """
    directions = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    axes = max(permutations(range(3)), key=lambda order: np.abs(directions[range(3), order]).sum())
    return np.array(axes), np.where(directions[range(3), axes] < 0, -1, 1)


def _planeAtFraction(volumeNode, orientation: str, fraction: float) -> SlicePlane:
    matrix, size = ijkToRAS(volumeNode), dimensions(volumeNode)
    axes, signs = _anatomicalAxes(matrix)
    direction = _NORMALS[orientation]
    axis, along = axes[direction], fraction if signs[direction] > 0 else 1 - fraction
    return planeFromAxis(volumeNode, AXES[axis], min(int(along * size[axis]), size[axis] - 1))


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
    """Require that a box meets the image; it may reach beyond it, where the session cuts it off."""
    try:
        boxOnSlice(*corners, plane)
    except PromptError as error:
        raise PromptError(f"{where}: {error}") from error
