"""Carrying a segment to other slices from the page, and looking at the doubtful ones."""

from typing import List, Optional

from ..app.propagation import (
    PropagationOptions,
    PropagationReport,
    Propagator,
    SliceReview,
    Stop,
    reviewSlices,
)
from ..app.session import SegmentationSession
from ..scene.geometry import AXES
from .sliceViews import SliceViews
from .status import Status

METHODS = {
    "propagate": "Follow from slice to slice",
    "consensus": "Along three axes, by vote",
    "fill": "Fill between my slices",
}
COST_OF_CONSENSUS = "Takes three times as long, or more: each axis is segmented for itself."
DIRECTIONS = {"both": "Both ways", "up": "Up (to R, A or S)", "down": "Down (to L, P or I)"}
_MOST_REVIEWS = 8


class Propagation:
    """The page's state has the choices ``method`` and ``direction``, and ``reviews``: texts, worst first."""

    def __init__(self, state, session: SegmentationSession, views: SliceViews, status: Status):
        self._state, self._session, self._views, self._status = state, session, views, status
        self._reviews: List[SliceReview] = []
        self._reviewed: Optional[str] = None
        self._propagator = Propagator(session)
        self._propagator.progress.connect(lambda done, total: status.advance(self, done, total))
        self._propagator.finished.connect(self._onFinished)
        session.statusChanged.connect(self._onSession)
        state.update({"method": "propagate", "direction": "both", "reviews": []})

    def start(self, method: str, direction: str) -> None:
        """:param method, direction: of ``METHODS`` and ``DIRECTIONS``.
        :raises UserError: there is nothing to propagate, or not in this way.
        """
        if method == "consensus":
            options = PropagationOptions(direction=direction, axes=tuple(AXES))
        else:
            options = PropagationOptions(direction=direction, method=method)
        self._propagator.start(options)
        self._status.begin(self, "Propagating", self._propagator.cancel)

    def show(self, number: int) -> None:
        """Scroll the views to a slice of ``reviews``."""
        plane = self._reviews[number].plane
        height, width = plane.shape
        (center,) = plane.pixelToRAS([((width - 1) / 2, (height - 1) / 2)])
        self._views.jumpTo(center.tolist())

    def close(self) -> None:
        self._propagator.close()

    def _onFinished(self, report: PropagationReport) -> None:
        self._status.end(self)
        if report.error is None:
            self._status.say(reportText(report))
        self._reviewed = report.segmentId
        self._reviews = [each for each in reviewSlices(self._session) if each.reasons][:_MOST_REVIEWS]
        self._state.reviews = [reviewText(each) for each in self._reviews]

    def _onSession(self) -> None:
        """The list is about one segment."""
        if self._session.segmentId != self._reviewed:
            self._reviewed, self._reviews, self._state.reviews = self._session.segmentId, [], []


def reportText(report: PropagationReport) -> str:
    """What was done, and why it went no further."""
    text = f"{len(report.slices)} slices segmented in {report.seconds:.1f} s."
    return " ".join([text, *dict.fromkeys(stopText(stop) for stop in report.stops)])


def stopText(stop: Stop) -> str:
    if stop.plane.index is None:
        return stop.reason
    return f"Slice {stop.plane.index}: {stop.reason[:1].lower()}{stop.reason[1:]}"


def reviewText(review: SliceReview) -> str:
    index = "" if review.plane.index is None else f" {review.plane.index}"
    return f"Slice{index}: {', '.join(review.reasons)}"
