"""Carry a segment from its key slices through the volume."""

import time
from typing import Dict, Iterator, Optional, Tuple

from ...errors import EngineError, InputError, PromptError, UserError
from ...events import Signal
from ...scene.geometry import PlaneStack, SlicePlane, planeFromAxis
from ..engines import BLOCK_SECONDS
from ..session import SegmentationSession
from .consensus import ConsensusVote
from .fill import SliceFill
from .follow import SliceFollower
from .keySlices import KeySlice, findKeySlices, stackOf
from .learner import SegmentLearner
from .options import PropagationOptions, PropagationReport
from .routes import RegionRoute, routesFrom

# Longest time that one poll may spend here, in seconds: the user interface waits for it.
_TURN = 0.015

_NOTHING_THERE = "There is nothing to propagate: segment the structure on a slice first."


class Propagator:
    """Carries the chosen segment of a session from its key slices (see `keySlices`) up and down.

    Works while the session is polled, a few milliseconds at a time, and never waits.  The segment is written
    once, at the end, as one undo step.  Whatever ends the work early keeps what was done until then; that is
    ``cancel``, a prompt for the same segment, undo and redo, and another choice of volume, segmentation or
    model.

    ``progress(done, total)``: slices, the total shrinks where a way ends early;
    ``finished(PropagationReport)``: once for each start.
    """

    def __init__(self, session: SegmentationSession):
        self.progress = Signal("propagation progress")
        self.finished = Signal("propagation finished")
        self._session = session
        self._run: Optional[_Run] = None
        session.interrupted.connect(self._onInterrupted)
        session.promptChanged.connect(self._onPromptChanged)
        session.polled.connect(self._onPolled)

    @property
    def isRunning(self) -> bool:
        return self._run is not None

    def start(self, options: Optional[PropagationOptions] = None) -> None:
        """Begin to propagate the chosen segment.

        :raises UserError: nothing is chosen, a propagation is running, or the options do not fit the volume.
        """
        if self.isRunning:
            raise PromptError("The segment is being propagated already: wait or cancel first.")
        self._run = _Run(self._session, options or PropagationOptions(), self.progress)

    def cancel(self) -> None:
        """End the work; what is done so far is written in the next polls."""
        if self._run is not None:
            self._run.cancel()

    def close(self) -> None:
        """End the work at once and leave the session alone.  May be called twice."""
        self._onInterrupted()
        self._session.interrupted.disconnect(self._onInterrupted)
        self._session.promptChanged.disconnect(self._onPromptChanged)
        self._session.polled.disconnect(self._onPolled)

    def waitUntilFinished(self, pump=None) -> None:
        """Poll the session until nothing is running; see `SegmentationSession.waitUntilIdle`."""
        while self.isRunning:
            self._session.engine.block(BLOCK_SECONDS)
            if pump is not None:
                pump()
            self._session.poll()

    def _onPolled(self) -> None:
        if self._run is not None:
            self._session.pausePrefetching()
        deadline = time.perf_counter() + _TURN
        while self._run is not None and time.perf_counter() < deadline:
            if self._advance():
                return

    def _onInterrupted(self) -> None:
        self.cancel()
        while self._run is not None:
            self._advance()

    def _onPromptChanged(self, segmentId: str, plane: SlicePlane) -> None:
        if self._run is not None and self._run.segmentId == segmentId:
            self.cancel()

    def _advance(self) -> bool:
        """Do a little; True when only the engine can go on."""
        run = self._run
        isWaiting = next(run.work, None)
        if isWaiting is not None:
            return isWaiting
        self._run = None
        if run.error is not None:
            self._session.error.emit(run.error)
        self.finished.emit(run.report())
        return True


class _Run:
    """One propagation from its start to its report."""

    def __init__(self, session: SegmentationSession, options: PropagationOptions, progress: Signal):
        workspace = session.workspace
        workspace.requireVolume()
        if not workspace.hasSegment(session.segmentId):
            raise PromptError("There is no segment to propagate: choose one and prompt it on a slice.")
        self.segmentId = session.segmentId
        self.keys: Dict[int, KeySlice] = {}
        self.error: Optional[UserError] = None
        self.work = self._everything()
        self._session = session
        self._options = options
        self._progress = progress
        self._started = time.monotonic()
        self._isCancelled = self._isWriting = False
        self._stack = _chosenStack(session, options)
        self._low, self._high = _range(self._stack, options)
        self._learner = SegmentLearner(workspace, session.engine, self._options.learn)
        self._walk = self._makeWalk()

    def cancel(self) -> None:
        """Segment no further; without effect once the segment is being written."""
        self._isCancelled = self._isCancelled or not self._isWriting
        self._walk.cancel()

    def report(self) -> PropagationReport:
        slices = sorted(self._walk.slices.items())
        return PropagationReport(
            self.segmentId,
            tuple(made for _, made in slices),
            tuple(self.keys[step].plane for step in sorted(self.keys)),
            tuple(self._walk.stops),
            self._isCancelled,
            self.error,
            time.monotonic() - self._started,
            self._walk.engineMs / 1000,
        )

    def _everything(self) -> Iterator[bool]:
        """Do all the work, a few milliseconds between two yields; True when only the engine can go on."""
        try:
            for isWaiting in self._segment():
                yield isWaiting
                if self._isCancelled:  # the walk has let go of what the next step would ask for
                    break
        except UserError as error:
            self.error = error
        self._walk.cancel()
        self._isWriting = True
        try:
            for _ in self._write():
                yield False
        except UserError as error:
            self.error = self.error or error

    def _segment(self) -> Iterator[bool]:
        while self._session.isBusy:
            yield True
        if self._options.method != "fill":
            yield from self._session.engine.loadedAgain()
        for _ in findKeySlices(self._session.workspace, self.segmentId, self._stack, self.keys):
            yield False
        self.keys = {step: key for step, key in self.keys.items() if self._low <= step <= self._high}
        if self._options.method != "fill":
            yield from self._learner.learn(self.keys)
        done = None
        for isWaiting in self._walk.run(self._routes()):
            if done != (done := self._walk.done):
                self._progress.emit(done, self._walk.total)
            yield isWaiting

    def _makeWalk(self):
        workspace = self._session.workspace
        if self._options.method == "fill":
            return SliceFill(workspace, self.segmentId, self._stack)
        if not self._session.engine.hasModel:
            raise EngineError("No model is loaded: choose one first.")
        given = workspace, self._session.engine, self.segmentId, self._stack, self._options
        if self._options.axes:
            return ConsensusVote(*given, keys=lambda: self.keys, learner=self._learner)
        return SliceFollower(*given, learner=self._learner)

    def _routes(self):
        """Return the routes to follow."""
        if self._options.region is not None:
            steps = range(self._low, self._high + 1)
            region, planes = self._options.region, self._stack.plane
            cut = [
                step for step in steps if step not in self.keys and region.pixelBox(planes(step)) is not None
            ]
            return [RegionRoute(region, cut)]
        if not any(key.mask.any() for key in self.keys.values()):
            raise PromptError(_NOTHING_THERE)
        if self._options.method == "fill":
            return self.keys
        return routesFrom(self.keys, self._low, self._high, self._options.direction)

    def _write(self) -> Iterator[None]:
        made = [slice for _, slice in sorted(self._walk.made.items())]
        kept = [key.plane for key in self.keys.values()]
        if made and self._learner.appearance is not None:
            provenance = self._session.workspace.provenance.of(self.segmentId)
            provenance.keepLearned(self._learner.appearance.to_dict())
        return self._session.editor.writeSlices(self.segmentId, self._options.method, made, kept)


def _chosenStack(session: SegmentationSession, options: PropagationOptions) -> PlaneStack:
    if options.axis is not None:
        return PlaneStack(planeFromAxis(session.volumeNode, options.axis), session.volumeNode)
    stack = stackOf(session.workspace, session.segmentId, session.plane)
    if stack is None:
        raise PromptError(_NOTHING_THERE)
    return stack


def _range(stack: PlaneStack, options: PropagationOptions) -> Tuple[int, int]:
    """Return the first and last step that may be segmented."""
    numbers = {stack.number(step): step for step in (stack.first, stack.last)}
    low = min(numbers) if options.first is None else max(options.first, min(numbers))
    high = max(numbers) if options.last is None else min(options.last, max(numbers))
    if low > high:
        raise InputError(
            f"There are no slices from {options.first} to {options.last}: "
            f"they are numbered {min(numbers)} to {max(numbers)}."
        )
    return tuple(sorted(stack.step(number) for number in (low, high)))
