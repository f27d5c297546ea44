"""Run one case from its files to its folder of results, by an engine that stays loaded from case to case."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Generator, Iterator, List, Optional

from ...engine.serving import ModelSpec
from ...engine.windowing import WindowSetting
from ...errors import UserError
from ..common import Progress, noProgress
from ..engines import BLOCK_SECONDS, EngineClient, Ticket
from ..files import (
    DEFAULT_KEYS,
    ExportSource,
    ResultFiles,
    SceneHost,
    addVolume,
    loadVolume,
    readImage,
    readMarkups,
    readSegmentation,
    seriesFiles,
    startScene,
)
from ..jobs import (
    DONE,
    FAILED,
    NEEDS_REVIEW,
    CaseRecord,
    PromptRun,
    SegmentedSlice,
    confidences,
    drawThumbnails,
    reviewReasons,
    segmentResults,
    sliceResults,
)
from ..prompts import (
    CoarsePrompts,
    MarkupPrompts,
    PromptSource,
    SegmentsOfLabels,
    SegmentsOfMasks,
    SegmentsOfNode,
    SharedPrompts,
    SliceChoice,
    TablePrompts,
    readPromptsFile,
)
from ..session import SegmentationSession
from .caseFiles import writeCase
from .casePrompts import MARKUPS, PROMPTS, TABLE, CasePrompts
from .caseTask import CaseTask

_log = logging.getLogger(__name__)


class CaseRunner:
    """Runs cases; several may be under way at once, so that the engine works while files are read or written.

    :param engine: stays open; the model that the cases ask for is loaded when the first one asks for it.
    """

    def __init__(self, engine: EngineClient):
        self._engine = engine
        self._reader = ThreadPoolExecutor(1, "SAMUNetSlicer reader")
        self._idleScenes: List[SceneHost] = []
        self._spec: Optional[ModelSpec] = None
        self._loading: Optional[Ticket] = None

    def run(self, task: CaseTask, progress: Progress = noProgress) -> CaseRecord:
        """Do one case and wait for it: plain data in, plain data out, never an exception for a bad case."""
        steps = self.steps(task, progress)
        while True:
            try:
                isWaiting = next(steps)
            except StopIteration as finished:
                return finished.value
            if isWaiting:
                self._engine.block(BLOCK_SECONDS)

    def steps(self, task: CaseTask, progress: Progress = noProgress) -> Generator[bool, None, CaseRecord]:
        """Do what ``run`` does, in parts: yields True when only the engine or a disk can go on.

        :param progress: told (slices done, slices in all).
        """
        try:
            return (yield from self._segment(task, progress))
        except UserError as error:
            return task.record(state=FAILED, message=str(error), error=type(error).__name__)
        except Exception as error:  # one case's fault must not stop the others
            _log.exception("Unexpected fault in case %s", task.case.name)
            first = (str(error).splitlines() or [""])[0]
            message = f"The case met an unexpected fault ({type(error).__name__}: {first}); report it."
            return task.record(state=FAILED, message=message, error=type(error).__name__)

    def close(self) -> None:
        """Stop reading; the engine stays open."""
        self._reader.shutdown(wait=False, cancel_futures=True)
        while self._idleScenes:
            self._idleScenes.pop().close()

    def _segment(self, task: CaseTask, progress: Progress) -> Generator[bool, None, CaseRecord]:
        clock, key = _Clock(), task.key()
        reading = self._reader.submit(readImage, Path(task.case.path), task.case.seriesUID)
        try:
            yield from self._loaded(task.spec)
            while not reading.done():
                yield True
            with self._scene() as host:
                session = SegmentationSession(host.scene, self._engine)
                try:
                    session.setPolicy(task.policy)
                    session.setVolume(addVolume(host, reading.result(), task.case.name))
                    reading = None  # the scene has its own copy of the voxels
                    prompts = sourceOf(task.prompts, host, task.choice).promptsFor(session.volumeNode)
                    clock.note("load")
                    run = PromptRun(session, prompts, progress, keepPrompts=False)
                    yield from _polling(session, run.steps())
                    clock.note("segment")
                    clock.seconds["engine"] = round(run.engineSeconds, 3)
                    return _write(task, key, session, run.slices, session.workspace.window(), clock)
                finally:
                    session.close()
        finally:
            if reading is not None:
                reading.cancel()

    @contextmanager
    def _scene(self) -> Iterator[SceneHost]:
        """Provide an empty scene, which is used again afterwards: of each new one MRML keeps some memory."""
        host = self._idleScenes.pop() if self._idleScenes else startScene()
        try:
            yield host
        finally:
            host.scene.Clear(False)
            self._idleScenes.append(host)

    def _loaded(self, spec: ModelSpec) -> Iterator[bool]:
        """Wait until the model is there; two cases that are under way ask for it once."""
        if spec != self._spec or self._loading.error is not None:
            self._spec, self._loading = spec, self._engine.start(spec)
        while not self._loading.isDone:
            self._engine.poll()
            yield True
        self._loading.value()


class _Clock:
    """Wall time by part of the work, in seconds."""

    def __init__(self):
        self.seconds: Dict[str, float] = {}
        self._last = time.monotonic()

    def note(self, part: str) -> None:
        now = time.monotonic()
        self.seconds[part], self._last = round(now - self._last, 3), now


def sourceOf(prompts: CasePrompts, host: SceneHost, choice: SliceChoice) -> PromptSource:
    """Return the source that gives a volume the prompts that lie in files.

    :raises UserError: a file cannot be read.
    """
    paths = [Path(path) for path in prompts.paths]
    if prompts.kind == PROMPTS:
        return SharedPrompts(readPromptsFile(paths[0]))
    if prompts.kind == MARKUPS:
        return MarkupPrompts([node for path in paths for node in readMarkups(host, path)], choice)
    if prompts.kind == TABLE:
        return TablePrompts(prompts.rows, choice)
    if paths[0].name.lower().endswith(".seg.nrrd"):
        return CoarsePrompts(SegmentsOfNode(readSegmentation(host, paths[0])), choice)
    nodes = [loadVolume(host, path) for path in paths]
    return CoarsePrompts(SegmentsOfLabels(nodes[0]) if len(nodes) == 1 else SegmentsOfMasks(nodes), choice)


def _polling(session: SegmentationSession, steps: Iterator[bool]) -> Iterator[bool]:
    for isWaiting in steps:
        yield isWaiting
        if isWaiting:
            session.poll()


def _write(
    task: CaseTask,
    key: str,
    session: SegmentationSession,
    slices: List[SegmentedSlice],
    window: WindowSetting,
    clock: _Clock,
) -> CaseRecord:
    segmentationNode, volumeNode = session.segmentationNode, session.volumeNode

    def fill(staging: Path) -> CaseRecord:
        files = ResultFiles(staging, task.case.name, formats=task.formats or DEFAULT_KEYS)
        source = ExportSource(
            segmentationNode, volumeNode, None, confidences(slices), task.case.path, _dicomSource(task)
        )
        _, notes = files.writeSource(source)
        pictures = drawThumbnails(staging, segmentationNode, volumeNode, window, slices)
        results = sliceResults(slices, pictures)
        segments = segmentResults(segmentationNode, volumeNode, slices)
        reasons = reviewReasons(segments, results, task.reviewBelow)
        clock.note("write")
        return task.record(
            state=NEEDS_REVIEW if reasons else DONE,
            reasons=reasons,
            segments=segments,
            slices=results,
            notes=tuple(notes),
            seconds=clock.seconds,
            key=key,
        )

    return writeCase(Path(task.folder), task.case.name, fill)


def _dicomSource(task: CaseTask):
    """See `ExportSource`; finding the files of a series takes its time."""
    path = Path(task.case.path)
    isNeeded = "dicom-seg" in task.formats and path.is_dir()
    return seriesFiles(path, task.case.seriesUID) if isNeeded else path
