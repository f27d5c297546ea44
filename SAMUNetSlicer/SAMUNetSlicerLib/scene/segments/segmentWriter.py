"""Write masks of slices into segments and read them back, without harming other segments.

Only the voxels that change are touched.  A slice that coincides with the segmentation's own voxels is written
and read without any interpolation; any other slice is written as the slab of voxels that it shows.
"""

from typing import Iterator, Optional, Sequence, Tuple

import numpy as np

from ...errors import InputError
from ..geometry import NO_VOXELS, SlicePlane, mapPoints, parentToWorld, voxelsUnderMask
from .labelVolumes import labelsOnPlane
from .segmentChange import Change
from .segmentLayers import SegmentVoxels, ensureGeometry
from .segments import markStarted
from .stackMerge import StackMerge, isLarge, revertLarge
from .voxelExchange import Voxels, exchange, onLattice, overwritten, voxelsInside

MODES = ("replace", "add", "subtract")
POLICIES = ("protectAll", "protectLocked", "allowOverlap")


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
        mask = _checkedMask(mask, plane)
        _require(mode, MODES, "mode")
        _require(policy, POLICIES, "overlap policy")
        self._requireNode(segmentationNode, "segmentation")
        self._requireNode(volumeNode, "volume")
        ensureGeometry(segmentationNode, volumeNode)
        target = SegmentVoxels(segmentationNode, segmentId)
        lattice = parentToWorld(segmentationNode) @ target.ijkToLocal
        extent = target.layer.extent if mode == "replace" else None
        voxels, covered = voxelsUnderMask(plane, mask, lattice, extent)
        added, removed = _difference(target.holds(voxels), covered, voxels, mode)
        added = added[voxelsInside(added, lattice, volumeNode)]
        lost = overwritten(segmentationNode, target, added) if policy == "protectLocked" else {}
        mayShare = {segmentId: added} if policy == "allowOverlap" else {}
        edits = exchange(segmentationNode, {**lost, segmentId: removed}, {segmentId: added}, mayShare)
        if edits:
            markStarted(segmentationNode, segmentId)
        return Change(segmentId, plane, edits)

    def writeMasks(
        self,
        segmentationNode,
        segmentId: str,
        slices: Sequence[Tuple[SlicePlane, np.ndarray]],
        volumeNode,
        policy: str = "protectAll",
        kept: Sequence[SlicePlane] = (),
    ) -> Iterator[Optional[Change]]:
        """Replace parallel slices of a segment at once; views are told once.

        As ``writeMask`` for each slice, but a voxel that several slices cut, as oblique ones do, follows the
        nearest of them.

        :param slices: planes, and their masks (H, W) bool.
        :param kept: further slices parallel to them, whose voxels stay as they are.
        :return: to be iterated to its end by the caller, who may do other things in between: None while
            the slices are gathered and nothing has changed yet, then the changes one after the other.
        :raises InputError: as ``writeMask``, when the iteration begins.
        """
        slices = [(plane, _checkedMask(mask, plane)) for plane, mask in slices]
        _require(policy, POLICIES, "overlap policy")
        self._requireNode(segmentationNode, "segmentation")
        self._requireNode(volumeNode, "volume")
        ensureGeometry(segmentationNode, volumeNode)
        merge = StackMerge(segmentationNode, segmentId, slices, volumeNode, kept)
        for _ in merge.gather():
            yield None
        yield from merge.write(policy)

    def readMask(self, segmentationNode, segmentId: str, plane: SlicePlane) -> np.ndarray:
        """Read the segment on a slice, (H, W) bool: each pixel as the voxel in which its center lies.

        :raises InputError: the segmentation or the segment is gone or cannot be read.
        """
        self._requireNode(segmentationNode, "segmentation")
        target = SegmentVoxels(segmentationNode, segmentId)
        return labelsOnPlane(segmentationNode, target.layer, plane) == target.label

    def corners(self, segmentationNode, segmentId: str) -> Optional[np.ndarray]:
        """Return (8, 3) RAS around all voxels that a segment may have, None if it has none.

        :raises InputError: as ``readMask``.
        """
        self._requireNode(segmentationNode, "segmentation")
        target = SegmentVoxels(segmentationNode, segmentId)
        if target.layer.extent is None:
            return None
        borders = np.array(target.layer.extent).reshape(3, 2) + np.array([-0.5, 0.5])
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
        if isLarge(change):
            return revertLarge(segmentationNode, change)
        segmentation = segmentationNode.GetSegmentation()
        edits = [edit for edit in change.edits if segmentation.GetSegment(edit.segmentId) is not None]
        removals, additions, mayShare = {}, {}, {}
        for edit in edits:
            target = onLattice(segmentationNode, edit)
            added, removed = edit.added.voxels(), edit.removed.voxels()
            _extend(removals, edit.segmentId, added[target.holds(added)])
            _extend(additions, edit.segmentId, removed[~target.holds(removed)])
            _extend(mayShare, edit.segmentId, edit.shared.voxels())
        reverted = exchange(segmentationNode, removals, additions, mayShare)
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


def _difference(held, covered, voxels, mode: str) -> Tuple[np.ndarray, np.ndarray]:
    """Return voxels to add and to remove."""
    if mode == "subtract":
        return NO_VOXELS, voxels[held & covered]
    added = voxels[covered & ~held]
    return added, voxels[held & ~covered] if mode == "replace" else NO_VOXELS


def _extend(voxelsOf: Voxels, segmentId: str, voxels: np.ndarray) -> None:
    voxelsOf[segmentId] = np.concatenate([voxelsOf.get(segmentId, NO_VOXELS), voxels])
