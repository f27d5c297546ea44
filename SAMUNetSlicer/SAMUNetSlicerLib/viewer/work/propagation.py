"""Propagate a segment from the page, and list the doubtful slices."""

from typing import List, Optional

from ...app.propagation import PropagationOptions, PropagationReport, Propagator, SliceReview, reviewSlices
from ...app.session import SegmentationSession
from ...app.texts import propagationText, reviewText
from ...scene.geometry import AXES
from ..views import BrowserViews
from .status import Status

_MOST_REVIEWS = 8


class Propagation:
    """The page's state has the choices ``method`` and ``direction``, and ``reviews``: texts, worst first."""

    def __init__(self, state, session: SegmentationSession, views: BrowserViews, status: Status):
        self._state, self._session, self._views, self._status = state, session, views, status
        self._reviews: List[SliceReview] = []
        self._reviewed: Optional[str] = None
        self._propagator = Propagator(session)
        self._propagator.progress.connect(lambda done, total: status.advance(self, done, total))
        self._propagator.finished.connect(self._onFinished)
        session.statusChanged.connect(self._onSession)
        state.update({"method": "propagate", "direction": "both", "reviews": []})

    def start(self, method: str, direction: str) -> None:
        """Begin to propagate.

        :param method, direction: keys of `methodTexts` and `directionTexts`.
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
            self._status.say(propagationText(report))
        self._reviewed = report.segmentId
        self._reviews = [each for each in reviewSlices(self._session) if each.reasons][:_MOST_REVIEWS]
        self._state.reviews = [reviewText(each) for each in self._reviews]

    def _onSession(self) -> None:
        """Clear the list when another segment is chosen: it is about one segment."""
        if self._session.segmentId != self._reviewed:
            self._reviewed, self._reviews, self._state.reviews = self._session.segmentId, [], []
