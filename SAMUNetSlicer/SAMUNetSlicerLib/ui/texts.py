"""Sentences of the panel that depend on what has happened."""

from slicer.i18n import tr as _

from ..app.session import MaskReport
from ..engine.serving import EngineStatus


def maskText(report: MaskReport) -> str:
    """What there is to say about a mask: times, confidence, and notes about its prompts."""
    parts = [_encodingText(report), _decodingText(report), _confidenceText(report)]
    text = ", ".join(filter(None, parts))
    return " ".join([*report.notes, text[:1].upper() + text[1:]])


def engineText(status: EngineStatus) -> str:
    """Which network runs where."""
    return _("Runs on {device} in {precision}, loaded in {seconds} s.").format(
        device=status.device, precision=status.precision, seconds=f"{status.load_ms / 1000:.1f}"
    )


def _encodingText(report: MaskReport) -> str:
    if report.source == "encoded":
        return _("encoded in {ms} ms").format(ms=f"{report.encodeMs:.0f}")
    return _("slice was ready") if report.source else ""


def _decodingText(report: MaskReport) -> str:
    if report.decodeMs is None:
        return _("written in {ms} ms").format(ms=f"{report.writeMs:.0f}")
    return _("decoded in {ms} ms").format(ms=f"{report.decodeMs:.0f}")


def _confidenceText(report: MaskReport) -> str:
    if report.confidence is None:
        return ""
    return _("confidence {confidence}").format(confidence=f"{report.confidence:.2f}")
