"""Collect the network's input for the prompts of a slice, and write its answer with its provenance."""

import time
from dataclasses import dataclass, replace
from typing import Optional, Sequence, Tuple

import numpy as np

from ... import __version__
from ...engine.serving import EngineStatus, PredictReport
from ...engine.types import Prompts
from ...engine.windowing import WindowSetting
from ...scene.prompts import PromptRecord, promptPixels
from ...scene.segments import Change
from ..common import utcNow
from .pixelOrigins import PixelOrigins
from .sliceRecord import SliceRecord, imageDigest, maskFields, promptFields
from .workspace import Target, Workspace


@dataclass(frozen=True, eq=False)
class SliceRequest:
    """Everything that a prediction depends on, as it was when the prompts were given.

    ``prompts``: the network's input, without points and boxes when the user has removed them all.
    """

    target: Target
    records: Tuple[PromptRecord, ...]
    window: WindowSetting
    image: np.ndarray
    content: PixelOrigins
    prompts: Prompts

    @property
    def isEmpty(self) -> bool:
        return not self.records


@dataclass(frozen=True)
class MaskReport:
    """Report about the last mask, for the user; times in ms, None where nothing was predicted.

    ``confidence``: in [0, 1]; ``notes``: sentences about prompts that were repaired or refused;
    ``source``: where the slice's embedding came from, "memory", "disk" or "encoded".
    """

    target: Target
    confidence: Optional[float]
    notes: Tuple[str, ...]
    writeMs: float
    source: Optional[str] = None
    encodeMs: Optional[float] = None
    decodeMs: Optional[float] = None


def prepareRequest(workspace: Workspace, target: Target) -> SliceRequest:
    """Collect everything that the mask of a slice depends on.

    :raises UserError: the volume, the segmentation or a prompt cannot be used.
    """
    volumeNode, plane = workspace.requireVolume(), target.plane
    workspace.requireSegmentation()
    records = tuple(workspace.prompts.promptsFor(target.segmentId, plane))
    earlier = workspace.provenance.of(target.segmentId).record(plane.signature())
    content = PixelOrigins.untouched(plane.shape) if earlier is None else earlier.content()
    content = content.withEdits(workspace.readMask(target), _networkPrompts(records, target))
    content = content.withPrompts(_networkPrompts(_newOnes(records, earlier), target))
    window = workspace.window()
    image = workspace.images.image(volumeNode, plane, window)
    return SliceRequest(
        target, records, window, image, content, _networkPrompts(records, target, content.start)
    )


def isUpToDate(workspace: Workspace, target: Target) -> bool:
    """Tell whether the slice's mask was made from the prompts that it has now."""
    records = workspace.prompts.promptsFor(target.segmentId, target.plane)
    earlier = workspace.provenance.of(target.segmentId).record(target.plane.signature())
    known = 0 if earlier is None else len(earlier.prompts)
    return len(records) == known and not _newOnes(records, earlier)


def writeAnswer(
    workspace: Workspace,
    request: SliceRequest,
    report: Optional[PredictReport],
    status: Optional[EngineStatus],
) -> Tuple[Change, MaskReport]:
    """Put the predicted mask into the segment, with what the user painted there kept.

    :param report: None when there are no prompts left: the network's part of the slice goes, down to a
        mask that was given or carried over from another slice.
    :raises InputError: a node or the segment is gone.
    """
    started, target = time.perf_counter(), request.target
    # Read again: the user may have painted while the network was busy.
    content = request.content.withEdits(workspace.readMask(target), request.prompts)
    predicted = content.withoutPrompts()
    if report is not None:
        predicted = report.prediction.mask
    mask = content.merged(predicted)
    change = workspace.writeMask(target, mask)
    provenance = workspace.provenance.of(target.segmentId)
    draft = draftRecord(request, workspace.policy, report, status)
    record = writtenRecord(workspace, target, draft, mask, content)
    provenance.put(target.plane.signature(), record)
    provenance.log(
        "mask",
        plane=target.plane.signature(),
        prompts=len(request.records),
        confidence=record.confidence,
        keptByHand=bool(content.added.any() or content.removed.any()),
    )
    workspace.provenance.saveLater(target.segmentId)
    return change, _maskReport(target, report, (time.perf_counter() - started) * 1000)


def recordGivenMask(workspace: Workspace, target: Target) -> None:
    """Note that the slice, whoever made it, is what the network starts from and may change.

    :raises UserError: as ``prepareRequest``.
    """
    request = prepareRequest(workspace, target)
    draft = draftRecord(request, workspace.policy, None, None, {"method": "mask"})
    mask = workspace.readMask(target)
    record = writtenRecord(workspace, target, draft, mask, PixelOrigins.untouched(mask.shape))
    provenance = workspace.provenance.of(target.segmentId)
    provenance.put(target.plane.signature(), record)
    provenance.log("mask as prompt", plane=target.plane.signature())
    workspace.provenance.saveLater(target.segmentId)


def _networkPrompts(
    records: Sequence[PromptRecord], target: Target, start: Optional[np.ndarray] = None
) -> Prompts:
    return Prompts(*promptPixels(records, target.plane), start)


def _newOnes(records: Sequence[PromptRecord], earlier: Optional[SliceRecord]) -> Tuple[PromptRecord, ...]:
    """Return the prompts that were added or moved since the slice was written."""
    known = {} if earlier is None else {entry["id"]: entry["ras"] for entry in earlier.prompts}
    return tuple(record for record in records if record.id not in known or not record.isAt(known[record.id]))


def draftRecord(
    request: SliceRequest,
    policy: str,
    report: Optional[PredictReport],
    status: Optional[EngineStatus],
    origin: Optional[dict] = None,
) -> SliceRecord:
    """Return the part of a slice's record that is known before the mask is written, see ``writtenRecord``."""
    return SliceRecord(
        plane=request.target.plane.toDict(),
        **promptFields(request.records, request.prompts),
        window=request.window.to_dict(),
        image=imageDigest(request.image),
        policy=policy,
        origin=origin,
        **({} if report is None else _predictionFields(report, status)),
    )


def writtenRecord(
    workspace: Workspace, target: Target, draft: SliceRecord, mask: np.ndarray, content: PixelOrigins
) -> SliceRecord:
    """Return the record of a slice that was just written.

    :param mask: (H, W) bool, what was to be written.
    """
    written = replace(content, written=workspace.readMask(target))
    return replace(
        draft,
        sequence=workspace.provenance.nextSequence(),
        time=utcNow(),
        **maskFields(mask, written),
    )


def _predictionFields(report: PredictReport, status: EngineStatus) -> dict:
    return {
        "model": {
            "id": status.model_id,
            "key": status.model_key,
            "device": status.device,
            "precision": status.precision,
        },
        "versions": {"SAMUNetSlicer": __version__, **status.versions},
        "confidence": float(report.prediction.confidence),
        "notes": tuple(report.prediction.notes),
    }


def _maskReport(target: Target, report: Optional[PredictReport], writeMs: float) -> MaskReport:
    if report is None:
        return MaskReport(target, None, (), writeMs)
    return MaskReport(
        target,
        float(report.prediction.confidence),
        tuple(report.prediction.notes),
        writeMs,
        report.encoding.source,
        report.encoding.encode_ms,
        report.decode_ms,
    )
