"""Measure segments on their volume."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from vtk.util.numpy_support import vtk_to_numpy

from ..geometry import dimensions, ijkToRAS, voxelSpacing
from .labelVolumes import layerSlices
from .segmentLayers import SharedLayer, requireSegment, sharedLayers
from .segmentShape import SegmentShape


@dataclass(frozen=True)
class Measurement:
    """Measurements of one segment.

    ``voxels``: voxels of the volume whose centers lie in the segment; ``volumeMl``: their volume in the
    world, parent transforms included; ``mean``, ``sd``: of their finite intensities, sd with n - 1 as in
    Slicer's Segment Statistics; None where there are too few, or on a color volume; ``extentsMm``: along the
    volume's I, J, K; ``diameterMm``: largest in 3D; both as in `SegmentShape`, None without voxels;
    ``slices``: along K.
    """

    segmentId: str
    name: str
    voxels: int
    volumeMl: float
    mean: Optional[float]
    sd: Optional[float]
    extentsMm: Optional[Tuple[float, float, float]]
    diameterMm: Optional[float]
    slices: int


class _Moments:
    """Counts, means and sums of squared deviations of label values, gathered slice by slice.

    Merged as Chan, Golub and LeVeque (1983): exact also where the mean is large against the deviation.
    """

    def __init__(self, labels: int):
        self.count, self.mean, self._squares = (np.zeros(labels) for _ in range(3))

    def add(self, labels: np.ndarray, values: np.ndarray) -> None:
        """Add voxels to the sums.

        :param labels: (n,) below the number of labels; ``values`` (n,) float64.
        """
        count = np.bincount(labels, minlength=len(self.count))
        mean = np.bincount(labels, values, len(self.count)) / np.maximum(count, 1)
        squares = np.bincount(labels, (values - mean[labels]) ** 2, len(self.count))
        share = count / np.maximum(self.count + count, 1)
        shift = mean - self.mean
        self._squares += squares + shift**2 * self.count * share
        self.mean += shift * share
        self.count += count

    def deviation(self, label: int) -> float:
        return float(np.sqrt(self._squares[label] / (self.count[label] - 1)))


def measureSegments(segmentationNode, volumeNode, segmentIds: Sequence[str]) -> List[Measurement]:
    """Measure segments, overlapping ones each in full.

    :raises InputError: the volume has no image, or a segment is gone.
    """
    names = {each: requireSegment(segmentationNode, each).GetName() for each in segmentIds}
    found: Dict[str, Measurement] = {}
    for shared in sharedLayers(segmentationNode):
        for measurement in _measureLayer(segmentationNode, volumeNode, shared, names):
            found[measurement.segmentId] = measurement
    return [found[segmentId] for segmentId in names]


def _measureLayer(segmentationNode, volumeNode, shared: SharedLayer, names: Dict[str, str]):
    size, matrix = dimensions(volumeNode), ijkToRAS(volumeNode)
    intensities = _intensities(volumeNode)
    labelCount = max(shared.segments) + 1
    voxels, moments = np.zeros(labelCount, np.int64), _Moments(labelCount)
    shapes = {label: SegmentShape() for label, segmentId in shared.segments.items() if segmentId in names}
    for k, labels in layerSlices(segmentationNode, shared, matrix, size):
        inside = (labels > 0) & (labels < labelCount)
        present = np.bincount(labels[inside], minlength=labelCount)
        voxels += present
        for label, shape in shapes.items():
            if present[label]:
                shape.add(k, labels == label)
        if intensities is not None:
            finite = inside & np.isfinite(intensities[k])
            moments.add(labels[finite], intensities[k][finite].astype(np.float64))
    voxelMl, spacing = abs(np.linalg.det(matrix[:3, :3])) / 1000, voxelSpacing(volumeNode)
    for label, shape in shapes.items():
        segmentId, count = shared.segments[label], int(voxels[label])
        yield Measurement(
            segmentId,
            names[segmentId],
            count,
            count * voxelMl,
            float(moments.mean[label]) if moments.count[label] else None,
            moments.deviation(label) if moments.count[label] > 1 else None,
            shape.extents(spacing),
            shape.largestDiameter(matrix),
            shape.slices,
        )


def _intensities(volumeNode) -> Optional[np.ndarray]:
    """Return (K, J, I) of a volume with one value per voxel, None for colors."""
    scalars = volumeNode.GetImageData().GetPointData().GetScalars()
    if scalars.GetNumberOfComponents() != 1:
        return None
    return vtk_to_numpy(scalars).reshape(dimensions(volumeNode)[::-1])
