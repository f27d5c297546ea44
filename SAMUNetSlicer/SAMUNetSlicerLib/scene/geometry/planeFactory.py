"""Slice planes from what the user looks at: a slice view, a named orientation, or a free normal.

A plane that coincides with a plane of voxels becomes that plane of voxels, transposed and flipped to the
display's orientation.  Any other plane gets square pixels as small as the densest voxel sampling on the
plane, over the rectangle that bounds the plane's cut through the volume.
"""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ...errors import InputError
from .plane import SlicePlane
from .volumeGeometry import AXES, dimensions, ijkToRAS, mapPoints, matrixToArray

# A plane is a volume plane if it leaves the plane of voxel centers by no more than this part of the slice
# distance anywhere in the volume: float32 headers pass, a deliberate tilt does not.
_ALIGNED_TOLERANCE = 0.05

# Directions are rounded so that panning or zooming a view, which changes the last bits of its matrix, gives
# the identical grid.
_DIRECTION_DECIMALS, _OFFSET_DECIMALS = 9, 6

# Normal, direction to the viewer, and image top as in Slicer's default views (patient right on image left).
_ORIENTATIONS = {
    "sagittal": ((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "coronal": ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "axial": ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}


class _View(NamedTuple):
    """Orthonormal RAS directions of a displayed slice, and any point on it."""

    right: np.ndarray
    up: np.ndarray
    normal: np.ndarray
    point: np.ndarray


def planeFromSliceNode(sliceNode, volumeNode) -> SlicePlane:
    """Return the slice that a slice view shows of a volume, independent of the view's zoom and pan.

    :raises InputError: the view shows a place outside the volume, or the volume cannot be used.
    """
    matrix = matrixToArray(sliceNode.GetSliceToRAS())
    return _planeOfView(_view(matrix[:3, 0], matrix[:3, 1], matrix[:3, 3]), volumeNode)


def planeFromAxis(
    volumeNode, axis: str, index: Optional[int] = None, offset: Optional[float] = None
) -> SlicePlane:
    """Return a slice by name: the volume's own slice ``index``, or the world slice at ``offset``.

    :param axis: "I", "J", "K" (voxel axis across the slice), or "axial", "sagittal", "coronal".
    :param index: voxel index along the axis; a named orientation means the voxel axis nearest to it.
    :param offset: S, R or A coordinate in mm of an axial, sagittal or coronal slice.  Without index and
        offset: the middle slice of the volume.
    :raises InputError: unknown axis, slice outside the volume, or an offset with a voxel axis.
    """
    name = axis.lower()
    if offset is not None and index is None and name in _ORIENTATIONS:
        normal = np.array(_ORIENTATIONS[name][0])
        return planeFromNormal(volumeNode, normal * offset, normal)
    if offset is not None:
        raise InputError("A slice is chosen by its index or, if axial, sagittal or coronal, by its offset.")
    matrix, size = ijkToRAS(volumeNode), dimensions(volumeNode)
    number = _axisNumber(matrix, axis)
    index = size[number] // 2 if index is None else index
    return _volumePlane(_viewFacing(_sliceNormal(matrix, number), np.zeros(3)), matrix, size, number, index)


def planeFromNormal(volumeNode, originRAS, normalRAS, upRAS=None) -> SlicePlane:
    """Return the slice through a point across a direction, seen from the side from which Slicer would show
    it.

    :param originRAS: (3,) any point on the slice, mm.
    :param normalRAS: (3,) direction across the slice, any length, either sign.
    :param upRAS: (3,) direction to the top of the image; by default anterior for slices nearest to axial,
        superior for the others.
    :raises InputError: the slice misses the volume, or the directions do not define a plane.
    """
    origin, normal = _finite(originRAS), _finite(normalRAS)
    if not np.linalg.norm(normal) > 0:
        raise InputError("The normal of a slice must not be zero.")
    up = None if upRAS is None else _finite(upRAS)
    return _planeOfView(_viewFacing(normal, origin, up), volumeNode)


def neighborPlane(plane: SlicePlane, volumeNode, steps: int) -> SlicePlane:
    """Return the slice that many slices along the plane's normal, seen from the same side as the plane.

    :raises InputError: there is no such slice in the volume.
    """
    right, down, normal, _ = plane.planeToRAS[:3].T
    middle = plane.pixelToRAS([[(plane.shape[1] - 1) / 2, (plane.shape[0] - 1) / 2]])[0]
    return _planeOfView(_view(right, -down, middle + steps * normal), volumeNode)


def neighborSteps(plane: SlicePlane, volumeNode) -> List[int]:
    """Return the steps to all slices parallel to the plane that meet the volume, nearest first, 0
    included.
    """
    size = np.array(dimensions(volumeNode))
    corners = np.stack(np.meshgrid(*((-0.5, n - 0.5) for n in size)), axis=-1).reshape(-1, 3)
    _, distances = plane.rasToPixel(mapPoints(ijkToRAS(volumeNode), corners))
    slices = distances / plane.thickness
    first, last = int(np.ceil(slices.min() + 1e-3)), int(np.floor(slices.max() - 1e-3))
    return sorted(range(first, last + 1), key=lambda step: (abs(step), -step))


def _finite(vector) -> np.ndarray:
    vector = np.asarray(vector, dtype=np.float64).reshape(-1)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise InputError("A slice's origin and directions are three finite numbers each (R, A, S).")
    return vector


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _nearestOrientation(direction: np.ndarray) -> str:
    # Rounding keeps a direction exactly between two orientations from depending on the last bit.
    return list(_ORIENTATIONS)[int(np.argmax(np.round(np.abs(direction), 6)))]


def _view(right: np.ndarray, up: np.ndarray, point: np.ndarray) -> _View:
    right, up = (_unit(np.round(_unit(v), _DIRECTION_DECIMALS)) + 0.0 for v in (right, up))
    normal = _unit(np.cross(right, up))
    anatomical = _ORIENTATIONS[_nearestOrientation(normal)][0]
    return _View(right, up, normal * (1 if normal @ anatomical > 0 else -1), point)


def _viewFacing(normal: np.ndarray, point: np.ndarray, up: Optional[np.ndarray] = None) -> _View:
    normal = _unit(normal)
    _, viewer, top = (np.array(v) for v in _ORIENTATIONS[_nearestOrientation(normal)])
    towardsViewer = normal if normal @ viewer > 0 else -normal
    up = top if up is None else up
    up = up - (up @ normal) * normal
    if not np.linalg.norm(up) > 1e-6:
        raise InputError("The direction to the top of the image must not be along the slice's normal.")
    return _view(np.cross(_unit(up), towardsViewer), up, point)


def _axisNumber(matrix: np.ndarray, axis: str) -> int:
    if axis.upper() in AXES and len(axis) == 1:
        return AXES.index(axis.upper())
    if axis.lower() not in _ORIENTATIONS:
        raise InputError(f"'{axis}' is not a slice axis: use axial, sagittal, coronal, I, J or K.")
    normal = np.array(_ORIENTATIONS[axis.lower()][0])
    return int(np.argmax([abs(_sliceNormal(matrix, number) @ normal) for number in range(3)]))


def _sliceNormal(matrix: np.ndarray, number: int) -> np.ndarray:
    """Unit normal of the planes on which voxel index ``number`` is constant: that index's gradient."""
    return _unit(np.linalg.inv(matrix)[number, :3])


def _planeOfView(view: _View, volumeNode) -> SlicePlane:
    matrix, size = ijkToRAS(volumeNode), dimensions(volumeNode)
    number = _alignedAxis(view.normal, matrix, size)
    if number is None:
        return _obliquePlane(view, matrix, size)
    return _volumePlane(view, matrix, size, number, _nearestIndex(view, matrix, size, number))


def _alignedAxis(normal: np.ndarray, matrix: np.ndarray, size) -> Optional[int]:
    """Return the voxel axis whose index stays constant on the plane up to the tolerance, or None."""
    rasToIJK = np.linalg.inv(matrix)
    number = int(np.argmax([abs(_sliceNormal(matrix, n) @ normal) for n in range(3)]))
    gradient = rasToIJK[number, :3]
    inPlane = gradient - (gradient @ normal) * normal
    halfExtents = [0.5 * size[n] * matrix[:3, n] for n in range(3) if n != number]
    drift = sum(abs(inPlane @ extent) for extent in halfExtents)
    return number if drift <= _ALIGNED_TOLERANCE else None


def _nearestIndex(view: _View, matrix: np.ndarray, size, number: int) -> int:
    """Return the slice of voxels that Slicer displays where the plane passes the middle of the volume."""
    middle = mapPoints(matrix, (np.array(size) - 1) / 2)[0]
    onPlane = middle + ((view.point - middle) @ view.normal) * view.normal
    position = mapPoints(np.linalg.inv(matrix), onPlane)[0, number]
    return int(np.floor(position + 0.5))


def _volumePlane(view: _View, matrix: np.ndarray, size, number: int, index: int) -> SlicePlane:
    if not 0 <= index < size[number]:
        raise InputError(
            f"The slice lies outside the volume: slice {index} of {size[number]} along {AXES[number]}, "
            "move to a slice that shows the volume."
        )
    across, along = _displayAxes(view, matrix, number)
    corner = np.zeros(3)
    corner[number] = index
    steps = []
    for axis, wanted in ((across, view.right), (along, -view.up)):
        sign = 1 if matrix[:3, axis] @ wanted >= 0 else -1
        corner[axis] = 0 if sign > 0 else size[axis] - 1
        steps.append(sign * matrix[:3, axis])
    normal = _sliceNormal(matrix, number)
    thickness = abs(normal @ matrix[:3, number])
    step = normal * thickness * (1 if normal @ view.normal > 0 else -1)
    placed = _placement(*steps, step, mapPoints(matrix, corner)[0])
    return SlicePlane(placed, (size[along], size[across]), AXES[number], int(index), thickness)


def _displayAxes(view: _View, matrix: np.ndarray, number: int) -> Tuple[int, int]:
    """Return the voxel axes that run across and along the display, whichever way round is nearer."""
    first, second = (n for n in range(3) if n != number)
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    right, up = np.abs(view.right @ axes), np.abs(view.up @ axes)
    straight = right[first] + up[second] >= right[second] + up[first]
    return (first, second) if straight else (second, first)


def _obliquePlane(view: _View, matrix: np.ndarray, size) -> SlicePlane:
    rasToIJK = np.linalg.inv(matrix)[:3, :3]
    # The largest singular value is the most voxels that one mm on the plane can cross, in any direction.
    pixel = 1 / np.linalg.norm(rasToIJK @ np.column_stack([view.right, view.up]), 2)
    thickness = 1 / np.linalg.norm(rasToIJK @ view.normal)
    offset = round(float(view.normal @ view.point), _OFFSET_DECIMALS)
    border = outline(view.normal, offset, matrix, size)
    if not len(border):
        raise InputError("The slice lies outside the volume: move to a slice that shows the volume.")
    down = -view.up
    spans = [_pixelSpan(border @ direction, pixel) for direction in (view.right, down)]
    (left, width), (top, height) = spans
    origin = left * view.right + top * down + offset * view.normal
    placed = _placement(view.right * pixel, down * pixel, view.normal * thickness, origin)
    return SlicePlane(placed, (height, width), None, None, thickness)


def _pixelSpan(positions: np.ndarray, pixel: float):
    """Return the first pixel center (mm) and number of pixels that cover the positions, centered on them."""
    low, high = positions.min(), positions.max()
    count = max(1, int(np.ceil((high - low) / pixel - 1e-6)))
    return (low + high) / 2 - (count - 1) / 2 * pixel, count


def outline(normal: np.ndarray, offset: float, matrix: np.ndarray, size) -> np.ndarray:
    """Return corners (n, 3) RAS of a plane's cut through the box of a volume, voxel borders included.

    :param normal, offset: of the plane, unit RAS and mm.
    :param matrix: (4, 4) from voxel indices to RAS.
    :param size: numbers of voxels.
    :return: no corners where the plane misses the box.
    """
    unitCorners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T
    corners = mapPoints(matrix, unitCorners * np.array(size) - 0.5)
    heights = corners @ normal - offset
    points = []
    for a in range(8):
        for b in (a | 1, a | 2, a | 4):
            if b != a and heights[a] * heights[b] <= 0 and heights[a] != heights[b]:
                points.append(corners[a] + heights[a] / (heights[a] - heights[b]) * (corners[b] - corners[a]))
    return np.array(points).reshape(-1, 3)


def _placement(right, down, normal, origin) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([right, down, normal, origin]) + 0.0  # + 0.0: no negative zeros
    return matrix
