"""Several volumes of a scene, segmented one after the other without anybody clicking."""

import time
from typing import Iterator, List, Optional, Sequence

from ...errors import PromptError, UserError
from ...events import Signal
from ..jobs import (
    DONE,
    FAILED,
    NEEDS_REVIEW,
    REVIEW_BELOW,
    CaseRecord,
    PromptRun,
    reviewReasons,
    segmentResults,
    sliceResults,
)
from ..prompts import PromptSource
from ..session import SegmentationSession

# Longest time that one poll may spend here, in seconds: the user interface waits for it.
_TURN = 0.015


class SceneBatch:
    """Segments volumes with a session, each into a new segmentation of its own.

    Works while the session is polled, some milliseconds at a time, and never waits.  A volume that cannot be
    segmented is failed and the others go on; its segmentation is not left in the scene.  ``cancel``, undo and
    another choice of volume, segmentation or model end the work: volumes that are finished stay, the one
    that was being segmented and those after it are queued.  In the end the session works on what it did
    before.

    ``progress(done, total)``: volumes; ``caseFinished(CaseRecord)``; ``finished(list of CaseRecord)``: one
    for each volume, in their order.

    :param reviewBelow: confidence below which a case needs review, see ``reviewReasons``.
    """

    def __init__(self, session: SegmentationSession, reviewBelow: float = REVIEW_BELOW):
        self.progress = Signal("batch progress")
        self.caseFinished = Signal("batch case finished")
        self.finished = Signal("batch finished")
        self._session = session
        self._reviewBelow = reviewBelow
        self._work: Optional[Iterator[bool]] = None
        self._records: List[CaseRecord] = []
        self._isSwitching = False
        session.polled.connect(self._onPolled)
        session.interrupted.connect(self._onInterrupted)

    @property
    def isRunning(self) -> bool:
        return self._work is not None

    def start(self, volumeNodes: Sequence, source: PromptSource) -> None:
        """Begin with the first volume.

        :raises PromptError: there are no volumes, or a batch is running.
        """
        if self.isRunning:
            raise PromptError("A batch is running already: wait for it or cancel it.")
        if not volumeNodes:
            raise PromptError("There are no volumes to segment: choose at least one.")
        self._records = [CaseRecord(node.GetName(), node.GetID()) for node in volumeNodes]
        self._before = _Choices(self._session)
        self._work = self._everything(list(volumeNodes), source)
        self.progress.emit(0, len(self._records))

    def cancel(self) -> None:
        """End the work at once; what is finished stays."""
        if self._work is not None:
            self._work.close()
            self._end()

    def close(self) -> None:
        """Cancel, and leave the session alone.  May be called twice."""
        self.cancel()
        self._session.polled.disconnect(self._onPolled)
        self._session.interrupted.disconnect(self._onInterrupted)

    def _onPolled(self) -> None:
        deadline = time.perf_counter() + _TURN
        while self._work is not None and time.perf_counter() < deadline:
            isWaiting = next(self._work, None)
            if isWaiting is None:
                self._end()
            elif isWaiting:
                return

    def _onInterrupted(self) -> None:
        if not self._isSwitching:
            self.cancel()

    def _end(self) -> None:
        self._work = None
        self._switch(self._before.restore)
        self.finished.emit(list(self._records))

    def _switch(self, change) -> None:
        """Change what the session works on, without taking that for an interruption by the user."""
        self._isSwitching = True
        try:
            change()
        finally:
            self._isSwitching = False

    def _everything(self, volumeNodes: Sequence, source: PromptSource) -> Iterator[bool]:
        for number, volumeNode in enumerate(volumeNodes):
            record = yield from self._case(volumeNode, self._records[number], source)
            self._records[number] = record
            self.caseFinished.emit(record)
            self.progress.emit(number + 1, len(volumeNodes))

    def _case(self, volumeNode, queued: CaseRecord, source: PromptSource) -> Iterator[bool]:
        """Segment one volume and return its record."""
        started, isComplete = time.monotonic(), False
        self._switch(lambda: self._choose(volumeNode))
        try:
            prompts = yield from source.steps(volumeNode)
            run = PromptRun(self._session, prompts)
            yield from run.steps()
            record = self._finishedRecord(queued, run, time.monotonic() - started)
            isComplete = True
            return record
        except UserError as error:
            seconds = {"total": time.monotonic() - started}
            kind = type(error).__name__
            return CaseRecord(queued.name, queued.source, FAILED, str(error), kind, seconds=seconds)
        finally:
            if not isComplete:
                self._switch(self._discard)

    def _choose(self, volumeNode) -> None:
        self._session.setVolume(volumeNode)
        self._session.setSegmentation(self._session.workspace.addSegmentation())

    def _discard(self) -> None:
        node = self._session.segmentationNode
        if node is not None:
            self._session.setSegmentation(None)
            node.GetScene().RemoveNode(node)

    def _finishedRecord(self, queued: CaseRecord, run: PromptRun, seconds: float) -> CaseRecord:
        session = self._session
        slices = sliceResults(run.slices)
        segments = segmentResults(session.segmentationNode, session.volumeNode, run.slices)
        reasons = reviewReasons(segments, slices, self._reviewBelow)
        return CaseRecord(
            queued.name,
            queued.source,
            NEEDS_REVIEW if reasons else DONE,
            reasons=reasons,
            segments=segments,
            slices=slices,
            seconds={"total": seconds},
            segmentationId=session.segmentationNode.GetID(),
        )


class _Choices:
    """Choices of a session, to be made again; nodes that are gone by then are left out."""

    def __init__(self, session: SegmentationSession):
        self._session = session
        self._volumeNode, self._segmentationNode = session.volumeNode, session.segmentationNode
        self._segmentId, self._plane = session.segmentId, session.plane
        self._window = session.workspace.windowChoice

    def restore(self) -> None:
        session, scene = self._session, self._session.workspace.scene
        volumeNode, segmentationNode = (
            node if node is not None and scene.IsNodePresent(node) else None
            for node in (self._volumeNode, self._segmentationNode)
        )
        session.setVolume(volumeNode)
        session.setSegmentation(segmentationNode)
        session.setWindow(self._window)
        if session.workspace.hasSegment(self._segmentId):
            session.selectSegment(self._segmentId)
        session.setPlane(None if volumeNode is None else self._plane)
