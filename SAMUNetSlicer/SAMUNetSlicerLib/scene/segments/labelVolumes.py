"""Resample segments to the voxel grid of a volume, whatever grid they were drawn on."""

from typing import Dict, Iterator, NamedTuple, Sequence, Tuple

import numpy as np

from ..geometry import (
    SlicePlane,
    alignedPixels,
    dimensions,
    ijkToRAS,
    isAligned,
    mapPoints,
    parentToWorld,
    voxelsAtPixels,
)
from .labelmapLayer import LabelmapLayer
from .segmentLayers import SharedLayer, sharedLayers


class LabelVolume(NamedTuple):
    """Labels on the grid of a volume.

    ``labels``: (K, J, I) uint8 or uint16, 0 where there is no segment; ``values``: segment ID -> label;
    ``overlap``: voxels that several segments hold, of which the last in the list is kept.
    """

    labels: np.ndarray
    values: Dict[str, int]
    overlap: int


def labelVolume(segmentationNode, volumeNode, segmentIds: Sequence[str]) -> LabelVolume:
    """Return segments as labels 1, 2, ... in the order given, each voxel by its center.

    :raises InputError: the volume has no image or a non-linear transform.
    """
    values = {segmentId: number for number, segmentId in enumerate(segmentIds, 1)}
    size, matrix = dimensions(volumeNode), ijkToRAS(volumeNode)
    labels = np.zeros(size[::-1], np.uint8 if len(values) < 256 else np.uint16)
    overlap = 0
    for shared in sharedLayers(segmentationNode):
        table = _table(shared.segments, values, labels.dtype)
        for k, found in layerSlices(segmentationNode, shared, matrix, size):
            new = table[np.minimum(found, len(table) - 1)]
            overlap += np.count_nonzero((labels[k] > 0) & (new > 0))
            np.maximum(labels[k], new, out=labels[k])
    return LabelVolume(labels, values, overlap)


def layerSlices(
    segmentationNode, shared: SharedLayer, gridToRAS: np.ndarray, size: Tuple[int, int, int]
) -> Iterator[Tuple[int, np.ndarray]]:
    """Yield pairs of k and label values (J, I) of a layer, for the slices K of a grid that it reaches.

    :param gridToRAS: (4, 4) from indices of the grid to the world; ``size``: its (I, J, K).
    """
    if shared.layer.extent is None:
        return
    lattice = parentToWorld(segmentationNode) @ shared.layer.ijkToLocal
    thickness = float(np.linalg.norm(gridToRAS[:3, 2]))
    for k in _slicesReached(shared.layer.extent, np.linalg.inv(gridToRAS) @ lattice, size[2]):
        placement = gridToRAS.copy()
        placement[:3, 3] = mapPoints(gridToRAS, [0, 0, k])[0]
        plane = SlicePlane(placement, (size[1], size[0]), None, None, thickness)
        yield k, labelsOnPlane(segmentationNode, shared.layer, plane)


def labelsOnPlane(segmentationNode, layer: LabelmapLayer, plane: SlicePlane) -> np.ndarray:
    """Label values (H, W) of a layer: each pixel as the voxel in which its center lies."""
    if layer.extent is None:
        return np.zeros(plane.shape, np.uint8)
    lattice = parentToWorld(segmentationNode) @ layer.ijkToLocal
    if isAligned(plane, lattice):
        return alignedPixels(plane, lattice, layer.labelsIn)
    return layer.labels(voxelsAtPixels(plane, lattice)).reshape(plane.shape)


def _slicesReached(extent: Tuple[int, ...], toGrid: np.ndarray, count: int) -> range:
    bounds = [(low - 0.5, high + 0.5) for low, high in zip(extent[0::2], extent[1::2])]
    across = mapPoints(toGrid, np.array(np.meshgrid(*bounds)).reshape(3, -1).T)[:, 2]
    return range(max(int(np.ceil(across.min())), 0), min(int(np.floor(across.max())) + 1, count))


def _table(segments: Dict[int, str], values: Dict[str, int], dtype) -> np.ndarray:
    """Label value in the layer -> label; the last entry is 0, for values that belong to no segment."""
    table = np.zeros(max(segments) + 2, dtype)
    for label, segmentId in segments.items():
        table[label] = values.get(segmentId, 0)
    return table
