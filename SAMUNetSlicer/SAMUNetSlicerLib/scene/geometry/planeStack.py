"""Number all slices of a volume that are parallel to one of them."""

from typing import Dict, Optional, Tuple

import numpy as np

from .plane import SlicePlane
from .planeFactory import neighborPlane, neighborSteps
from .volumeGeometry import AXES, ijkToRAS

# Two normals closer than half a degree are one orientation, as for prompts.
_SAME_ORIENTATION = float(np.cos(np.radians(0.5)))

_ROUNDING = 1e-6  # of sizes in slices


class PlaneStack:
    """The slices along the normal of ``reference``, numbered by their steps from it.

    ``first``, ``last``: the outermost steps that meet the volume; positive steps go along the normal.  The
    slices of an oblique stack may differ in shape, see `planeFactory`; ``overlap``: to how many slices on
    either side a voxel of one may belong too, 0 if the slices are planes of voxels.
    """

    def __init__(self, reference: SlicePlane, volumeNode):
        steps = neighborSteps(reference, volumeNode)
        self.reference = reference
        self.first, self.last = min(steps), max(steps)
        self._volumeNode = volumeNode
        across = (reference.rasToPlane() @ ijkToRAS(volumeNode))[2, :3]
        self.overlap = int(np.abs(across).sum() - _ROUNDING)
        self._sense = _senseOfIndex(reference, volumeNode)
        self._planes: Dict[int, SlicePlane] = {0: reference}

    def plane(self, step: int) -> SlicePlane:
        """Return the slice at a step.

        :raises InputError: there is no such slice in the volume.
        """
        if step not in self._planes:
            self._planes[step] = neighborPlane(self.reference, self._volumeNode, step)
        return self._planes[step]

    def number(self, step: int) -> int:
        """Return what a slice is called: its `SlicePlane.index`, or its step where the stack is oblique."""
        return step if self.reference.axis is None else self.reference.index + self._sense * step

    def step(self, number: int) -> int:
        """Return the step of the slice with a number."""
        return number if self.reference.axis is None else self._sense * (number - self.reference.index)

    def stepOf(self, plane: SlicePlane) -> Optional[int]:
        """Return where a slice belongs in the stack; None if it has another orientation or lies outside."""
        if not self.isParallel(plane):
            return None
        center = plane.pixelToRAS([[(plane.shape[1] - 1) / 2, (plane.shape[0] - 1) / 2]])
        step = int(np.rint(self.reference.rasToPixel(center)[1][0] / self.reference.thickness))
        return step if self.first <= step <= self.last else None

    def isParallel(self, plane: SlicePlane) -> bool:
        return bool(abs(plane.normal @ self.reference.normal) >= _SAME_ORIENTATION)


def _senseOfIndex(plane: SlicePlane, volumeNode) -> int:
    """Return +1 if the voxel index across the slice grows along the normal, else -1."""
    if plane.axis is None:
        return 1
    return 1 if plane.planeToIJK(volumeNode)[AXES.index(plane.axis), 2] > 0 else -1


def carried(mask: np.ndarray, source: SlicePlane, target: SlicePlane) -> np.ndarray:
    """Carry a mask along the normal onto another slice of the same stack.

    :param mask: (H, W) bool on ``source``.
    :return: (h, w) bool on ``target``, to the nearest pixel; what leaves the image is lost.
    """
    return placed(mask, *shift(source, target), target.shape)


def shift(source: SlicePlane, target: SlicePlane) -> Tuple[int, int]:
    """Return (x, y): the pixel of ``target`` in front of which the first pixel of ``source`` lies, maybe
    outside.
    """
    (start,), _ = target.rasToPixel(source.pixelToRAS([[0, 0]]))
    x, y = np.floor(start + 0.5).astype(int)
    return int(x), int(y)


def placed(mask: np.ndarray, x: int, y: int, shape: Tuple[int, int]) -> np.ndarray:
    """Place a mask, with its first pixel at (x, y), in an image of a shape (H, W) bool, cut off at the
    edges.
    """
    image = np.zeros(shape, bool)
    rows, maskRows = _overlap(y, mask.shape[0], shape[0])
    columns, maskColumns = _overlap(x, mask.shape[1], shape[1])
    image[rows, columns] = mask[maskRows, maskColumns]
    return image


def _overlap(shift: int, length: int, targetLength: int) -> Tuple[slice, slice]:
    """Return the range of the target that a shifted source covers, and that range in the source."""
    low = max(shift, 0)
    high = max(min(shift + length, targetLength), low)
    return slice(low, high), slice(low - shift, high - shift)
