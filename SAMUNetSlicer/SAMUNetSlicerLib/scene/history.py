"""Undo and redo in which prompts and mask move together."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..errors import InputError
from .prompts import PromptRecord, PromptStore
from .segments import Change, SegmentWriter

DEFAULT_BYTE_LIMIT = 64 * 2**20
# More steps than anybody goes back: without it, an afternoon's clicks would fill all of the bytes.
STEP_LIMIT = 200

# Steps share the records of prompts that did not change: each holds about one of its own, and references.
_BYTES_OF_A_PROMPT, _BYTES_OF_A_REFERENCE = 1024, 8


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that the user did to one segment.

    ``label``: as shown in a menu ("positive point"); ``before``, ``after``: all prompts of the segment;
    ``changes``: what was written, in order; ``states``: what the caller itself sets back, before and after
    the step; ``stateBytes``: what they take of memory.
    """

    label: str
    segmentId: str
    before: Tuple[PromptRecord, ...]
    after: Tuple[PromptRecord, ...]
    changes: Tuple[Change, ...]
    states: Tuple[Any, Any] = (None, None)
    stateBytes: int = 0

    @property
    def nbytes(self) -> int:
        references = len(self.before) + len(self.after)
        prompts = _BYTES_OF_A_PROMPT + references * _BYTES_OF_A_REFERENCE
        return prompts + self.stateBytes + sum(change.nbytes for change in self.changes)


@dataclass(frozen=True)
class StepOutcome:
    """Outcome of undo or redo.

    ``segmentId``, ``label``: of the step; ``voxelsKept``: voxels that were edited by other means since the
    step and therefore stay as they are; ``changes``: what was written; ``state``: the caller's own, of the
    moment that was returned to.
    """

    segmentId: str
    label: str
    voxelsKept: int
    changes: Tuple[Change, ...] = ()
    state: Any = None


class History:
    """The last `STEP_LIMIT` steps of one segmentation, fewer when they take more than ``byteLimit``.

    Steps hold differences, so edits made by other means, such as the Segment Editor, are neither undone nor
    destroyed.  Steps of a segment that is gone are dropped.
    """

    def __init__(
        self,
        segmentationNode,
        writer: SegmentWriter,
        prompts: PromptStore,
        byteLimit: int = DEFAULT_BYTE_LIMIT,
    ):
        self._node = segmentationNode
        self._writer = writer
        self._prompts = prompts
        self._byteLimit = byteLimit
        self._done: List[Step] = []
        self._undone: List[Step] = []
        self._lastPrompts: Dict[str, Tuple[PromptRecord, ...]] = {}
        for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
            self._lastPrompts[segmentId] = tuple(prompts.prompts(segmentId))

    def record(
        self,
        segmentId: str,
        label: str,
        changes: Sequence[Change] = (),
        states: Tuple[Any, Any] = (None, None),
        stateBytes: int = 0,
    ) -> bool:
        """Make one step of all that happened to a segment since its last step.

        Call it when prompts and mask are both up to date: the prompts are compared with those of the last
        step, so it does not matter when, or by whom, they were changed.

        :param changes: what was written since then, in order; empty ones are left out.
        :param states: anything, before and after the step; ``undo`` returns the first, ``redo`` the second.
        :param stateBytes: what the states take of memory.
        :return: False if nothing was changed, and no step made.
        """
        self._forgetGoneSegments()
        before = self._lastPrompts.get(segmentId, ())
        after = tuple(self._prompts.prompts(segmentId))
        changes = tuple(change for change in changes if change)
        if not changes and _samePrompts(before, after):
            return False
        self._done.append(Step(label, segmentId, before, after, changes, states, stateBytes))
        self._undone.clear()
        self._lastPrompts[segmentId] = after
        self._trim()
        return True

    def undo(self) -> Optional[StepOutcome]:
        """Take the last step back; None if there is none.

        :raises InputError: the segmentation is gone, or its geometry has changed: all steps are forgotten.
        """
        return self._move(self._done, self._undone)

    def redo(self) -> Optional[StepOutcome]:
        """Make the last undone step again; None if there is none, or after a new step.

        :raises InputError: as ``undo``.
        """
        return self._move(self._undone, self._done)

    @property
    def undoLabel(self) -> Optional[str]:
        """Label of the step that ``undo`` would take back, None if there is none."""
        return self._lastLabel(self._done)

    @property
    def redoLabel(self) -> Optional[str]:
        return self._lastLabel(self._undone)

    @property
    def nbytes(self) -> int:
        """Return the bytes of memory that the steps take."""
        return sum(step.nbytes for step in (*self._done, *self._undone))

    def clear(self) -> None:
        """Forget all steps; the scene stays as it is."""
        self._done.clear()
        self._undone.clear()

    def _move(self, source: List[Step], target: List[Step]) -> Optional[StepOutcome]:
        self._forgetGoneSegments()
        if not source:
            return None
        step = source.pop()
        try:
            changes = [self._writer.revert(self._node, change) for change in reversed(step.changes)]
        except InputError:
            self.clear()
            raise
        self._prompts.restore(step.segmentId, step.before)
        self._lastPrompts[step.segmentId] = step.before
        before, after = step.states
        target.append(
            Step(
                step.label,
                step.segmentId,
                step.after,
                step.before,
                tuple(changes),
                (after, before),
                step.stateBytes,
            )
        )
        self._trim()
        voxelsKept = _voxelCount(step.changes) - _voxelCount(changes)
        return StepOutcome(step.segmentId, step.label, voxelsKept, tuple(changes), before)

    def _lastLabel(self, steps: List[Step]) -> Optional[str]:
        self._forgetGoneSegments()
        return steps[-1].label if steps else None

    def _forgetGoneSegments(self) -> None:
        segmentation = self._node.GetSegmentation()
        for steps in (self._done, self._undone):
            steps[:] = [step for step in steps if segmentation.GetSegment(step.segmentId) is not None]

    def _trim(self) -> None:
        for steps in (self._done, self._undone):
            del steps[:-STEP_LIMIT]
            while steps and self.nbytes > self._byteLimit:
                del steps[0]


def _samePrompts(a: Sequence[PromptRecord], b: Sequence[PromptRecord]) -> bool:
    return len(a) == len(b) and all(one.sameAs(other) for one, other in zip(a, b))


def _voxelCount(changes: Sequence[Change]) -> int:
    return sum(change.voxelCount for change in changes)
