"""Turn what a user does to slices of a segmentation into masks, undo steps and provenance."""

from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from ...errors import UserError
from ...events import Signal
from ...scene.geometry import SlicePlane
from ...scene.prompts import PromptRecord
from ...scene.segments import Change
from ..engines import EngineClient
from .maskUpdates import MaskUpdates
from .sliceRequest import MaskReport, SliceRequest, isUpToDate, recordGivenMask
from .stackWriting import PredictedSlice, writePredictedSlices
from .surfaceRefresh import SurfaceRefresh
from .undoSteps import UndoSteps
from .workspace import Target, Workspace


class SliceEditor:
    """Follows every change of a prompt, whoever made it, with a mask and an undo step.

    ``maskChanged(segmentId, plane)``, ``promptChanged(segmentId, plane)``, ``failed(UserError)``;
    ``written(SliceRequest, MaskReport)``: after ``maskChanged`` where the mask is a new one; ``changed()``:
    any property; ``changeMade(Change)``: voxels were written, also by undo and redo.
    """

    def __init__(self, workspace: Workspace, engine: EngineClient):
        self.maskChanged = Signal("maskChanged")
        self.promptChanged = Signal("promptChanged")
        self.failed = Signal("failed")
        self.written = Signal("written")
        self.changed = Signal("changed")
        self.lastMask: Optional[MaskReport] = None
        self._workspace = workspace
        self._edits = UndoSteps(workspace)
        self.changeMade = self._edits.changeMade
        self._surface = SurfaceRefresh(workspace)
        self._updates = MaskUpdates(workspace, engine)
        self._updates.written.connect(self._onWritten)
        self._updates.failed.connect(self._onFailed)
        self._updates.busyChanged.connect(self.changed.emit)
        self._knownPrompts: Dict[str, List[PromptRecord]] = {}
        workspace.promptsChanged.connect(self._onPromptsChanged)

    @property
    def isBusy(self) -> bool:
        return self._updates.isBusy

    @property
    def isWriting(self) -> bool:
        """Tell whether ``writeSlices`` is half-way."""
        return self._edits.isHolding

    @property
    def undoLabel(self) -> Optional[str]:
        return self._edits.undoLabel

    @property
    def redoLabel(self) -> Optional[str]:
        return self._edits.redoLabel

    def addPoint(self, target: Target, ras: Sequence[float], isPositive: bool) -> str:
        """Put a point on the slice and segment what it is on; return the prompt's ID.

        :param ras: as `pointOnSlice` returned it.
        """
        self._endDrag(target.segmentId)
        kind = "positive" if isPositive else "negative"
        return self._workspace.prompts.addPoint(target.segmentId, kind, ras, target.plane).id

    def addBox(self, target: Target, corners: Sequence) -> str:
        """Draw a box on the slice and segment what is in it; return the prompt's ID.

        :param corners: as `boxOnSlice` returned them.
        """
        self._endDrag(target.segmentId)
        return self._workspace.prompts.addBox(target.segmentId, *corners, target.plane).id

    def addPrompts(self, target: Target, points: Sequence, positive: Sequence[bool], boxes: Sequence) -> None:
        """Put several prompts on a slice at once: one prediction, one undo step.

        :param points, boxes: as `promptsOnSlice` returned them.
        """
        self._endDrag(target.segmentId)
        store = self._workspace.prompts
        with store.silently():
            for corners in boxes:
                store.addBox(target.segmentId, *corners, target.plane)
            for ras, isPositive in zip(points, positive):
                store.addPoint(target.segmentId, "positive" if isPositive else "negative", ras, target.plane)
        self._onPromptsChanged(*target)

    def accept(self, target: Target) -> None:
        """Take the prompts away and keep the mask, as if the user had painted it."""
        self._updates.cancel(target)
        self._edits.settleAll()
        self._edits.touch(target, "accept")
        provenance = self._workspace.provenance.of(target.segmentId)
        provenance.accept(target.plane.signature())
        provenance.log("accept", plane=target.plane.signature())
        with self._workspace.prompts.silently():
            self._workspace.prompts.clear(*target)
        self._workspace.provenance.saveLater(target.segmentId)
        self._edits.settle(target.segmentId)
        self._announce([target])

    def adopt(self, target: Target, label: str, change: Change) -> None:
        """Make an undo step of what somebody else has written."""
        self._surface.touch()
        self._edits.touch(target, label)
        self._edits.add(target, change)
        self._settleWhenComplete(target.segmentId)
        self.maskChanged.emit(*target)
        self.changed.emit()

    def giveToNetwork(self, target: Target) -> None:
        """Take the slice for a mask of the network's own: it starts from it and may change all of it."""
        self._updates.cancel(target)
        self._edits.settleAll()
        recordGivenMask(self._workspace, target)
        self._edits.settle(target.segmentId)
        self._announce([target])

    def predictAgain(self, target: Target) -> None:
        self._edits.touch(target, "predict again")
        self._updates.request(target)

    def writeSlices(
        self, segmentId: str, label: str, slices: Sequence[PredictedSlice], kept: Sequence[SlicePlane] = ()
    ) -> Iterator[None]:
        """Put the masks of parallel slices into a segment as one undo step; yields between them.

        What the user has painted there stays.  The segment changes at once, see `SegmentWriter.writeMasks`.

        :param kept: further slices parallel to them, whose voxels stay as they are.
        :raises InputError: a node or the segment is gone.
        """
        if not slices:
            return
        self._surface.touch()
        with self._edits.hold(segmentId, label):
            for each in slices:
                self._edits.touch(each.target, label)
                yield
            for change in writePredictedSlices(self._workspace, segmentId, slices, kept):
                if change is not None:
                    self._edits.add(Target(segmentId, slices[0].target.plane), change)
                yield
        self._announce([each.target for each in slices])

    def undo(self) -> bool:
        """Take the last step back, prompts and mask together; False if there is none."""
        return self._step(self._edits.undo)

    def redo(self) -> bool:
        return self._step(self._edits.redo)

    def reload(self) -> None:
        """Begin with the prompts that the workspace's segmentation holds now."""
        node, prompts = self._workspace.segmentationNode, self._workspace.prompts
        ids = () if node is None else node.GetSegmentation().GetSegmentIDs()
        self._knownPrompts = {segmentId: prompts.prompts(segmentId) for segmentId in ids}

    def stop(self) -> None:
        """Drop the predictions under way; their prompts stay, as undo steps of their own."""
        self._updates.cancelAll()
        self._edits.settleAll()
        self._surface.restore()

    def stopForGoneSegments(self) -> None:
        self._updates.cancelGone()

    def settle(self) -> None:
        """Make undo steps of all that has happened."""
        self._edits.settleAll()

    def tick(self) -> None:
        """Do what is due when the user pauses: end drags, mesh the 3D surface again."""
        self._edits.settleEndedDrags()
        self._surface.tick(self.isBusy)

    def _step(self, move: Callable[[], List[Target]]) -> bool:
        self._surface.touch()
        interrupted = self._updates.cancelAll()
        restored = move()
        self._announce(restored)
        for target in {target.key: target for target in (*restored, *interrupted)}.values():
            if self._workspace.hasSegment(target.segmentId) and not isUpToDate(self._workspace, target):
                self._updates.request(target)
        return bool(restored)

    def _announce(self, targets: Sequence[Target]) -> None:
        self.reload()
        for target in targets:
            self.promptChanged.emit(*target)
            self.maskChanged.emit(*target)
        self.changed.emit()

    def _onPromptsChanged(self, segmentId: str, plane: SlicePlane) -> None:
        before = self._knownPrompts.get(segmentId, [])
        after = self._knownPrompts[segmentId] = self._workspace.prompts.prompts(segmentId)
        self._surface.touch()
        label, isMove = promptDifference(before, after)
        target = Target(segmentId, plane)
        self._edits.touch(target, label, isMove)
        self._updates.request(target, isMove)
        self.promptChanged.emit(segmentId, plane)

    def _onWritten(self, request: SliceRequest, change: Change, report: MaskReport) -> None:
        target = request.target
        self._edits.add(target, change)
        self._settleWhenComplete(target.segmentId)
        self.lastMask = report
        self.maskChanged.emit(*target)
        self.written.emit(request, report)
        self.changed.emit()

    def _onFailed(self, target: Target, error: UserError) -> None:
        self._settleWhenComplete(target.segmentId)
        self.failed.emit(error)
        self.changed.emit()

    def _endDrag(self, segmentId: str) -> None:
        if self._edits.isDragging(segmentId):
            self._edits.settle(segmentId)

    def _settleWhenComplete(self, segmentId: str) -> None:
        """Settle the open step once all masks of the segment are there: a step holds the prompts of the whole
        segment.
        """
        if not self._edits.isDragging(segmentId) and not self._updates.isBusyWith(segmentId):
            self._edits.settle(segmentId)


_NAMES = {"positive": "positive point", "negative": "negative point", "box": "box"}


class PromptDifference(NamedTuple):
    """Difference between two states of a slice's prompts.

    ``label``: of the undo step; ``isMove``: prompts have only moved, as during a drag.
    """

    label: str
    isMove: bool


def promptDifference(before: Sequence[PromptRecord], after: Sequence[PromptRecord]) -> PromptDifference:
    """Compare by id; additions are named before removals, removals before moves."""
    old = {record.id: record for record in before}
    new = {record.id: record for record in after}
    added = [record for record in after if record.id not in old]
    removed = [record for record in before if record.id not in new]
    moved = [record for record in after if record.id in old and not record.sameAs(old[record.id])]
    if added:
        return PromptDifference(_named(added), False)
    if removed:
        return PromptDifference(f"remove {_named(removed)}", False)
    return PromptDifference(f"move {_named(moved)}", bool(moved))


def _named(records: Sequence[PromptRecord]) -> str:
    return _NAMES[records[0].kind] if len(records) == 1 else "prompts"
