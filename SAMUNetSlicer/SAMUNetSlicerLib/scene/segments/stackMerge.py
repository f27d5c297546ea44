"""Write masks of many parallel slices into a segment at once.

Voxel by voxel, as one slice is written, a liver would take ten seconds.  Here all slices are laid into one
block of voxels first, and the block is compared with the labelmap in a few passes.  What other segments hold
is left to `voxelExchange`.
"""

from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ..geometry import (
    NO_VOXELS,
    SlicePlane,
    boxUnderMask,
    isAligned,
    mapPoints,
    parentToWorld,
    voxelsUnderMask,
)
from . import closedSurface
from .segmentChange import Change, SegmentEdit
from .segmentLayers import SegmentVoxels, sameLattice, sharedLayers
from .segments import markStarted
from .voxelExchange import announce, exchange, onLattice, overwritten, voxelsInside
from .voxelRuns import VoxelRuns

# Values of a block beside 0: to be taken from the segment, to be inside of it.
_OUTSIDE, _INSIDE = 1, 2

# Voxels that are written without a pause, about 15 ms.
_PART = 1_000_000

# Changes of more voxels are taken back as blocks.
_LARGE = 100_000


class StackMerge:
    """Slices of one segment on their way into the labelmap: ``gather`` first, then ``write``.

    Both may be interrupted anywhere between two values that they yield; nothing changes while gathering.

    :param kept: see `SegmentWriter.writeMasks`.
    """

    def __init__(
        self,
        segmentationNode,
        segmentId: str,
        slices: Sequence[Tuple[SlicePlane, np.ndarray]],
        volumeNode,
        kept: Sequence[SlicePlane] = (),
    ):
        self._node = segmentationNode
        self._segmentId = segmentId
        self._slices = slices
        self._volumeNode = volumeNode
        self._offsets = _offsets([*(plane for plane, _ in slices), *kept])
        self._low = np.zeros(3, int)
        self._block = np.zeros((0, 0, 0), np.uint8)

    def gather(self) -> Iterator[None]:
        """Lay the slices into a block; yields now and then."""
        target = SegmentVoxels(self._node, self._segmentId)
        lattice, extent = parentToWorld(self._node) @ target.ijkToLocal, target.layer.extent
        boxes = []
        for plane, mask in self._slices:
            boxes.append(boxUnderMask(plane, mask, lattice, extent))
            yield
        self._makeBlock([box for box in boxes if box is not None])
        for plane, mask in self._slices:
            voxels, covered = voxelsUnderMask(plane, mask, lattice, extent)
            if not isAligned(plane, lattice):
                own = _nearestTo(plane, voxels, lattice, self._offsets)
                voxels, covered = voxels[own], covered[own]
            covered[covered] = voxelsInside(voxels[covered], lattice, self._volumeNode)
            i, j, k = (voxels - self._low).T
            self._block[k, j, i] = np.where(covered, _INSIDE, np.where(target.holds(voxels), _OUTSIDE, 0))
            yield
        self._crop()
        yield

    def write(self, policy: str) -> Iterator[Optional[Change]]:
        """Put the block into the segment part by part, and tell the views at the end; yields what changed.

        :param policy: see `SegmentWriter.writeMask`.
        """
        if not self._block.any():
            return
        depth = max(1, _PART // self._block[0].size)
        target, hasChanged = SegmentVoxels(self._node, self._segmentId), False
        if (self._block == _INSIDE).any():  # grow the image once
            target.layer.region(self._low, np.array(self._block.shape[::-1]), target.label)
            yield None
        for start in range(0, len(self._block), depth):
            part, low = self._block[start : start + depth], self._low + np.array([0, 0, start])
            for change in _writeBlock(self._node, self._segmentId, low, part, policy):
                hasChanged = True
                yield change
        if hasChanged:
            markStarted(self._node, self._segmentId)
            announce(self._node, [self._segmentId])

    def _crop(self) -> None:
        """Keep the image from growing to where nothing is written."""
        used = [np.flatnonzero(self._block.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
        if len(used[0]):
            self._block = self._block[tuple(slice(indices[0], indices[-1] + 1) for indices in used)]
            self._low = self._low + [indices[0] for indices in used[::-1]]

    def _makeBlock(self, boxes: List[Tuple[np.ndarray, np.ndarray]]) -> None:
        if boxes:
            self._low = np.min([low for low, _ in boxes], axis=0)
            size = np.max([high for _, high in boxes], axis=0) - self._low + 1
            self._block = np.zeros(tuple(size[::-1]), np.uint8)


def isLarge(change: Change) -> bool:
    """Tell whether ``revertLarge`` is faster than going voxel by voxel."""
    return len(change.edits) == 1 and change.voxelCount > _LARGE and not len(change.edits[0].shared)


def revertLarge(segmentationNode, change: Change) -> Change:
    """Do what `SegmentWriter.revert` does for a change of one segment that shared nothing.

    :raises InputError: the geometry has changed since.
    """
    (edit,) = change.edits
    if segmentationNode.GetSegmentation().GetSegment(edit.segmentId) is None:
        return Change(change.segmentId, change.plane, ())
    onLattice(segmentationNode, edit)
    low, block = _blockOf([(edit.added, _OUTSIDE), (edit.removed, _INSIDE)])
    changes = list(_writeBlock(segmentationNode, edit.segmentId, low, block, "protectAll"))
    announce(segmentationNode, [edit.segmentId])
    edits = tuple(each for reverted in changes for each in reverted.edits)
    return Change(change.segmentId, change.plane, edits)


def _offsets(planes: Sequence[SlicePlane]) -> np.ndarray:
    """Return positions of parallel planes along the first one's normal, sorted, mm."""
    return np.sort([planes[0].normal @ plane.planeToRAS[:3, 3] for plane in planes])


def _nearestTo(plane: SlicePlane, voxels: np.ndarray, lattice: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return (n,) bool: voxels that are nearer to the plane than to any other one at the offsets."""
    own = int(np.abs(offsets - plane.normal @ plane.planeToRAS[:3, 3]).argmin())
    borders = (offsets[1:] + offsets[:-1]) / 2
    return np.searchsorted(borders, mapPoints(lattice, voxels) @ plane.normal) == own


def _blockOf(runs: Sequence[Tuple[VoxelRuns, int]]) -> Tuple[np.ndarray, np.ndarray]:
    """Return the first voxel (3,) of a block (K, J, I) around sets of voxels, and the block with their
    values.
    """
    extents = np.array([each.extent for each, _ in runs if len(each)]).reshape(-1, 3, 2)
    low, high = extents[..., 0].min(axis=0), extents[..., 1].max(axis=0)
    block = np.zeros(tuple((high - low + 1)[::-1]), np.uint8)
    for each, value in runs:
        if len(each):
            (i, j, k), (width, height, depth) = np.array(each.low) - low, each.size
            block[k : k + depth, j : j + height, i : i + width][each.block()] = value
    return low, block


def _writeBlock(
    segmentationNode, segmentId: str, low: np.ndarray, block: np.ndarray, policy: str
) -> Iterator[Change]:
    """Write a block of voxels from ``low`` (i, j, k); yields a change for what the segment alone holds, and
    one for what others hold too."""
    target, size = SegmentVoxels(segmentationNode, segmentId), np.array(block.shape[::-1])
    held = target.layer.labelsIn(low, size) == target.label
    gain, loss = (block == _INSIDE) & ~held, (block == _OUTSIDE) & held
    contested = _heldByOthers(segmentationNode, target, low, gain | loss)
    disputed = [(part & contested) for part in (gain, loss)]
    gain, loss = gain & ~contested, loss & ~contested
    if gain.any() or loss.any():
        closedSurface.suspendClosedSurface(segmentationNode)
        labels = target.layer.region(low, size, target.label)
        labels[gain], labels[loss] = target.label, 0
        runs = (VoxelRuns.fromBlock(low, part) for part in (gain, loss))
        nothing = VoxelRuns.fromVoxels(NO_VOXELS)
        yield Change(segmentId, None, (SegmentEdit(segmentId, target.ijkToLocal, *runs, nothing),))
    if disputed[1].any() or (disputed[0].any() and policy != "protectAll"):
        yield _settleDispute(segmentationNode, segmentId, *(_voxels(low, part) for part in disputed), policy)


def _heldByOthers(segmentationNode, target: SegmentVoxels, low: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return bool (K, J, I): those of the voxels asked for that another segment holds, in any layer."""
    held, size = np.zeros(asked.shape, bool), np.array(asked.shape[::-1])
    for shared in sharedLayers(segmentationNode):
        others = [label for label, segmentId in shared.segments.items() if segmentId != target.segmentId]
        if not others or shared.layer.extent is None:
            continue
        if sameLattice(shared.layer.ijkToLocal, target.ijkToLocal):
            held |= np.isin(shared.layer.labelsIn(low, size), others)
        else:
            voxels = _voxels(low, asked)
            held[asked] |= np.isin(shared.labelsAt(voxels, target.ijkToLocal), others)
    return held & asked


def _settleDispute(
    segmentationNode, segmentId: str, gain: np.ndarray, loss: np.ndarray, policy: str
) -> Change:
    target = SegmentVoxels(segmentationNode, segmentId)
    lost = overwritten(segmentationNode, target, gain) if policy == "protectLocked" else {}
    mayShare = {segmentId: gain} if policy == "allowOverlap" else {}
    edits = exchange(segmentationNode, {**lost, segmentId: loss}, {segmentId: gain}, mayShare)
    return Change(segmentId, None, edits)


def _voxels(low: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return (n, 3) of the voxels that are set, in the order of the block."""
    k, j, i = np.nonzero(block)
    return (np.column_stack([i, j, k]) + low).astype(np.int32)
