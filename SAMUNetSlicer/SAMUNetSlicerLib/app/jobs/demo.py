"""Run the demo: real volumes and weights, and every promise checked on the files that were written."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Tuple

import numpy as np
import SimpleITK as sitk

from ...engine.overlap import dice
from ...engine.serving import ModelSpec
from ...errors import OutputError
from ...scene.geometry import SlicePlane
from ...scene.segments import SegmentWriter, labelVolume
from ..common import outputErrors
from ..files import SceneHost, baseName, loadVolume, readSegmentation, startScene
from ..prompts import PromptsFile, parsePrompts
from ..session import MaskReport, resolveWindow
from .demoCases import DemoCase, LabeledVolume, promptsDocument
from .segmentJob import JobResult, SegmentJob, runSegmentJob
from .slicePictures import slicePicture


@dataclass(frozen=True, eq=False)
class DemoSlice:
    """One slice of the demo.

    ``prompt``: "box" or "click"; ``first``, ``again``: what was said about its mask with an empty and with
    a filled cache; ``dice``: of the written mask against the truth; ``picture``: uint8 (H, W, 3).
    """

    name: str
    place: str
    prompt: str
    first: MaskReport
    again: MaskReport
    dice: float
    picture: np.ndarray


class Demo:
    """Segments a sample volume twice and checks what was written.

    :param data: folder of the sample data; ``folder``: takes the results.
    :param openEngine: makes an engine in a ``with`` statement; each run gets its own, so that encoded slices
        are found again on disk.
    """

    def __init__(self, data: Path, folder: Path, spec: ModelSpec, openEngine: Callable):
        self._data, self._folder, self._spec, self._openEngine = data, folder, spec, openEngine

    def run(self, case: DemoCase) -> List[DemoSlice]:
        """Segment one case, read its files back, draw its slices.

        :raises OutputError: a file does not hold what was segmented.
        :raises UserError: anything else that goes wrong, as one sentence.
        """
        truth = LabeledVolume(self._data, case.volume)
        with startScene() as host:
            volumeNode = loadVolume(host, self.volumeFile(case))
            labelNode = loadVolume(host, truth.labelFile)
            prompts = self._writePrompts(case, promptsDocument(case, truth, labelNode, volumeNode))
            first, again = self._segment(case, prompts), self._segment(case, prompts)
            files = ReadBack(host, volumeNode, self.stem(case))
            files.requireSameVoxels()
            rows = []
            for structure, one, other in zip(case.structures, first.slices, again.slices):
                reference = truth.mask(labelNode, one.prompts.plane, one.name)
                mask = files.mask(one.name, one.prompts.plane)
                agreement = dice(mask, reference)
                caption = f"{one.name}, {one.place}: Dice {agreement:.2f}"
                color = files.color(one.name)
                picture = slicePicture(
                    volumeNode,
                    resolveWindow(volumeNode, prompts.window),
                    one.prompts,
                    mask,
                    reference,
                    color,
                    caption,
                )
                rows.append(
                    DemoSlice(
                        one.name, one.place, structure.prompt, one.report, other.report, agreement, picture
                    )
                )
        return rows

    def stem(self, case: DemoCase) -> Path:
        """Return the path of the results of a case, without their endings."""
        return self._folder / baseName(Path(case.volume))

    def volumeFile(self, case: DemoCase) -> Path:
        return self._data / case.volume

    def _writePrompts(self, case: DemoCase, document: dict) -> PromptsFile:
        path = self.stem(case).with_name(f"{self.stem(case).name}.prompts.json")
        with outputErrors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        return parsePrompts(document, path.name)

    def _segment(self, case: DemoCase, prompts: PromptsFile) -> JobResult:
        job = SegmentJob(self.volumeFile(case), prompts, self._folder, self._spec, existing="overwrite")
        with self._openEngine() as engine:
            return runSegmentJob(job, engine)


class ReadBack:
    """The segmentation of a ``.seg.nrrd`` file and the label map that was written beside it.

    :param stem: path of the results without their endings.
    :raises InputError: the segmentation cannot be read.
    """

    def __init__(self, host: SceneHost, volumeNode, stem: Path):
        self._volumeNode = volumeNode
        self._labelFile = stem.with_name(stem.name + ".nii.gz")
        self._writer = SegmentWriter(host.scene)
        self._node = readSegmentation(host, stem.with_name(stem.name + ".seg.nrrd"))

    def requireSameVoxels(self) -> int:
        """Compare both files voxel by voxel; return how many voxels belong to segments.

        :raises OutputError: they differ.
        """
        ids = list(self._node.GetSegmentation().GetSegmentIDs())
        expected = labelVolume(self._node, self._volumeNode, ids).labels
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(self._labelFile)))
        if found.shape != expected.shape or (found != expected).any():
            raise OutputError(f"{self._labelFile} does not hold the segments of the .seg.nrrd beside it.")
        return int(np.count_nonzero(found))

    def mask(self, name: str, plane: SlicePlane) -> np.ndarray:
        """Return bool (H, W): the segment of that name on a slice."""
        return self._writer.readMask(self._node, self._idOf(name), plane)

    def color(self, name: str) -> Tuple[float, float, float]:
        """Return (r, g, b) in [0, 1] of the segment of that name."""
        return self._node.GetSegmentation().GetSegment(self._idOf(name)).GetColor()

    def _idOf(self, name: str) -> str:
        return self._node.GetSegmentation().GetSegmentIdBySegmentName(name)
