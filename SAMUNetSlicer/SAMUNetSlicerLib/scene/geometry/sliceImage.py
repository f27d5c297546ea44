"""Extract the pixels of a volume on a slice plane."""

from typing import Optional, Tuple

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ...errors import InputError
from .plane import SlicePlane
from .volumeGeometry import dimensions, ijkToRAS

# A pixel this close to a voxel center (in voxels) is that voxel: the way there and back rounds in float64.
_ON_VOXEL = 1e-3

# VTK's interpolation takes positions this far outside the volume (in voxels) as rounding.
_BORDER = 2.0**-17


def extractSlice(volumeNode, plane: SlicePlane, interpolate: bool = True) -> np.ndarray:
    """Return the volume's values on the plane, row 0 at the top as displayed.

    :param interpolate: False takes the nearest voxel, as label maps need.
    :return: (H, W) in the volume's own type, or (H, W, 3) for a color volume (alpha is left out); a copy.
        Where the plane is a plane of voxels: those voxels, nothing else.  Elsewhere the linear interpolation
        that Slicer displays; pixels outside the volume hold its least value (``insideVolume`` tells).
    :raises InputError: no image, a number of components that is no color, or an unusable geometry.
    """
    voxels = voxelArray(volumeNode)
    planeToIJK = plane.planeToIJK(volumeNode)
    pixels = _voxelSlice(voxels, planeToIJK, plane.shape)
    if pixels is None:
        pixels = _resliced(volumeNode.GetImageData(), planeToIJK, plane.shape, interpolate)
    return np.ascontiguousarray(pixels[..., :3] if pixels.ndim == 3 else pixels)


def sliceValues(volumeNode, plane: SlicePlane) -> np.ndarray:
    """Return (H, W) float32: the volume's intensities on the plane, of colors their mean; see
    ``extractSlice``.
    """
    pixels = extractSlice(volumeNode, plane)
    return (pixels if pixels.ndim == 2 else pixels.mean(axis=2)).astype(np.float32)


def insideVolume(volumeNode, plane: SlicePlane) -> np.ndarray:
    """Return (H, W) bool: pixels whose center lies in a voxel, the outermost voxels' whole volume
    included.
    """
    planeToIJK = plane.planeToIJK(volumeNode)
    columns, rows = np.arange(plane.shape[1]), np.arange(plane.shape[0])[:, None]
    inside = np.ones(plane.shape, bool)
    for size, (stepX, stepY, _, start) in zip(dimensions(volumeNode), planeToIJK):
        position = stepX * columns + (stepY * rows + start)
        inside &= (position >= -0.5 - _BORDER) & (position <= size - 0.5 + _BORDER)
    return inside


def voxelArray(volumeNode) -> np.ndarray:
    """View (K, J, I), or (K, J, I, C) with 3 or 4 color components, of the volume's voxels.

    :raises InputError: no image, or its components are no color.
    """
    size = dimensions(volumeNode)
    scalars = volumeNode.GetImageData().GetPointData().GetScalars()
    components = scalars.GetNumberOfComponents() if scalars is not None else 0
    if components not in {1, 3, 4}:
        raise InputError(
            f"'{volumeNode.GetName()}' has {components} values per voxel: choose a volume with one value "
            "per voxel, or a color image."
        )
    shape = size[::-1] if components == 1 else (*size[::-1], components)
    return vtk_to_numpy(scalars).reshape(shape)


def displayWindow(volumeNode) -> Tuple[float, float]:
    """Return (lower, upper) intensities that the display shows as black and white; the data's range without
    one.
    """
    displayNode = volumeNode.GetDisplayNode()
    if displayNode is not None and displayNode.IsA("vtkMRMLScalarVolumeDisplayNode"):
        return displayNode.GetWindowLevelMin(), displayNode.GetWindowLevelMax()
    return _valueRange(volumeNode.GetImageData())


def valueRange(volumeNode) -> Tuple[float, float]:
    """Return (least, greatest) finite value of the volume, zeros if none is.

    :raises InputError: there is no image.
    """
    dimensions(volumeNode)
    return _valueRange(volumeNode.GetImageData())


def valueUnits(volumeNode) -> str:
    """Return the UCUM code of what the voxels hold, as Slicer's DICOM import notes it; "" if nothing is
    noted.
    """
    units = volumeNode.GetVoxelValueUnits() if volumeNode.IsA("vtkMRMLScalarVolumeNode") else None
    return "" if units is None else units.GetCodeValue() or ""


def volumeSignature(volumeNode) -> tuple:
    """Hashable state of a volume: it differs after any change of node, voxels, geometry or transform."""
    size, geometry = dimensions(volumeNode), tuple(ijkToRAS(volumeNode).ravel().tolist())
    return (volumeNode.GetID(), volumeNode.GetImageData().GetMTime(), size, geometry)


def _voxelSlice(voxels: np.ndarray, planeToIJK: np.ndarray, shape) -> Optional[np.ndarray]:
    """View (H, W[, C]) of the voxels, if every pixel is one."""
    exact = np.rint(planeToIJK[:3])
    height, width = shape
    corners = np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [0] * 4, [1] * 4])
    positions = exact @ corners
    size = np.array(voxels.shape[2::-1])[:, None]
    if np.abs(planeToIJK[:3] @ corners - positions).max() > _ON_VOXEL or (positions < 0).any():
        return None
    if (positions >= size).any() or not _stepsToNeighbors(exact[:, :2], shape):
        return None
    across, along = (int(np.argmax(np.abs(exact[:, n]))) for n in range(2))
    start, steps = exact[:, 3].astype(int), exact[:, :2].astype(int)
    selection = start.tolist()
    selection[across] = _span(start[across], steps[across, 0], width)
    selection[along] = _span(start[along], steps[along, 1], height)
    picked = voxels[tuple(selection[::-1])]
    return picked if along > across else picked.swapaxes(0, 1)


def _stepsToNeighbors(steps: np.ndarray, shape) -> bool:
    """Tell whether both pixel steps (3, 2) go to a neighboring voxel, along different axes."""
    lengths = np.abs(steps)
    return bool((lengths.sum(axis=0) == 1).all() and (lengths.sum(axis=1) <= 1).all())


def _span(start: int, step: int, count: int) -> slice:
    stop = start + step * count
    return slice(start, stop if stop >= 0 else None, step)


def _resliced(image, planeToIJK: np.ndarray, shape, interpolate: bool) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(planeToIJK.ravel().tolist())
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(image)
    reslice.SetResliceAxes(matrix)
    reslice.SetInterpolationMode(vtk.VTK_RESLICE_LINEAR if interpolate else vtk.VTK_RESLICE_NEAREST)
    reslice.SetBackgroundLevel(_valueRange(image)[0])
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, shape[1] - 1, 0, shape[0] - 1, 0, 0)
    reslice.Update()
    pixels = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
    return pixels.reshape(shape if pixels.ndim == 1 else (*shape, -1))


def _valueRange(image) -> Tuple[float, float]:
    """Return (least, greatest) finite value of the image, zeros if none is; VTK keeps it until the voxels
    change.
    """
    scalars = image.GetPointData().GetScalars()
    ranges = [scalars.GetFiniteRange(n) for n in range(scalars.GetNumberOfComponents())]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return (low, high) if low <= high else (0.0, 0.0)
