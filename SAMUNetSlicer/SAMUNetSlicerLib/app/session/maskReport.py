"""What there is to say about a mask that was just written."""

from dataclasses import dataclass
from typing import Optional, Tuple

from ...engine.serving.reports import PredictReport
from .sliceRequest import WrittenMask
from .workspace import Target


@dataclass(frozen=True)
class MaskReport:
    """What is to be said about the last mask; times in ms, None where nothing was predicted.

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


def maskReport(written: WrittenMask, report: Optional[PredictReport]) -> MaskReport:
    target = written.request.target
    if report is None:
        return MaskReport(target, None, (), written.writeMs)
    return MaskReport(
        target,
        float(report.prediction.confidence),
        tuple(report.prediction.notes),
        written.writeMs,
        report.encoding.source,
        report.encoding.encode_ms,
        report.decode_ms,
    )
