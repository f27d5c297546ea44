"""Make masks again from their provenance, to prove that they are what they claim to be."""

from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ...engine.learning import Appearance, Known
from ...engine.serving import ModelSpec
from ...engine.windowing import WindowSetting, to_uint8
from ...errors import InputError, WeightsError
from ...scene.geometry import extractSlice, sliceValues
from ...scene.segments import SegmentWriter, newSegment
from ..engines import EngineClient, Ticket
from ..files import RecordedSegment, RecordedSegmentation, ResultFiles, loadVolume, readProvenance, startScene
from ..session import SliceRecord, decodeMask, imageDigest

Progress = Callable[[int, int], None]  # (slices done, slices in total); may raise to give up


class ReplayedSlice(NamedTuple):
    """Slice whose mask was made again.

    ``pixels``: of the recorded mask; ``differing``: pixels in which the new mask is not the same.
    """

    segment: str
    record: SliceRecord
    pixels: int
    differing: int

    @property
    def isIdentical(self) -> bool:
        return self.differing == 0


class Replay:
    """Makes the masks of a recorded segmentation again, in their order, into an empty segmentation.

    :param specFor: gives the spec to load for a record's model entry (id, key, device, precision).
    """

    def __init__(
        self,
        scene,
        volumeNode,
        segmentationNode,
        engine: EngineClient,
        specFor: Callable[[dict], ModelSpec],
    ):
        self._volumeNode = volumeNode
        self._segmentationNode = segmentationNode
        self._engine = engine
        self._specFor = specFor
        self._writer = SegmentWriter(scene)
        self._loaded: Optional[Tuple] = None

    def run(
        self, recorded: RecordedSegmentation, progress: Progress = lambda done, total: None
    ) -> List[ReplayedSlice]:
        """Make all masks again and compare them.

        :raises InputError: the volume is not the one that was segmented.

        :raises WeightsError: the weights are not those that were used.
        """
        ids = [self._newSegment(segment) for segment in recorded.segments]
        steps = [
            (segmentId, segment, record)
            for segmentId, segment in zip(ids, recorded.segments)
            for record in segment.records
        ]
        steps.sort(key=lambda step: step[2].sequence)
        replayed = []
        for step in steps:
            pump = partial(progress, len(replayed), len(steps))
            pump()
            replayed.append(self._replay(*step, pump))
        progress(len(steps), len(steps))
        return replayed

    def _newSegment(self, segment: RecordedSegment) -> str:
        return newSegment(self._segmentationNode, segment.name, segment.color)

    def _replay(
        self, segmentId: str, segment: RecordedSegment, record: SliceRecord, pump: Callable[[], None]
    ) -> ReplayedSlice:
        plane = record.slicePlane()
        predicted = record.content().withoutPrompts()
        if record.model is not None:
            self._requireModel(record.model, pump)
            ticket = self._ask(segment, record)
            predicted = self._engine.wait(ticket, pump).prediction.mask
        elif (
            record.origin is not None
        ):  # made of other slices, or given: nothing that could be computed again
            predicted = decodeMask(record.mask, record.shape)
        mask = record.content().merged(predicted)
        self._writer.writeMask(
            self._segmentationNode, segmentId, plane, mask, self._volumeNode, policy=record.policy
        )
        before = decodeMask(record.mask, record.shape)
        return ReplayedSlice(segment.name, record, int(before.sum()), int((mask != before).sum()))

    def _ask(self, segment: RecordedSegment, record: SliceRecord) -> Ticket:
        image, prompts, plane = self._image(record), record.networkPrompts(), record.slicePlane()
        learned = (record.origin or {}).get("learned")
        if learned is None:
            return self._engine.predict(image, prompts, plane.spacing)
        if segment.learned(learned) is None:
            raise InputError(f"The provenance lacks what was learned about '{segment.name}'.")
        beside = decodeMask(record.origin["beside"], record.shape)
        appearance = Appearance.from_dict(segment.learned(learned))
        known = Known(sliceValues(self._volumeNode, plane), beside, appearance)
        return self._engine.recognize(image, prompts, known, plane.spacing)

    def _image(self, record: SliceRecord) -> np.ndarray:
        window = WindowSetting.from_dict(record.window)
        image = to_uint8(extractSlice(self._volumeNode, record.slicePlane()), window)
        if imageDigest(image) != record.image:
            raise InputError(
                f"'{self._volumeNode.GetName()}' is not the volume that was segmented: "
                "a slice shows other pixels than the provenance says."
            )
        return image

    def _requireModel(self, model: Dict[str, str], pump: Callable[[], None]) -> None:
        wanted = tuple(sorted(model.items()))
        if self._loaded == wanted:
            return
        status = self._engine.wait(self._engine.start(self._specFor(model)), pump)
        if status.model_key != model["key"]:
            raise WeightsError(
                f"The weights of '{model['id']}' on this machine are not those that were used: "
                f"{status.model_key} instead of {model['key']}."
            )
        self._loaded = wanted


def runReplayJob(
    provenance: Path,
    volume: Path,
    engine: EngineClient,
    specFor: Callable[[dict], ModelSpec],
    progress: Progress,
    files: Optional[ResultFiles] = None,
) -> List[ReplayedSlice]:
    """Make every recorded mask again and compare it with the record.

    :param specFor: see `Replay`.
    :param files: where to write the segmentation that was made, None for nowhere.
    :raises UserError: the provenance or the volume cannot be used, or the weights are others.
    """
    recorded = readProvenance(provenance)
    with startScene() as host:
        volumeNode = loadVolume(host, volume)
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", volumeNode.GetName())
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        replayed = Replay(host.scene, volumeNode, node, engine, specFor).run(recorded, progress)
        if files is not None:
            files.write(node, volumeNode, str(Path(volume).resolve()), {})
    return replayed
