"""Find the slices of a segment that a propagation starts from and leaves as they are."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np

from ...scene.geometry import PlaneStack, SlicePlane
from ..session import SliceRecord, Target, Workspace

_DECIMALS = 6  # of positions in slices: keeps rounding from moving a pixel to the next slice


@dataclass(frozen=True, eq=False)
class KeySlice:
    """Slice that a propagation starts from.

    ``mask`` (H, W) bool: the segment there; ``isPrompted``: by points or boxes, else painted by hand.

    An empty mask is one that the user has erased: nothing goes on beyond it.
    """

    plane: SlicePlane
    mask: np.ndarray
    isPrompted: bool


def stackOf(workspace: Workspace, segmentId: str, shown: Optional[SlicePlane]) -> Optional[PlaneStack]:
    """Return the stack to go along: of the shown slice if prompts have its orientation, else of the last
    prompts.

    :return: None if there is neither a prompt nor a shown slice.
    """
    prompted = _promptedPlanes(workspace, segmentId)
    volumeNode = workspace.requireVolume()
    if shown is not None:
        stack = PlaneStack(shown, volumeNode)
        if not prompted or any(stack.stepOf(plane) is not None for plane in prompted):
            return stack
    return PlaneStack(prompted[-1], volumeNode) if prompted else None


def findKeySlices(
    workspace: Workspace, segmentId: str, stack: PlaneStack, found: Dict[int, KeySlice]
) -> Iterator[None]:
    """Look for key slices, adding them to ``found`` by their steps; yields after each slice looked at.

    A slice is a key if it has a mask that was prompted or accepted there, or that is not as a propagation
    has left it.  Pixels that belong to slices of another orientation do not count as painted, and neither
    does what an oblique slice shows of the one beside it.
    """
    own, across = [], []
    for record in workspace.provenance.of(segmentId).records():
        (own if stack.isParallel(record.slicePlane()) else across).append(record.slicePlane())
    crossing = CrossingSlices(across)
    prompted = {stack.stepOf(plane) for plane in _promptedPlanes(workspace, segmentId)} - {None}
    recorded = {stack.stepOf(plane) for plane in own} - {None}
    for step in sorted(_stepsInUse(workspace, segmentId, stack) | prompted | recorded):
        target = Target(segmentId, stack.plane(step))
        mask = workspace.readMask(target)
        seen = prompted if step in recorded else prompted | recorded
        if step in prompted:
            isKey = bool(mask.any())
        elif not seen.isdisjoint(_beside(step, stack.overlap)):
            isKey = False
        else:
            isKey = bool((_byHand(workspace, target, mask) & ~crossing.pixels(target.plane)).any())
        if isKey:
            found[step] = KeySlice(target.plane, mask, step in prompted)
        yield


class CrossingSlices:
    """Slices of other orientations than a stack's, and which pixels of its slices they hold."""

    def __init__(self, planes: Sequence[SlicePlane]):
        self._stacks: List[Tuple[SlicePlane, Set[int]]] = []
        for plane in planes:
            self._add(plane)

    def pixels(self, plane: SlicePlane) -> np.ndarray:
        """Return (H, W) bool: pixels less than a slice away from one of the slices."""
        held = np.zeros(plane.shape, bool)
        for reference, steps in self._stacks:
            across = (reference.rasToPlane() @ plane.planeToRAS)[2]
            columns, rows = np.arange(plane.shape[1]), np.arange(plane.shape[0])[:, None]
            position = np.round(across[0] * columns + across[1] * rows + across[3], _DECIMALS)
            for nearest in (np.floor(position), np.ceil(position)):
                held |= np.isin(nearest, list(steps))
        return held

    def _add(self, plane: SlicePlane) -> None:
        for reference, steps in self._stacks:
            if abs(reference.normal @ plane.normal) > 1 - 1e-6:
                corner = reference.rasToPixel(plane.pixelToRAS([[0, 0]]))[1][0]
                steps.add(int(np.rint(corner / reference.thickness)))
                return
        self._stacks.append((plane, {0}))


def _beside(step: int, reach: int) -> Set[int]:
    return set(range(step - reach, step + reach + 1)) - {step}


def _byHand(workspace: Workspace, target: Target, mask: np.ndarray) -> np.ndarray:
    """Return (H, W) bool: where the slice is not as the last propagation has left it."""
    record = workspace.provenance.of(target.segmentId).record(target.plane.signature())
    isMade = record is not None and record.isPropagated
    return mask ^ record.content().written if isMade else mask


def _promptedPlanes(workspace: Workspace, segmentId: str) -> List[SlicePlane]:
    """Return slices with prompts, and before them those that had some when they were accepted."""
    records = workspace.provenance.of(segmentId).records()
    accepted = _planes([record for record in records if record.prompts and not record.isPropagated])
    return [*accepted, *workspace.prompts.planes(segmentId)]


def _planes(records: Sequence[SliceRecord]) -> List[SlicePlane]:
    return [record.slicePlane() for record in records]


def _stepsInUse(workspace: Workspace, segmentId: str, stack: PlaneStack) -> Set[int]:
    """Return the steps at which the segment may have voxels."""
    corners = workspace.writer.corners(workspace.segmentationNode, segmentId)
    if corners is None:
        return set()
    ends = stack.reference.rasToPixel(corners)[1] / stack.reference.thickness
    low, high = int(np.floor(ends.min())), int(np.ceil(ends.max()))
    return set(range(max(low, stack.first), min(high, stack.last) + 1))
