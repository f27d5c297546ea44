"""Run a prompts file in a session: each segment's slices are predicted, then written at once."""

import time
import uuid
from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional

import numpy as np

from ...engine.types import Prompts
from ...scene.prompts import PromptRecord, promptPixels, sameOrientation
from ..common import Progress, noProgress
from ..engines import BLOCK_SECONDS
from ..prompts import (
    PlacedPrompts,
    PromptsFile,
    SegmentPrompts,
    chosenTerminology,
    placePrompts,
    readPropagationOptions,
)
from ..propagation import PropagationReport, Propagator
from ..session import (
    MaskReport,
    PixelOrigins,
    PredictedSlice,
    SegmentationSession,
    SliceRequest,
    Target,
    draftRecord,
    promptsOnSlice,
    resolveWindow,
)
from .predictionQueue import PredictionQueue, SlicePrediction

_ORIENTATIONS = ("sagittal", "coronal", "axial")  # by the axis of RAS nearest to the normal


@dataclass(frozen=True, eq=False)
class SegmentedSlice:
    """One slice that was segmented: its prompts in the volume, and what is to be said about its mask.

    ``pixels``: of the mask as predicted; ``isPropagated``: made from a neighbor, without prompts of its own.
    """

    segmentId: str
    name: str
    prompts: PlacedPrompts
    report: MaskReport
    pixels: int
    isPropagated: bool = False

    @property
    def place(self) -> str:
        """Name the slice for people: nearest orientation and voxel index, such as "axial 18", or
        "oblique".
        """
        plane = self.prompts.plane
        if plane.axis is None:
            return "oblique"
        return f"{_ORIENTATIONS[int(np.abs(plane.normal).argmax())]} {plane.index}"


class _PlacedSegment(NamedTuple):
    """Segment of a prompts file with its prompts placed in the volume.

    ``parts``: its slices by orientation; those of one are written together.
    """

    segment: SegmentPrompts
    parts: List[List[PlacedPrompts]]


class PromptRun:
    """Segments everything that prompts ask for, on the session's volume, into its segmentation.

    All prompts are placed before anything is made: a prompt outside the volume changes nothing.

    ``slices``: what was segmented; ``engineSeconds``: what encoding and decoding have taken.

    :param progress: told (slices done, slices in all); those that propagation adds do not count.
    :param keepPrompts: also put the prompts into the scene, where the user can correct them.
    :raises UserError: a prompt cannot be placed, or there is no volume.
    """

    def __init__(
        self,
        session: SegmentationSession,
        prompts: PromptsFile,
        progress: Progress = noProgress,
        keepPrompts: bool = True,
    ):
        volumeNode = session.workspace.requireVolume()
        self.slices: List[SegmentedSlice] = []
        self.engineSeconds = 0.0
        self._session = session
        self._window = resolveWindow(volumeNode, prompts.window)
        self._progress = progress
        self._keepPrompts = keepPrompts
        self._segments = [_placed(segment, volumeNode) for segment in prompts.segments]
        self._done = 0

    def steps(self) -> Iterator[bool]:
        """Do all the work, some milliseconds between two yields; True when only the engine can go on.

        :raises UserError: the first thing that goes wrong; segments made before it stay.
        """
        self._session.setWindow(self._window)
        self._tell(0)
        queue = PredictionQueue(self._session.engine, self._requests())
        try:
            for segment, parts in self._segments:
                yield from self._segment(segment, parts, queue)
        finally:
            queue.cancel()

    def _segment(self, segment: SegmentPrompts, parts, queue: PredictionQueue) -> Iterator[bool]:
        segmentId = None
        for part in parts:
            predictions = []
            for _ in part:
                predictions.append((yield from queue.take()))
                predictions[-1].reports()  # raises what went wrong
                self._tell(self._done + 1)
            if segmentId is None:
                segmentId = self._session.addSegment(segment.name, segment.color, chosenTerminology(segment))
            yield from self._write(segmentId, segment, part, predictions)
        if self._canGoOn(segmentId, segment):
            yield from self._propagate(segmentId, segment)

    def _canGoOn(self, segmentId: str, segment: SegmentPrompts) -> bool:
        """Tell whether a segment can be propagated: an empty one is not, and the results say that it is
        empty.
        """
        if segment.propagation is None or "region" in segment.propagation:
            return segment.propagation is not None
        written = (each.report.target for each in self.slices if each.segmentId == segmentId)
        return any(self._session.workspace.readMask(target).any() for target in written)

    def _tell(self, done: int) -> None:
        self._done = done
        self._progress(done, sum(len(part) for _, parts in self._segments for part in parts))

    def _requests(self) -> Iterator[SliceRequest]:
        """Give the slices in order; a segment is added, and named in them, when its first slice is done."""
        workspace = self._session.workspace
        for _, parts in self._segments:
            for placed in (placed for part in parts for placed in part):
                image = workspace.images.image(workspace.requireVolume(), placed.plane, self._window)
                records, untouched = _records(placed), PixelOrigins.untouched(placed.plane.shape)
                prompts = Prompts(*promptPixels(records, placed.plane))
                yield SliceRequest(Target("", placed.plane), records, self._window, image, untouched, prompts)

    def _write(
        self,
        segmentId: str,
        segment: SegmentPrompts,
        part: List[PlacedPrompts],
        predictions: List[SlicePrediction],
    ) -> Iterator[bool]:
        started = time.perf_counter()
        if self._keepPrompts or segment.propagation is not None:
            self._addPrompts(segmentId, predictions)
        made = [self._made(segmentId, each) for each in predictions]
        for _ in self._session.editor.writeSlices(segmentId, "prompts", made):
            yield False
        writeMs = (time.perf_counter() - started) * 1000 / len(made)
        for placed, each, prediction in zip(part, made, predictions):
            report = _report(each.target, prediction, writeMs)
            self.engineSeconds += (report.encodeMs + report.decodeMs) / 1000
            pixels = int(np.count_nonzero(each.mask))
            self.slices.append(SegmentedSlice(segmentId, segment.name, placed, report, pixels))

    def _addPrompts(self, segmentId: str, predictions: List[SlicePrediction]) -> None:
        store = self._session.workspace.prompts
        known = store.prompts(segmentId)
        given = [record for each in predictions for record in each.request.records]
        numbered = enumerate(given, len(known))
        new = (replace(record, segmentId=segmentId, order=number) for number, record in numbered)
        store.restore(segmentId, [*known, *new])

    def _made(self, segmentId: str, prediction: SlicePrediction) -> PredictedSlice:
        target = Target(segmentId, prediction.request.target.plane)
        _, report = prediction.reports()
        request = replace(prediction.request, target=target)
        draft = draftRecord(request, self._session.workspace.policy, report, self._session.engine.lastStatus)
        return PredictedSlice(target, report.prediction.mask, None, draft)

    def _propagate(self, segmentId: str, segment: SegmentPrompts) -> Iterator[bool]:
        reports: List[PropagationReport] = []
        self._session.selectSegment(segmentId)
        propagator = Propagator(self._session)
        propagator.finished.connect(reports.append)
        try:
            propagator.start(readPropagationOptions(segment.propagation, self._session.volumeNode))
            while propagator.isRunning:  # it goes on as the session is polled
                yield True
        finally:
            propagator.close()
        if reports[0].error is not None:
            raise reports[0].error
        self.engineSeconds += reports[0].engineSeconds
        for each in reports[0].slices:
            target = Target(segmentId, each.plane)
            nothing = PlacedPrompts(each.plane, np.zeros((0, 3)), np.zeros(0, bool), np.zeros((0, 2, 3)))
            pixels = int(np.count_nonzero(self._session.workspace.readMask(target)))
            report = MaskReport(target, each.confidence, (), 0.0)
            self.slices.append(SegmentedSlice(segmentId, segment.name, nothing, report, pixels, True))


def runPrompts(
    session: SegmentationSession,
    prompts: PromptsFile,
    progress: Progress = noProgress,
    pump: Optional[Callable[[], None]] = None,
    keepPrompts: bool = True,
) -> List[SegmentedSlice]:
    """Do all of a `PromptRun` and wait for it.

    :param pump: see ``SegmentationSession.waitUntilIdle``.
    :raises UserError: the first thing that goes wrong; segments made before it stay.
    """
    run = PromptRun(session, prompts, progress, keepPrompts)
    session.waitUntilIdle(pump)
    steps = run.steps()
    try:
        for isWaiting in steps:
            if isWaiting:
                session.engine.block(BLOCK_SECONDS)
                if pump is not None:
                    pump()
                session.poll()
    finally:
        steps.close()
    return run.slices


def _placed(segment: SegmentPrompts, volumeNode) -> _PlacedSegment:
    """Return the prompts of a segment with one entry for each slice, in the order of the first ones."""
    bySlice: Dict[str, PlacedPrompts] = {}
    for prompts in segment.planes:
        placed = placePrompts(prompts, volumeNode)
        key = placed.plane.signature()
        bySlice[key] = placed if key not in bySlice else _joined(bySlice[key], placed)
    parts: List[List[PlacedPrompts]] = []
    for placed in bySlice.values():
        if not parts or not sameOrientation(parts[-1][-1].plane.normal, placed.plane.normal):
            parts.append([])
        parts[-1].append(placed)
    return _PlacedSegment(segment, parts)


def _joined(first: PlacedPrompts, second: PlacedPrompts) -> PlacedPrompts:
    names = ("points", "positive", "boxes")
    return PlacedPrompts(
        first.plane, *(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names)
    )


def _records(placed: PlacedPrompts) -> tuple:
    points, boxes = promptsOnSlice(placed.points, placed.boxes, placed.plane)
    kinds = ("positive" if isPositive else "negative" for isPositive in placed.positive)
    given = [*(("box", corners) for corners in boxes), *zip(kinds, ((point,) for point in points))]
    return tuple(
        PromptRecord(uuid.uuid4().hex, kind, ras, placed.plane, number, "")
        for number, (kind, ras) in enumerate(given)
    )


def _report(target: Target, prediction: SlicePrediction, writeMs: float) -> MaskReport:
    encoding, report = prediction.reports()
    return MaskReport(
        target,
        float(report.prediction.confidence),
        tuple(report.prediction.notes),
        writeMs,
        encoding.source,
        encoding.encode_ms,
        report.decode_ms,
    )
