"""Masks of slices into segments and back, without harming what other segments hold.

Only the voxels that change are touched.  A slice that coincides with the segmentation's own voxels is written
and read without any interpolation; any other slice is written as the slab of voxels that it shows.
"""

from dataclasses import replace
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
import slicer

from ..errors import InputError
from . import closedSurface
from .plane import SlicePlane
from .planeVoxels import NO_VOXELS, voxelsAtPixels, voxelsUnderMask
from .segmentChange import Change, SegmentEdit
from .segmentLayers import SegmentVoxels, ensureGeometry, isIn, sameLattice, sharedLayers
from .segments import isLocked, markStarted
from .volumeGeometry import dimensions, ijkToRAS, mapPoints, parentToWorld
from .voxelRuns import VoxelRuns

MODES = ("replace", "add", "subtract")
POLICIES = ("protectAll", "protectLocked", "allowOverlap")

_Voxels = Dict[str, np.ndarray]  # segment ID -> voxels (n, 3)


class SegmentWriter:
    """Writes and reads slices of segments of any segmentation in a scene.

    Not thread safe; call it where MRML may be called, on the main thread.
    """

    def __init__(self, scene):
        self._scene = scene

    def writeMask(
        self,
        segmentationNode,
        segmentId: str,
        plane: SlicePlane,
        mask: np.ndarray,
        volumeNode,
        mode: str = "replace",
        policy: str = "protectAll",
    ) -> Change:
        """Put a mask into a segment on one slice.

        A segmentation without a geometry gets that of the volume.  A closed surface is suspended (see
        ``closedSurface``).  Voxels outside the volume are never added.

        :param mask: (H, W) bool, pixels of the plane.
        :param volumeNode: the volume that the mask was made on.
        :param mode: "replace": on this slice the segment becomes the mask; "add"; "subtract".
        :param policy: what happens where the mask meets other segments. "protectAll": they keep their
            voxels; "protectLocked": locked ones keep theirs (``segments.setLocked``), others lose them;
            "allowOverlap": all keep theirs and the segment gets them too.
        :return: the difference, which ``revert`` takes back.
        :raises InputError: a node or the segment is gone, cannot be written, or the mask's shape is not the
            plane's.
        """
        change = self.writeMasks(segmentationNode, segmentId, [(plane, mask)], volumeNode, mode, policy)
        return replace(change, plane=plane)

    def writeMasks(
        self,
        segmentationNode,
        segmentId: str,
        slices: Sequence[Tuple[SlicePlane, np.ndarray]],
        volumeNode,
        mode: str = "replace",
        policy: str = "protectAll",
    ) -> Change:
        """Put the masks of parallel slices into a segment at once: views are told once.

        As ``writeMask`` for each of them, but a voxel that several slices cut, as oblique ones do, follows
        the slice that is nearest to it.

        :param slices: planes and their masks (H, W) bool.
        :return: the difference of them all, with no plane.
        :raises InputError: as ``writeMask``.
        """
        slices = [(plane, _checkedMask(mask, plane)) for plane, mask in slices]
        _require(mode, MODES, "mode")
        _require(policy, POLICIES, "overlap policy")
        self._requireNode(segmentationNode, "segmentation")
        self._requireNode(volumeNode, "volume")
        ensureGeometry(segmentationNode, volumeNode)
        target = SegmentVoxels(segmentationNode, segmentId)
        lattice = parentToWorld(segmentationNode) @ target.ijkToLocal
        extent = target.layer.extent if mode == "replace" else None
        offsets = _offsets([plane for plane, _ in slices])
        parts = [
            _sliceDifference(target, lattice, extent, plane, mask, mode, offsets) for plane, mask in slices
        ]
        added, removed = (np.concatenate([NO_VOXELS, *voxels]) for voxels in zip(*parts))
        added = added[_insideVolume(added, lattice, volumeNode)]
        lost = _overwritten(segmentationNode, target, added) if policy == "protectLocked" else {}
        mayShare = {segmentId: added} if policy == "allowOverlap" else {}
        edits = _apply(segmentationNode, {**lost, segmentId: removed}, {segmentId: added}, mayShare)
        if edits:
            markStarted(segmentationNode, segmentId)
        return Change(segmentId, None, edits)

    def readMask(self, segmentationNode, segmentId: str, plane: SlicePlane) -> np.ndarray:
        """The segment on a slice, (H, W) bool: each pixel as the voxel in which its center lies.

        :raises InputError: the segmentation or the segment is gone or cannot be read.
        """
        self._requireNode(segmentationNode, "segmentation")
        target = SegmentVoxels(segmentationNode, segmentId)
        if target.layer.extent is None:
            return np.zeros(plane.shape, bool)
        lattice = parentToWorld(segmentationNode) @ target.ijkToLocal
        return target.holds(voxelsAtPixels(plane, lattice)).reshape(plane.shape)

    def corners(self, segmentationNode, segmentId: str) -> Optional[np.ndarray]:
        """(8, 3) RAS around all voxels that a segment may have, None if it has none.

        :raises InputError: as ``readMask``.
        """
        self._requireNode(segmentationNode, "segmentation")
        target = SegmentVoxels(segmentationNode, segmentId)
        if target.layer.extent is None:
            return None
        borders = np.array(target.layer.extent).reshape(3, 2) + [-0.5, 0.5]
        indices = np.array(np.meshgrid(*borders)).reshape(3, -1).T
        return mapPoints(parentToWorld(segmentationNode) @ target.ijkToLocal, indices)

    def revert(self, segmentationNode, change: Change) -> Change:
        """Take a change back, but only where its result still stands.

        Voxels that were painted or erased by other means since then stay as they are, and so do the voxels
        that another segment has taken since.  Segments that are gone are passed over.

        :return: the difference made by reverting; reverting that one makes the change again.
        :raises InputError: the segmentation is gone, or its geometry has changed since.
        """
        self._requireNode(segmentationNode, "segmentation")
        segmentation = segmentationNode.GetSegmentation()
        edits = [edit for edit in change.edits if segmentation.GetSegment(edit.segmentId) is not None]
        removals, additions = {}, {}
        for edit in edits:
            target = _onLattice(segmentationNode, edit)
            added, removed = edit.added.voxels(), edit.removed.voxels()
            removals[edit.segmentId] = added[target.holds(added)]
            additions[edit.segmentId] = removed[~target.holds(removed)]
        mayShare = {edit.segmentId: edit.shared.voxels() for edit in edits}
        reverted = _apply(segmentationNode, removals, additions, mayShare)
        return Change(change.segmentId, change.plane, reverted)

    def _requireNode(self, node, kind: str) -> None:
        if node is None or not self._scene.IsNodePresent(node):
            raise InputError(f"The {kind} is no longer in the scene: choose another one.")


def _checkedMask(mask: np.ndarray, plane: SlicePlane) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.shape != plane.shape:
        raise InputError(f"The mask is {mask.shape}, but the slice has {plane.shape} pixels (rows, columns).")
    return mask.astype(bool, copy=False)


def _require(value: str, known: Tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InputError(f"'{value}' is not a known {what}: use {', '.join(known)}.")


def _offsets(planes: Sequence[SlicePlane]) -> np.ndarray:
    """Positions of parallel planes along the first one's normal, sorted, mm."""
    return np.sort([planes[0].normal @ plane.planeToRAS[:3, 3] for plane in planes])


def _sliceDifference(target, lattice, extent, plane, mask, mode, offsets) -> Tuple[np.ndarray, np.ndarray]:
    """Voxels to add and to remove on one of several slices."""
    voxels, covered = voxelsUnderMask(plane, mask, lattice, extent)
    if len(offsets) > 1:
        own = _nearestTo(plane, voxels, lattice, offsets)
        voxels, covered = voxels[own], covered[own]
    return _difference(target.holds(voxels), covered, voxels, mode)


def _nearestTo(plane: SlicePlane, voxels: np.ndarray, lattice: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(n,) bool: voxels that are nearer to the plane than to any other one at the offsets."""
    position = mapPoints(lattice, voxels) @ plane.normal
    own = int(np.abs(offsets - plane.normal @ plane.planeToRAS[:3, 3]).argmin())
    borders = (offsets[1:] + offsets[:-1]) / 2
    return np.searchsorted(borders, position) == own


def _difference(held, covered, voxels, mode: str) -> Tuple[np.ndarray, np.ndarray]:
    """Voxels to add and to remove."""
    if mode == "subtract":
        return NO_VOXELS, voxels[held & covered]
    added = voxels[covered & ~held]
    return added, voxels[held & ~covered] if mode == "replace" else NO_VOXELS


def _insideVolume(voxels: np.ndarray, lattice: np.ndarray, volumeNode) -> np.ndarray:
    indices = mapPoints(np.linalg.inv(ijkToRAS(volumeNode)) @ lattice, voxels)
    return ((indices >= -0.5) & (indices < np.array(dimensions(volumeNode)) - 0.5)).all(axis=1)


def _overwritten(segmentationNode, target: SegmentVoxels, added: np.ndarray) -> Dict[str, np.ndarray]:
    """What unlocked segments lose to the voxels that no locked segment holds."""
    lattice = target.ijkToLocal
    free = added[~_taken(segmentationNode, target, added, lambda other: isLocked(segmentationNode, other))]
    others = (SegmentVoxels(segmentationNode, other) for other in _met(segmentationNode, target, free))
    return {other.segmentId: other.under(free, lattice) for other in others}


def _taken(segmentationNode, target: SegmentVoxels, voxels: np.ndarray, isProtected) -> np.ndarray:
    """(n,) bool: voxels that another segment holds, of those for which ``isProtected(segmentId)``."""
    taken = np.zeros(len(voxels), bool)
    for shared in sharedLayers(segmentationNode):
        others = {label: other for label, other in shared.segments.items() if other != target.segmentId}
        labels = [label for label, other in others.items() if isProtected(other)]
        if labels:
            taken |= np.isin(shared.labelsAt(voxels, target.ijkToLocal), labels)
    return taken


def _met(segmentationNode, target: SegmentVoxels, voxels: np.ndarray) -> List[str]:
    """IDs of the other segments that hold any of the voxels."""
    met = []
    for shared in sharedLayers(segmentationNode):
        found = set(np.unique(shared.labelsAt(voxels, target.ijkToLocal)).tolist())
        met += [other for label, other in shared.segments.items() if label in found]
    return [other for other in met if other != target.segmentId]


def _onLattice(segmentationNode, edit: SegmentEdit) -> SegmentVoxels:
    target = SegmentVoxels(segmentationNode, edit.segmentId)
    if not sameLattice(target.ijkToLocal, edit.ijkToLocal):
        raise InputError(
            f"The geometry of '{segmentationNode.GetName()}' has changed: earlier steps cannot be undone."
        )
    return target


def _apply(
    segmentationNode, removals: _Voxels, additions: _Voxels, mayShare: _Voxels
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
    _announce(segmentationNode, [edit.segmentId for edit in edits])
    return edits


def _assign(segmentationNode, voxelsOf: _Voxels, assign: Callable) -> None:
    for segmentId, voxels in voxelsOf.items():
        if len(voxels):
            closedSurface.suspendClosedSurface(segmentationNode)
            assign(SegmentVoxels(segmentationNode, segmentId), voxels)


def _held(segmentationNode, segmentId: str, voxels: np.ndarray) -> np.ndarray:
    """Those of a segment's voxels that others hold."""
    target = SegmentVoxels(segmentationNode, segmentId)
    return voxels[_taken(segmentationNode, target, voxels, lambda other: True)]


def _makeRoom(segmentationNode, segmentId: str, voxels: np.ndarray) -> None:
    """Give a segment a layer of its own if another one in its layer holds any of the voxels."""
    if (SegmentVoxels(segmentationNode, segmentId).layer.labels(voxels) != 0).any():
        segmentationNode.GetSegmentation().SeparateSegmentLabelmap(segmentId)


def _announce(segmentationNode, segmentIds: List[str]) -> None:
    """One event for each layer, so that views update once, then one for each segment."""
    segmentation = segmentationNode.GetSegmentation()
    layers = {}
    for segmentId in segmentIds:
        layer = SegmentVoxels(segmentationNode, segmentId).layer
        layers[layer.image] = layer
    for layer in layers.values():
        layer.announce()
    for segmentId in segmentIds:
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified, segmentId)
