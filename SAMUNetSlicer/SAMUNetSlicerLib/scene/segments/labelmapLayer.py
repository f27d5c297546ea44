"""Read and write the memory of one labelmap layer of a segmentation, voxel by voxel.

Slicer stores segments in layers: one image holds the label values of all segments that share it, cropped
to the voxels in use.  ``vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment`` scans that whole image
on every call and copies it to grow it, so a slice is written in place here.
"""

from typing import Optional, Tuple

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..geometry import matrixToArray

Extent = Tuple[int, int, int, int, int, int]


class LabelmapLayer:
    """One labelmap image; voxels are int arrays (n, 3) of (i, j, k), anywhere, inside the image or not.

    :param image: vtkOrientedImageData, possibly without voxels.
    :param ijkToLocal: (4, 4) lattice that an image without voxels gets when it is first written.
    """

    def __init__(self, image, ijkToLocal: Optional[np.ndarray] = None):
        self.image = image
        self.ijkToLocal = ijkToLocal if self.extent is None else imageLattice(image)

    @property
    def extent(self) -> Optional[Extent]:
        """Return (i0, i1, j0, j1, k0, k1) inclusive, None if the image has no voxels."""
        return imageExtent(self.image)

    def labels(self, voxels: np.ndarray) -> np.ndarray:
        """Label values (n,), 0 outside the image."""
        if self.extent is None:
            return np.zeros(len(voxels), np.uint8)
        inside = _isInside(voxels, self.extent)
        if inside.all():
            return self._flat()[self._offsets(voxels)]
        values = np.zeros(len(voxels), self._flat().dtype)
        values[inside] = self._flat()[self._offsets(voxels[inside])]
        return values

    def assign(self, voxels: np.ndarray, value: int) -> None:
        """Set voxels to a label value, growing the image where needed; tells nobody (``announce``)."""
        if not len(voxels):
            return
        self._cover(voxels)
        self._holdValue(value)
        self._flat()[self._offsets(voxels)] = value

    def block(self) -> np.ndarray:
        """Label values as a view (k, j, i) of the image's extent; (0, 0, 0) without voxels."""
        if self.extent is None:
            return np.zeros((0, 0, 0), np.uint8)
        low, high = _corners(self.extent)
        return self._flat().reshape((high - low + 1)[::-1])

    def labelsIn(self, low: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Label values (k, j, i) of a box of voxels from ``low`` (i, j, k), 0 outside the image."""
        labels = np.zeros(tuple(size[::-1]), np.uint8 if self.extent is None else self._flat().dtype)
        if self.extent is not None:
            first, last = _corners(self.extent)
            start, stop = np.maximum(low, first), np.minimum(low + size, last + 1)
            if (start < stop).all():
                labels[_box(start - low, stop - low)] = self.block()[_box(start - first, stop - first)]
        return labels

    def region(self, low: np.ndarray, size: np.ndarray, value: int) -> np.ndarray:
        """View (k, j, i) of a box of voxels, for writing ``value``; the image grows where needed."""
        self._cover(np.array([low, low + size - 1]))
        self._holdValue(value)
        first, _ = _corners(self.extent)
        return self.block()[_box(low - first, low + size - first)]

    def announce(self) -> None:
        """Tell Slicer that voxels have changed."""
        self.image.GetPointData().GetScalars().Modified()
        self.image.Modified()

    def _holdValue(self, value: int) -> None:
        if value > np.iinfo(self._flat().dtype).max:
            slicer.vtkOrientedImageDataResample.CastImageForValue(self.image, value)

    def _flat(self) -> np.ndarray:
        return vtk_to_numpy(self.image.GetPointData().GetScalars())

    def _offsets(self, voxels: np.ndarray) -> np.ndarray:
        low, high = _corners(self.extent)
        width, height, _ = high - low + 1
        # numpy 1 keeps an int32 array times a wider scalar in 32 bits, too few for a large volume.
        i, j, k = voxels.T.astype(np.int64)
        return ((k - low[2]) * height + (j - low[1])) * width + (i - low[0])

    def _cover(self, voxels: np.ndarray) -> None:
        low, high = voxels.min(axis=0), voxels.max(axis=0)
        if self.extent is not None:
            oldLow, oldHigh = _corners(self.extent)
            if (low >= oldLow).all() and (high <= oldHigh).all():
                return
            low, high = np.minimum(low, oldLow), np.maximum(high, oldHigh)
        self._grow(low, high)

    def _grow(self, low: np.ndarray, high: np.ndarray) -> None:
        scalarType = vtk.VTK_UNSIGNED_CHAR if self.extent is None else self.image.GetScalarType()
        grown = slicer.vtkOrientedImageData()
        grown.SetExtent(*(int(bound) for pair in zip(low, high) for bound in pair))
        grown.AllocateScalars(scalarType, 1)
        block = vtk_to_numpy(grown.GetPointData().GetScalars()).reshape((high - low + 1)[::-1])
        block[:] = 0
        if self.extent is not None:
            i, j, k = _corners(self.extent)[0] - low
            old = self.block()
            block[k : k + old.shape[0], j : j + old.shape[1], i : i + old.shape[2]] = old
        grown.SetImageToWorldMatrix(_vtkMatrix(self.ijkToLocal))
        # The image itself must stay: all segments of the layer hold it.
        self.image.ShallowCopy(grown)


def imageExtent(image) -> Optional[Extent]:
    """Extent of an image, None if it has no voxels."""
    extent = image.GetExtent()
    hasVoxels = extent[0] <= extent[1] and extent[2] <= extent[3] and extent[4] <= extent[5]
    return extent if hasVoxels else None


def imageLattice(image) -> np.ndarray:
    """Return (4, 4) from voxel indices of a vtkOrientedImageData to the coordinates of its segmentation,
    mm.
    """
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return matrixToArray(matrix)


def _isInside(voxels: np.ndarray, extent: Extent) -> np.ndarray:
    # One column after the other: a reduction over rows of three takes several times as long.
    inside = np.ones(len(voxels), bool)
    for indices, low, high in zip(voxels.T, extent[0::2], extent[1::2]):
        inside &= (indices >= low) & (indices <= high)
    return inside


def _corners(extent: Extent) -> Tuple[np.ndarray, np.ndarray]:
    return np.array(extent[0::2]), np.array(extent[1::2])


def _box(start: np.ndarray, stop: np.ndarray) -> Tuple[slice, ...]:
    """Selection in an array (k, j, i) from corners (i, j, k)."""
    return tuple(slice(int(a), int(b)) for a, b in zip(start[::-1], stop[::-1]))


def _vtkMatrix(array: np.ndarray):
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(array.ravel().tolist())
    return matrix
