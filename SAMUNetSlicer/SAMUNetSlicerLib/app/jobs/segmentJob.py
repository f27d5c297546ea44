"""Segment a volume by a prompts file into a folder of results, without anybody watching."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ...engine.serving import ModelSpec
from ...errors import PromptError
from ..common import Progress, noProgress
from ..engines import EngineClient
from ..files import (
    DEFAULT_KEYS,
    ExportSource,
    ResultFiles,
    baseName,
    loadVolume,
    readSourceImages,
    startScene,
)
from ..prompts import PromptsFile
from ..session import SegmentationSession
from .caseResults import confidences
from .promptRun import SegmentedSlice, runPrompts
from .slicePictures import savePicture, segmentedPicture


@dataclass(frozen=True)
class SegmentJob:
    """Volume to segment, prompts, and folder of the results.

    ``volume``: image file or DICOM folder, ``seriesUID``: which series of it; ``folder``, ``name``,
    ``existing``: see `ResultFiles`, ``name`` is by default the volume's; ``policy``: towards the other
    segments, see `SegmentWriter.writeMask`; ``withPictures``: also draw each segmented slice;
    ``formats``: keys of `exportFormats.FORMATS`; ``dicomSource``: see `ExportSource`, by default the volume.
    """

    volume: Path
    prompts: PromptsFile
    folder: Path
    spec: ModelSpec
    name: str = ""
    existing: str = "refuse"
    policy: str = "protectAll"
    withPictures: bool = False
    seriesUID: Optional[str] = None
    formats: Sequence[str] = DEFAULT_KEYS
    dicomSource: Optional[Path] = None


@dataclass(frozen=True, eq=False)
class JobResult:
    """Results of a job.

    ``files``: all that were written; ``notes``: what they cannot hold; ``statistics``: of the engine.
    """

    slices: List[SegmentedSlice]
    files: List[Path]
    notes: List[str]
    statistics: Dict


def runSegmentJob(
    job: SegmentJob,
    engine: EngineClient,
    progress: Progress = noProgress,
    pump: Optional[Callable[[], None]] = None,
) -> JobResult:
    """Load, segment, export and read back; nothing is written unless everything succeeds.

    :param engine: stays open.
    :param progress: told (slices done, slices in all).
    :param pump: called often while waiting; what it raises ends the job, `CancelledError` for example.
    :raises UserError: the first thing that goes wrong.
    """
    files = ResultFiles(job.folder, job.name or baseName(job.volume), job.existing, job.formats)
    with startScene() as host:
        session = SegmentationSession(host.scene, engine)
        try:
            session.setVolume(loadVolume(host, job.volume, seriesUID=job.seriesUID))
            if "dicom-seg" in job.formats:
                readSourceImages(job.dicomSource or job.volume, session.volumeNode)  # refuses before the work
            session.setPolicy(job.policy)
            engine.wait(session.setModel(job.spec), pump)
            slices = runPrompts(session, job.prompts, progress, pump, keepPrompts=False)
            if not any(each.pixels for each in slices):
                raise PromptError("Nothing was found at any prompt: move them, or try another network.")
            paths, notes = _write(job, session, slices, files)
            statistics = engine.wait(session.statistics(), pump)
        finally:
            session.close()
    return JobResult(slices, paths, notes, statistics)


def _write(
    job: SegmentJob, session: SegmentationSession, slices: List[SegmentedSlice], files: ResultFiles
) -> Tuple[List[Path], List[str]]:
    def draw(folder: Path) -> None:
        for number, each in enumerate(slices, 1):
            window = session.workspace.window()
            picture = segmentedPicture(session.segmentationNode, session.volumeNode, window, each)
            savePicture(picture, folder / f"{number:03d}.png")

    source = ExportSource(
        session.segmentationNode,
        session.volumeNode,
        confidences=confidences(slices),
        volumeFile=str(Path(job.volume).resolve()),
        dicomSource=job.dicomSource or job.volume,
    )
    return files.writeSource(source, draw if job.withPictures else None)
