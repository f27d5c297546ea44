"""Word what front ends say about a session: masks, choices, propagation, slices to review.

Each function takes ``translate``, by default the identity; in Slicer it is ``slicer.i18n.tr``.  Its local
name is ``_``, by which Slicer's tools find the sentences to translate.
"""

from typing import Callable, Dict

from ..engine.serving import EngineStatus
from ..engine.windowing import CT_PRESETS
from .propagation import PropagationReport, SliceReview, Stop
from .session import FOLLOW_DISPLAY, MaskReport

Translate = Callable[[str], str]


def maskText(report: MaskReport, translate: Translate = str) -> str:
    """Describe a mask that was written: notes about its prompts, confidence, times."""
    _, parts = translate, []
    if report.confidence is not None:
        parts.append(_("confidence {confidence}").format(confidence=f"{report.confidence:.2f}"))
    if report.source == "encoded":
        parts.append(_("slice encoded in {ms} ms").format(ms=f"{report.encodeMs:.0f}"))
    if report.decodeMs is not None:
        parts.append(_("mask computed in {ms} ms").format(ms=f"{report.decodeMs:.0f}"))
    else:
        parts.append(_("mask written in {ms} ms").format(ms=f"{report.writeMs:.0f}"))
    return " ".join([*report.notes, f"{capitalized(', '.join(parts))}."])


def engineText(status: EngineStatus, translate: Translate = str) -> str:
    """Describe where the network runs."""
    _ = translate
    return _("Runs on {device} in {precision}.").format(device=status.device, precision=status.precision)


def policyTexts(translate: Translate = str) -> Dict[str, str]:
    """Return what may happen to other segments, by the policies of ``SegmentationSession.setPolicy``."""
    _ = translate
    return {
        "protectAll": _("stay as they are"),
        "protectLocked": _("give way unless locked"),
        "allowOverlap": _("may overlap"),
    }


def windowTexts(translate: Translate = str) -> Dict[str, str]:
    """Return how intensities may become gray levels, by the modes of `WindowSetting`."""
    _ = translate
    return {
        FOLLOW_DISPLAY: _("as displayed"),
        "auto": _("one window for a CT, else the range of the slice"),
        "slice": _("range of the slice"),
        "percentile": _("range without outliers"),
        **{f"preset:{name}": _("CT {name}").format(name=name) for name in sorted(CT_PRESETS)},
    }


def methodTexts(translate: Translate = str) -> Dict[str, str]:
    """Return the ways to propagate: the methods of `PropagationOptions`, and "consensus" along all axes."""
    _ = translate
    return {
        "propagate": _("follow from slice to slice"),
        "consensus": _("follow along all three axes"),
        "fill": _("fill between my slices"),
    }


def directionTexts(translate: Translate = str) -> Dict[str, str]:
    """Return the directions of `PropagationOptions`."""
    _ = translate
    return {"both": _("both ways"), "up": _("up (to R, A or S)"), "down": _("down (to L, P or I)")}


def propagationText(report: PropagationReport, translate: Translate = str) -> str:
    """Say how much was propagated, and why it stopped where it did."""
    _ = translate
    text = _("{count} slices segmented in {seconds} s.").format(
        count=len(report.slices), seconds=f"{report.seconds:.1f}"
    )
    return " ".join([text, *dict.fromkeys(_stopText(stop, translate) for stop in report.stops)])


def reviewText(review: SliceReview, translate: Translate = str) -> str:
    """Name a slice to review, and why."""
    _ = translate
    reasons = ", ".join(review.reasons) or _("no doubts")
    if review.plane.index is None:
        return _("Oblique slice: {reasons}").format(reasons=reasons)
    return _("Slice {index}: {reasons}").format(index=review.plane.index, reasons=reasons)


def capitalized(text: str) -> str:
    """Return the text with its first letter in upper case and all others as they are."""
    return text[:1].upper() + text[1:]


def _stopText(stop: Stop, translate: Translate) -> str:
    _ = translate
    if stop.plane.index is None:
        return stop.reason
    reason = f"{stop.reason[:1].lower()}{stop.reason[1:]}"
    return _("Slice {index}: {reasons}").format(index=stop.plane.index, reasons=reason)
