"""Give voxels to segments and take them away, with every other segment kept whole."""

from typing import Callable, Dict, List, Tuple

import numpy as np
import slicer

from ...errors import InputError
from ..geometry import NO_VOXELS, dimensions, ijkToRAS, mapPoints
from . import closedSurface
from .segmentChange import SegmentEdit
from .segmentLayers import SegmentVoxels, isIn, sameLattice, sharedLayers
from .segments import isLocked
from .voxelRuns import VoxelRuns

Voxels = Dict[str, np.ndarray]  # segment ID -> voxels (n, 3)


def onLattice(segmentationNode, edit: SegmentEdit) -> SegmentVoxels:
    """Return the segment of an edit.

    :raises InputError: its voxels are no longer those of the edit.
    """
    target = SegmentVoxels(segmentationNode, edit.segmentId)
    if not sameLattice(target.ijkToLocal, edit.ijkToLocal):
        raise InputError(
            f"The geometry of '{segmentationNode.GetName()}' has changed: earlier steps cannot be undone."
        )
    return target


def voxelsInside(voxels: np.ndarray, lattice: np.ndarray, volumeNode) -> np.ndarray:
    """Return (n,) bool: voxels of a lattice (4, 4) whose centers lie in the volume."""
    indices = mapPoints(np.linalg.inv(ijkToRAS(volumeNode)) @ lattice, voxels)
    return ((indices >= -0.5) & (indices < np.array(dimensions(volumeNode)) - 0.5)).all(axis=1)


def overwritten(segmentationNode, target: SegmentVoxels, added: np.ndarray) -> Dict[str, np.ndarray]:
    """Return what unlocked segments lose to the voxels that no locked segment holds."""
    lattice = target.ijkToLocal
    free = added[~_taken(segmentationNode, target, added, lambda other: isLocked(segmentationNode, other))]
    others = (SegmentVoxels(segmentationNode, other) for other in _met(segmentationNode, target, free))
    return {other.segmentId: other.under(free, lattice) for other in others}


def _taken(segmentationNode, target: SegmentVoxels, voxels: np.ndarray, isProtected) -> np.ndarray:
    """Return (n,) bool: voxels that another segment holds, of those for which ``isProtected(segmentId)``."""
    taken = np.zeros(len(voxels), bool)
    for shared in sharedLayers(segmentationNode):
        others = {label: other for label, other in shared.segments.items() if other != target.segmentId}
        labels = [label for label, other in others.items() if isProtected(other)]
        if labels:
            taken |= np.isin(shared.labelsAt(voxels, target.ijkToLocal), labels)
    return taken


def _met(segmentationNode, target: SegmentVoxels, voxels: np.ndarray) -> List[str]:
    """Return IDs of the other segments that hold any of the voxels."""
    met = []
    for shared in sharedLayers(segmentationNode):
        found = set(np.unique(shared.labelsAt(voxels, target.ijkToLocal)).tolist())
        met += [other for label, other in shared.segments.items() if label in found]
    return [other for other in met if other != target.segmentId]


def exchange(
    segmentationNode, removals: Voxels, additions: Voxels, mayShare: Voxels
) -> Tuple[SegmentEdit, ...]:
    """Clear voxels of segments, then add those that nobody else holds, or that the segment may share."""
    shared = {each: _held(segmentationNode, each, voxels) for each, voxels in removals.items()}
    _assign(segmentationNode, removals, SegmentVoxels.remove)
    for segmentId, voxels in additions.items():
        taken = _held(segmentationNode, segmentId, voxels)
        blocked = taken[~isIn(taken, mayShare.get(segmentId, NO_VOXELS))]
        additions[segmentId] = voxels[~isIn(voxels, blocked)]
    for segmentId, voxels in additions.items():
        _makeRoom(segmentationNode, segmentId, voxels)
        _assign(segmentationNode, {segmentId: voxels}, SegmentVoxels.add)
    edits = [
        SegmentEdit(
            segmentId,
            SegmentVoxels(segmentationNode, segmentId).ijkToLocal,
            *(VoxelRuns.fromVoxels(of.get(segmentId, NO_VOXELS)) for of in (additions, removals, shared)),
        )
        for segmentId in {**removals, **additions}
    ]
    edits = tuple(edit for edit in edits if len(edit.added) or len(edit.removed))
    announce(segmentationNode, [edit.segmentId for edit in edits])
    return edits


def _assign(segmentationNode, voxelsOf: Voxels, assign: Callable) -> None:
    for segmentId, voxels in voxelsOf.items():
        if len(voxels):
            closedSurface.suspendClosedSurface(segmentationNode)
            assign(SegmentVoxels(segmentationNode, segmentId), voxels)


def _held(segmentationNode, segmentId: str, voxels: np.ndarray) -> np.ndarray:
    """Return those of a segment's voxels that others hold."""
    target = SegmentVoxels(segmentationNode, segmentId)
    return voxels[_taken(segmentationNode, target, voxels, lambda other: True)]


def _makeRoom(segmentationNode, segmentId: str, voxels: np.ndarray) -> None:
    """Give a segment a layer of its own if another one in its layer holds any of the voxels."""
    if (SegmentVoxels(segmentationNode, segmentId).layer.labels(voxels) != 0).any():
        segmentationNode.GetSegmentation().SeparateSegmentLabelmap(segmentId)


def announce(segmentationNode, segmentIds: List[str]) -> None:
    """Send one event for each layer, so that views update once, then one for each segment."""
    segmentation = segmentationNode.GetSegmentation()
    layers = {}
    for segmentId in segmentIds:
        layer = SegmentVoxels(segmentationNode, segmentId).layer
        layers[layer.image] = layer
    for layer in layers.values():
        layer.announce()
    for segmentId in segmentIds:
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified, segmentId)
