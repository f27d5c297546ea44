"""Verify an exported file by reading it back with another library.

What SimpleITK wrote is read by Slicer's own reader, what Slicer wrote is read by SimpleITK.
"""

from contextlib import contextmanager
from pathlib import Path
from typing import Dict, NoReturn, Tuple

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ...errors import OutputError
from ..geometry import mapPoints, matrixToArray, parentToWorld
from ..segments import SharedLayer, layerSlices, sharedLayers

# Corners of the image may be this part of a voxel off: what the float32 header of a NIfTI file leaves.
_PLACE_TOLERANCE = 0.01

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def checkLabelmap(path: Path, labels: np.ndarray, ijkToRAS: np.ndarray) -> None:
    """Compare a label file with labels (K, J, I) and their place, (4, 4) to mm.

    :raises OutputError: it cannot be read, or differs in any voxel, or by more than 1 % of a voxel in place.
    """
    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLLabelMapVolumeNode(), slicer.vtkMRMLVolumeArchetypeStorageNode()
    for each in (node, storage):
        scene.AddNode(each)
    storage.SetFileName(str(path))
    with quiet():
        isRead = storage.ReadData(node)
    image = node.GetImageData() if isRead else None
    if image is None or image.GetNumberOfPoints() != labels.size:
        _fail("it cannot be read back")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    toFile = np.linalg.inv(matrixToArray(matrix)) @ ijkToRAS
    _checkPlace(toFile, labels.shape[::-1])
    found = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    if not np.array_equal(_reordered(found.T, np.rint(toFile[:3, :3])), labels.T):
        _fail("the file holds other voxels than were written")


def checkSegmentation(path: Path, segmentationNode) -> None:
    """Compare a .seg.nrrd file with the segmentation, segment by segment and voxel by voxel.

    :raises OutputError: it cannot be read, or differs.
    """
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        _fail("it cannot be read back")
    voxels = sitk.GetArrayViewFromImage(image)
    voxels = voxels[..., None] if voxels.ndim == 3 else voxels
    stored = _storedSegments(image)
    for shared in sharedLayers(segmentationNode):
        _checkLayer(segmentationNode, shared, _gridOf(image), voxels, stored)


def _checkLayer(segmentationNode, shared: SharedLayer, grid: np.ndarray, voxels: np.ndarray, stored) -> None:
    """Slice by slice, as whole volumes of each segment would take much memory."""
    missing = [each for each in shared.segments.values() if each not in stored]
    if missing:
        _fail(f"the file lacks the segment '{missing[0]}'")
    named, tables = _labelTables(shared, stored)
    onGrid = 0
    gridToRAS = parentToWorld(segmentationNode) @ grid
    for k, labels in layerSlices(segmentationNode, shared, gridToRAS, voxels.shape[2::-1]):
        inScene = _mapped(named, labels)
        inFile = np.max([_mapped(table, voxels[k, ..., layer]) for layer, table in tables.items()], axis=0)
        onGrid += np.count_nonzero(inScene)
        if not np.array_equal(inFile, inScene):
            _fail("the file holds other voxels than the segmentation")
    inAll = _count(named, shared.layer.block())
    if not onGrid == inAll == sum(_count(table, voxels[..., layer]) for layer, table in tables.items()):
        _fail("the file holds other voxels than the segmentation")


def _labelTables(shared: SharedLayer, stored) -> Tuple[np.ndarray, Dict[int, np.ndarray]]:
    """Return, for ``_mapped``, what keeps segments and clears all else: for the scene, and by layer of the
    file.
    """
    most = max(value for _, value in stored.values())
    named = np.zeros(max(shared.segments) + 2, np.int32)
    tables: Dict[int, np.ndarray] = {}
    for label, segmentId in shared.segments.items():
        layer, value = stored[segmentId]
        named[label] = label
        tables.setdefault(layer, np.zeros(most + 2, np.int32))[value] = label
    return named, tables


def _mapped(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the table's entries; the last one, 0, stands for all values beyond it."""
    return table[np.minimum(values, len(table) - 1)]


def _count(table: np.ndarray, voxels: np.ndarray) -> int:
    return sum(np.count_nonzero(_mapped(table, each)) for each in voxels)


def _storedSegments(image) -> Dict[str, Tuple[int, int]]:
    """Return layer and label value of each segment ID in a .seg.nrrd file."""
    stored = {}
    for key in image.GetMetaDataKeys():
        if key.startswith("Segment") and key.endswith("_ID"):
            prefix = key[: -len("ID")]
            layer, value = (int(image.GetMetaData(prefix + name)) for name in ("Layer", "LabelValue"))
            stored[image.GetMetaData(key)] = (layer, value)
    return stored


def _gridOf(image) -> np.ndarray:
    """Return (4, 4) from voxel indices of a SimpleITK image to RAS."""
    grid = np.eye(4)
    grid[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    grid[:3, 3] = image.GetOrigin()
    return LPS_TO_RAS @ grid


def _checkPlace(toFile: np.ndarray, size: Tuple[int, int, int]) -> None:
    """Check that voxels lie on voxels; which way the file counts them is its own affair."""
    corners = np.array(np.meshgrid(*[(0, count - 1) for count in size])).reshape(3, -1).T
    indices = mapPoints(toFile, corners)
    isPermutation = (np.abs(np.rint(toFile[:3, :3])).sum(axis=0) == 1).all()
    if not isPermutation or np.abs(indices - np.rint(indices)).max() > _PLACE_TOLERANCE:
        _fail("this format cannot hold the volume's voxel axes, export as .nrrd instead")


def _reordered(found: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return an array in the order of our own indices: Slicer's reader turns left-handed volumes
    right-handed.
    """
    ours = found.transpose(np.argmax(np.abs(steps), axis=0))
    isBackwards = steps.sum(axis=0) < 0
    return np.flip(ours, np.flatnonzero(isBackwards))


@contextmanager
def quiet():
    """Keep VTK's messages away: a damaged file is reported by our own sentence."""
    window = vtk.vtkOutputWindow.GetInstance()
    wasOn, mode = vtk.vtkObject.GetGlobalWarningDisplay(), window.GetDisplayMode()
    vtk.vtkObject.GlobalWarningDisplayOff()
    window.SetDisplayModeToNever()  # infos, which would stand between a command's results
    try:
        yield
    finally:
        window.SetDisplayMode(mode)
        vtk.vtkObject.SetGlobalWarningDisplay(wasOn)


def _fail(reason: str) -> NoReturn:
    raise OutputError(f"The export was given up: {reason}.")
