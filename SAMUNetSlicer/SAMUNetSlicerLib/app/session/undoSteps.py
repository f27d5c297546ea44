"""Gather prompts, masks and provenance of a session into undo steps, to go back and forth together."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, NamedTuple, Optional

from ...events import Signal
from ...scene.history import StepOutcome
from ...scene.segments import Change
from .workspace import Target, Workspace

# A drag is over when nothing has moved for so long, in seconds: markups tell no end that views agree on.
_DRAG_ENDS_AFTER = 0.4


class _SliceState(NamedTuple):
    """A slice and its provenance at some moment, see `SegmentProvenance.planeState`."""

    target: Target
    records: Dict[str, str]


@dataclass(eq=False)
class _OpenStep:
    """Changes of a segment since its last undo step.

    What has happened to a segment since its last step; ``before``: provenance of each slice it was on;
    ``isHeld``: more is to come, see `UndoSteps.hold`.
    """

    label: str
    isDrag: bool = False
    isHeld: bool = False
    changes: List[Change] = field(default_factory=list)
    before: Dict[str, _SliceState] = field(default_factory=dict)
    touchedAt: float = 0.0


class UndoSteps:
    """Gathers what belongs to one step until prompts and mask agree, then hands it to `scene.history`.

    All moves of one drag are one step, and so are prompts that are given while the first one's mask is
    still being computed.

    ``changeMade(Change)``: voxels were written by a step, by undo or by redo.
    """

    def __init__(self, workspace: Workspace, clock=time.monotonic):
        self.changeMade = Signal("changeMade")
        self._workspace = workspace
        self._clock = clock
        self._open: Dict[str, _OpenStep] = {}

    def isDragging(self, segmentId: str) -> bool:
        return segmentId in self._open and self._open[segmentId].isDrag

    def touch(self, target: Target, label: str, isDrag: bool = False) -> None:
        """Note that the user is changing a slice; call it before its provenance changes."""
        step = self._open.setdefault(target.segmentId, _OpenStep(label))
        step.isDrag, step.touchedAt = isDrag and not step.isHeld, self._clock()
        step.before.setdefault(target.plane.signature(), self._state(target))

    def add(self, target: Target, change: Change) -> None:
        """Add what was written to the open step of its segment."""
        if target.segmentId not in self._open:
            self.touch(target, "mask")
        self._open[target.segmentId].changes.append(change)
        self.changeMade.emit(change)

    @property
    def isHolding(self) -> bool:
        """Tell whether a step is being written bit by bit, see ``hold``."""
        return any(step.isHeld for step in self._open.values())

    @contextmanager
    def hold(self, segmentId: str, label: str) -> Iterator[None]:
        """Make one step of all that happens to a segment meanwhile, other edits by the user included."""
        self.settle(segmentId)
        step = self._open[segmentId] = _OpenStep(label, isHeld=True)
        try:
            yield
        finally:
            step.isHeld = False
            self.settle(segmentId)

    def settle(self, segmentId: str) -> None:
        """Make a step of what is open for a segment, unless it is held."""
        if segmentId in self._open and self._open[segmentId].isHeld:
            return
        step = self._open.pop(segmentId, None)
        if not self._workspace.hasSegment(segmentId):
            return
        self._workspace.provenance.saveIfDue(segmentId)
        if step is not None:
            before = list(step.before.values())
            after = [self._state(state.target) for state in before]
            states = before, after
            self._workspace.history.record(segmentId, step.label, step.changes, states, _bytesOf(*states))

    def settleAll(self) -> None:
        for segmentId in list(self._open):
            self.settle(segmentId)

    def settleEndedDrags(self) -> None:
        """Make steps of the drags in which nothing has moved for a while."""
        now = self._clock()
        for segmentId, step in list(self._open.items()):
            if step.isDrag and now - step.touchedAt > _DRAG_ENDS_AFTER:
                self.settle(segmentId)

    def discard(self) -> None:
        """Forget what is open: its segmentation is gone or no longer worked on."""
        self._open.clear()

    @property
    def undoLabel(self) -> Optional[str]:
        """Return what ``undo`` would take back, None if there is nothing."""
        history = self._workspace.history
        opened = next(reversed(self._open.values()), None)
        return opened.label if opened is not None else history and history.undoLabel

    @property
    def redoLabel(self) -> Optional[str]:
        history = self._workspace.history
        return None if self._open else history and history.redoLabel

    def undo(self) -> List[Target]:
        """Take the last step back, and return the slices that it was about; none if there is no step.

        :raises InputError: the segmentation is gone, or its geometry has changed.
        """
        self.settleAll()
        history = self._workspace.history
        return self._restored("undo", history and history.undo())

    def redo(self) -> List[Target]:
        """Make the last undone step again; see ``undo``."""
        self.settleAll()
        history = self._workspace.history
        return self._restored("redo", history and history.redo())

    def _restored(self, action: str, outcome: Optional[StepOutcome]) -> List[Target]:
        if outcome is None:
            return []
        provenance = self._workspace.provenance.of(outcome.segmentId)
        for state in outcome.state:
            provenance.restorePlane(state.target.plane.signature(), state.records)
        provenance.log(action, step=outcome.label)
        self._workspace.provenance.save(outcome.segmentId)
        for change in outcome.changes:
            self.changeMade.emit(change)
        return [state.target for state in outcome.state]

    def _state(self, target: Target) -> _SliceState:
        provenance = self._workspace.provenance.of(target.segmentId)
        return _SliceState(target, provenance.planeState(target.plane.signature()))


def _bytesOf(before: List[_SliceState], after: List[_SliceState]) -> int:
    """Return the bytes of the records that only one of the states has; other steps share the rest."""
    old, new = ({text for state in states for text in state.records.values()} for states in (before, after))
    return sum(map(len, old ^ new))
