"""Map the segments of a segmentation to the labelmap layers that they share."""

from typing import Dict, Iterator, NamedTuple, Optional, Tuple

import numpy as np
import slicer

from ...errors import InputError
from ..geometry import NO_VOXELS, mapPoints
from .labelmapLayer import LabelmapLayer, imageExtent, imageLattice

# Two lattices are one if no matrix element differs by more, in mm: what float32 file headers leave.
_LATTICE_TOLERANCE = 1e-4


class SharedLayer(NamedTuple):
    """A layer and its segments: label value -> segment ID."""

    layer: LabelmapLayer
    segments: Dict[int, str]

    def labelsAt(self, voxels: np.ndarray, lattice: np.ndarray) -> np.ndarray:
        """Label values (n,) where voxels (n, 3) of any lattice (4, 4) have their centers."""
        if self.layer.extent is None or sameLattice(lattice, self.layer.ijkToLocal):
            return self.layer.labels(voxels)
        return self.layer.labels(_nearest(voxels, lattice, self.layer.ijkToLocal))


class SegmentVoxels:
    """The voxels of one segment inside the layer that it may share with others.

    :raises InputError: the segment is gone, or the segmentation does not hold labelmaps.
    """

    def __init__(self, segmentationNode, segmentId: str):
        self.segmentId = segmentId
        self.label = requireSegment(segmentationNode, segmentId).GetLabelValue()
        image = segmentationNode.GetBinaryLabelmapInternalRepresentation(segmentId)
        self.layer = LabelmapLayer(image, _latticeOfNewLayers(segmentationNode))

    @property
    def ijkToLocal(self) -> np.ndarray:
        """Return (4, 4) from this segment's voxel indices to the coordinates of the segmentation node."""
        return self.layer.ijkToLocal

    @property
    def isEmpty(self) -> bool:
        return self.layer.extent is None or not (self.layer.block() == self.label).any()

    def holds(self, voxels: np.ndarray) -> np.ndarray:
        """Return (n,) bool: which voxels (n, 3) belong to the segment."""
        return self.layer.labels(voxels) == self.label

    def add(self, voxels: np.ndarray) -> None:
        self.layer.assign(voxels, self.label)

    def remove(self, voxels: np.ndarray) -> None:
        """Clear voxels that belong to the segment."""
        self.layer.assign(voxels, 0)

    def under(self, voxels: np.ndarray, lattice: np.ndarray) -> np.ndarray:
        """Return the segment's own voxels (m, 3) that share a center with voxels (n, 3) of any lattice (4,
        4).
        """
        if sameLattice(lattice, self.ijkToLocal):
            return voxels[self.holds(voxels)]
        around = _nearest(voxels, lattice, self.ijkToLocal)
        own = self.all()
        inside = own[isIn(_nearest(own, self.ijkToLocal, lattice), voxels)]
        return np.unique(np.concatenate([inside, around[self.holds(around)]]), axis=0)

    def all(self) -> np.ndarray:
        """Return all voxels (n, 3) of the segment."""
        if self.layer.extent is None:
            return NO_VOXELS
        k, j, i = np.nonzero(self.layer.block() == self.label)
        return (np.column_stack([i, j, k]) + np.array(self.layer.extent[0::2])).astype(np.int32)


def requireSegment(segmentationNode, segmentId: str):
    """Return the vtkSegment of an ID.

    :raises InputError: it is gone, or the segmentation does not hold labelmaps.
    """
    segmentation = segmentationNode.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    if segment is None:
        raise InputError(
            f"The segment '{segmentId}' is no longer in '{segmentationNode.GetName()}': choose another one."
        )
    source = segmentation.GetSourceRepresentationName()
    if source != slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName():
        raise InputError(
            f"'{segmentationNode.GetName()}' is stored as {source.lower()}: "
            "make its binary labelmap the source representation in the Segmentations module first."
        )
    return segment


def sharedLayers(segmentationNode) -> Iterator[SharedLayer]:
    """Return all layers of a segmentation."""
    segmentation = segmentationNode.GetSegmentation()
    for number in range(segmentation.GetNumberOfLayers()):
        ids = segmentation.GetSegmentIDsForLayer(number)
        segments = {segmentation.GetSegment(segmentId).GetLabelValue(): segmentId for segmentId in ids}
        image = segmentation.GetLayerDataObject(number)
        yield SharedLayer(LabelmapLayer(image, _latticeOfNewLayers(segmentationNode)), segments)


def sameLattice(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether voxel indices of one lattice (4, 4) mean the same voxels in the other."""
    return bool(np.abs(a - b).max() <= _LATTICE_TOLERANCE)


def ensureGeometry(segmentationNode, volumeNode) -> None:
    """Give a segmentation that has no geometry yet that of the volume."""
    if _latticeOfNewLayers(segmentationNode) is None:
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)


def referenceGeometry(segmentationNode) -> Optional[Tuple[np.ndarray, Tuple[int, ...]]]:
    """Lattice (4, 4) to the node's coordinates and extent of the reference image, None if there is none."""
    converter = slicer.vtkSegmentationConverter
    name = converter.GetReferenceImageGeometryParameterName()
    text = segmentationNode.GetSegmentation().GetConversionParameter(name)
    image = slicer.vtkOrientedImageData()
    if not text or not converter.DeserializeImageGeometry(text, image, False):
        return None
    return imageLattice(image), image.GetExtent()


def _latticeOfNewLayers(segmentationNode) -> Optional[np.ndarray]:
    geometry = referenceGeometry(segmentationNode)
    if geometry is not None:
        return geometry[0]
    segmentation = segmentationNode.GetSegmentation()
    images = map(segmentation.GetLayerDataObject, range(segmentation.GetNumberOfLayers()))
    return next((imageLattice(image) for image in images if imageExtent(image) is not None), None)


def _nearest(voxels: np.ndarray, lattice: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.floor(mapPoints(np.linalg.inv(other) @ lattice, voxels) + 0.5).astype(np.int32)


def isIn(voxels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return (n,) bool: which voxels (n, 3) are among the others (m, 3)."""
    if not len(voxels) or not len(others):
        return np.zeros(len(voxels), bool)
    low, size = others.min(axis=0), np.ptp(others, axis=0) + 1
    inBox = ((voxels >= low) & (voxels < low + size)).all(axis=1)
    found = np.zeros(len(voxels), bool)
    numbers = np.ravel_multi_index((others - low).T, size)
    found[inBox] = np.isin(np.ravel_multi_index((voxels[inBox] - low).T, size), numbers)
    return found
