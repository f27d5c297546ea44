"""Drive a segmentation session: choices and prompts in, masks into the scene, events out."""

from typing import Callable, List, Optional, Sequence

from ...engine.serving import ModelSpec
from ...errors import InputError, PromptError
from ...events import Signal
from ...scene.geometry import SlicePlane
from ...scene.prompts import PromptRecord
from ...scene.segments import setStatus
from ..engines import BLOCK_SECONDS, EngineClient, Ticket
from .prefetcher import MOST_SLICES, Prefetcher
from .promptValidation import boxOnSlice, pointOnSlice, promptsOnSlice
from .sliceEditor import SliceEditor
from .sliceImages import WindowChoice, imageIdentity
from .sliceRequest import MaskReport, SliceRequest
from .workspace import SceneWatch, Target, Workspace

Plane = Optional[SlicePlane]  # None stands for the slice that was set last
Position = Sequence[float]


class SegmentationSession:
    """Segments a volume of a scene slice by slice, by an engine that the front end has made and closes.

    Call ``poll`` from a timer of 10 to 50 ms, or ``waitUntilIdle``; nothing else waits.  Methods raise a
    `UserError` for what cannot be done; what goes wrong later is sent by ``error``.

    ``statusChanged()``: look at the properties again; what edits change is told once for each ``poll``;
    ``error(UserError)``: its text is one sentence for the user; ``engineChanged(EngineStatus or None)``;
    and the signals that are properties.

    Work on more than a slice is done by classes that take a session, go on at its ``polled()``, and finish
    at once at ``interrupted()``: what they work on is about to change.
    """

    def __init__(self, scene, engine: EngineClient):
        self.statusChanged = Signal("statusChanged")
        self.error = Signal("error")
        self.engineChanged = Signal("engineChanged")
        self.polled = Signal("polled")
        self.interrupted = Signal("interrupted")
        self.plane: Plane = None
        self.segmentId: Optional[str] = None
        self.engine = engine
        self.workspace = Workspace(scene, placementPlane=lambda: self.plane)
        self.editor = SliceEditor(self.workspace, engine)
        self._prefetcher = Prefetcher(engine)
        self._watch = SceneWatch(scene, self._onRemoved, self._onSegmentRemoved, self.editor.settle)
        self._isStatusOld = False
        self.editor.changed.connect(self._onEditorChanged)
        self.editor.failed.connect(self.error.emit)
        self.editor.written.connect(self._onWritten)
        engine.statusChanged.connect(self._onEngineChanged)

    @property
    def maskChanged(self) -> Signal:
        """Send ``(segmentId, plane)`` when a mask was written or taken back."""
        return self.editor.maskChanged

    @property
    def promptChanged(self) -> Signal:
        """Send ``(segmentId, plane)`` when prompts were added, moved or removed."""
        return self.editor.promptChanged

    @property
    def progress(self) -> Signal:
        """Send ``(done, total)`` of encoding ahead."""
        return self._prefetcher.advanced

    @property
    def notice(self) -> Signal:
        """Send a sentence that the user should read once, such as a restart of the engine."""
        return self.engine.noticed

    @property
    def volumeNode(self):
        return self.workspace.volumeNode

    @property
    def segmentationNode(self):
        return self.workspace.segmentationNode

    def setVolume(self, volumeNode) -> None:
        """Choose the volume to segment, or None; the shown slice must be set again."""
        self._stopWork()
        self.workspace.useVolume(volumeNode)
        self.plane = None
        self.statusChanged.emit()

    def setSegmentation(self, segmentationNode) -> None:
        """Choose the segmentation to write to, or None; its prompts are found again.  Undo starts anew."""
        self._stopWork()
        self.workspace.useSegmentation(segmentationNode)
        self._watch.watchSegmentation(segmentationNode)
        self.editor.reload()
        self.segmentId = None
        self.statusChanged.emit()

    def addSegment(self, name: str = "", color=None, terminology=None) -> str:
        """Add a segment and choose it, in a new segmentation if there is none.

        :param color, terminology: see `scene.segments.newSegment`.
        :return: the segment's ID.
        """
        if self.segmentationNode is None:
            self.setSegmentation(self.workspace.addSegmentation())
        self.selectSegment(self.workspace.addSegment(name, color, terminology))
        return self.segmentId

    def selectSegment(self, segmentId: Optional[str]) -> None:
        """Choose the segment that the next prompts belong to."""
        if segmentId is not None and not self.workspace.hasSegment(segmentId):
            raise InputError("The segment is no longer in the segmentation: choose another one.")
        self.segmentId = segmentId
        self.statusChanged.emit()

    def nextSegment(self, name: str = "") -> str:
        """Call the segment completed, and begin another one."""
        if self.segmentId is not None:
            setStatus(self.segmentationNode, self.segmentId, "completed")
        return self.addSegment(name)

    def setModel(self, spec: ModelSpec) -> Ticket:
        """Load another network; masks that are there stay as they are."""
        self._stopWork()
        return self.engine.start(spec).whenDone(self._onLoaded)

    def setWindow(self, choice: WindowChoice) -> None:
        """Choose the gray levels of later predictions, by a `WindowSetting` or ``FOLLOW_DISPLAY``."""
        self.workspace.windowChoice = choice
        self.stopPrefetching()
        self.statusChanged.emit()

    def setPolicy(self, policy: str) -> None:
        """Choose what masks do to other segments: one of `scene.segmentWriter.POLICIES`."""
        self.workspace.policy = policy

    def setPlane(self, plane: Plane) -> None:
        """Say which slice the user looks at: prompts that are given without a slice go there."""
        self.plane = plane
        self.statusChanged.emit()

    def addPoint(self, position: Position, isPositive: bool = True, plane: Plane = None) -> str:
        """Put a point (see `pointOnSlice`) on a slice and segment what it is on; return the prompt's ID."""
        plane = self._shown(plane)
        ras = pointOnSlice(position, plane)
        return self.editor.addPoint(self._targetFor(plane), ras, isPositive)

    def addBox(self, corner: Position, opposite: Position, plane: Plane = None) -> str:
        """Draw a box (see `boxOnSlice`) on a slice and segment what is in it; return the prompt's ID."""
        plane = self._shown(plane)
        corners = boxOnSlice(corner, opposite, plane)
        return self.editor.addBox(self._targetFor(plane), corners)

    def addPrompts(self, points=(), positive=(), boxes=(), plane: Plane = None) -> None:
        """Put several prompts on a slice with one prediction and one undo step.

        :param points: positions, see `pointOnSlice`.
        :param positive: one flag for each of them.
        :param boxes: (corner, opposite) each, see `boxOnSlice`.
        """
        plane = self._shown(plane)
        points, boxes = promptsOnSlice(points, boxes, plane)
        self.editor.addPrompts(self._targetFor(plane), points, positive, boxes)

    def movePrompt(self, promptId: str, *positions: Position) -> None:
        """Move a point, or both corners of a box; moves in quick succession are one undo step.

        :param positions: (R, A, S) in mm each.
        """
        self.workspace.requirePrompts().move(promptId, *positions)

    def removePrompt(self, promptId: str) -> None:
        self.workspace.requirePrompts().remove(promptId)

    def clear(self, plane: Plane = None) -> None:
        """Remove the chosen segment's prompts from a slice; what the user painted there stays."""
        self.workspace.prompts.clear(*self._target(plane))

    def prompts(self, plane: Plane = None) -> List[PromptRecord]:
        """Return the chosen segment's prompts on a slice, in the order in which they were given."""
        plane = plane or self.plane
        if plane is None or not self.workspace.hasSegment(self.segmentId):
            return []
        return self.workspace.prompts.promptsFor(self.segmentId, plane)

    def accept(self, plane: Plane = None) -> None:
        """Keep the slice's mask for good: its prompts go, and later ones are about another object."""
        self.editor.accept(self._target(plane))

    def predictAgain(self, plane: Plane = None) -> None:
        """Segment a slice with its prompts once more, after the model or the window was changed."""
        self.editor.predictAgain(self._target(plane))

    def undo(self) -> bool:
        """Take the last step back, prompts and mask together; False if there is none.

        :raises InputError: the geometry of the segmentation has changed; all steps are forgotten.
        """
        self.interrupted.emit()
        return self.editor.undo()

    def redo(self) -> bool:
        """Make the last undone step again; see ``undo``."""
        self.interrupted.emit()
        return self.editor.redo()

    @property
    def undoLabel(self) -> Optional[str]:
        """Return what ``undo`` would take back, None if there is nothing."""
        return self.editor.undoLabel

    @property
    def redoLabel(self) -> Optional[str]:
        return self.editor.redoLabel

    @property
    def lastMask(self) -> Optional[MaskReport]:
        """Return confidence, notes and times of the last mask."""
        return self.editor.lastMask

    @property
    def isBusy(self) -> bool:
        """Tell whether masks are being predicted; encoding ahead does not count."""
        return self.editor.isBusy

    def prefetch(self, *planes: SlicePlane, most: int = MOST_SLICES) -> None:
        """Encode slices around some in idle time, nearest first, in place of an earlier hint."""
        planes = planes or ((self.plane,) if self.plane is not None else ())
        if planes:
            self._prefetcher.want(planes, most, self.workspace.requireVolume(), self.workspace.window())

    def isReady(self, plane: SlicePlane) -> bool:
        """Tell whether a click on the slice will be answered without encoding it first."""
        return self._prefetcher.isReady(self.workspace.requireVolume(), plane, self.workspace.window())

    def statistics(self) -> Ticket:
        """Ask for counts of work and cache, see `EngineService.statistics`."""
        return self.engine.statistics()

    def clearCache(self) -> Ticket:
        """Forget all encoded slices, in memory and on disk."""
        self._prefetcher.forget()
        return self.engine.clearCache()

    def poll(self) -> None:
        """Take what the engine has finished, and give it more to do."""
        self.engine.poll()
        self.editor.tick()
        if self._isStatusOld:
            self._isStatusOld = False
            self.statusChanged.emit()
        self.polled.emit()
        if not self.isBusy:
            self._prefetcher.tick()

    def waitUntilIdle(self, pump: Optional[Callable[[], None]] = None) -> None:
        """Poll until no mask is being predicted; ``pump`` is called in between, and may raise to give up."""
        self.poll()
        while self.isBusy:
            self.engine.block(BLOCK_SECONDS)
            if pump is not None:
                pump()
            self.poll()
        self.editor.settle()

    def close(self) -> None:
        """Let go of scene and engine; the scene keeps everything.  May be called twice."""
        self._watch.close()
        self._onRemoved()
        self.engine.statusChanged.disconnect(self._onEngineChanged)

    def _shown(self, plane: Plane) -> SlicePlane:
        """Return the slice, or the one that was set last if it is None."""
        self.workspace.requireVolume()
        plane = plane or self.plane
        if plane is None:
            raise PromptError("There is no slice to work on: show a slice of the volume first.")
        return plane

    def _targetFor(self, plane: SlicePlane) -> Target:
        """Return the segment that a new prompt on the slice belongs to; without a chosen one, add it."""
        if self.segmentId is None:
            self.addSegment()
        return self._target(plane)

    def _target(self, plane: Plane) -> Target:
        """Return the chosen segment on a slice."""
        plane = self._shown(plane)
        self.workspace.requireSegmentation()
        if self.segmentId is None:
            raise PromptError("There is no segment to work on: choose one or add one.")
        return Target(self.segmentId, plane)

    def _stopWork(self) -> None:
        self.interrupted.emit()
        self.editor.stop()
        self.stopPrefetching()

    def stopPrefetching(self) -> None:
        """Drop what has not been encoded ahead yet."""
        self._prefetcher.stop()

    def holdPrefetching(self) -> None:
        """Encode only the slice in use for a moment, see `Prefetcher.hold`."""
        self._prefetcher.hold()

    def pausePrefetching(self) -> None:
        """Leave the engine for a moment to somebody who waits for it, see `Prefetcher.pause`."""
        self._prefetcher.pause()

    def _onEditorChanged(self) -> None:
        self._isStatusOld = True

    def _onWritten(self, request: SliceRequest, report: MaskReport) -> None:
        if report.source is not None:
            self._prefetcher.markReady(imageIdentity(self.volumeNode, request.target.plane, request.window))

    def _onLoaded(self, ticket: Ticket) -> None:
        if ticket.error is not None and not ticket.isCancelled:
            self.error.emit(ticket.error)

    def _onEngineChanged(self, status) -> None:
        # What another model, or the same one in another precision, has encoded is of no use now.
        self._prefetcher.forget()
        self.engineChanged.emit(status)

    def _onRemoved(self, node=None) -> None:
        """Let go of a node; without one, of all."""
        if node is None or node is self.segmentationNode:
            self.workspace.removePromptsOf(node)
            self.setSegmentation(None)
        if node is None or node is self.volumeNode:
            self.setVolume(None)

    def _onSegmentRemoved(self) -> None:
        self.editor.stopForGoneSegments()
        if not self.workspace.hasSegment(self.segmentId):
            self.segmentId = None
        self.statusChanged.emit()
