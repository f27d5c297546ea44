"""Carry the segment to other slices, and look at the doubtful ones."""

from typing import List

import slicer
from slicer.i18n import tr as _

from ..app.propagation import Propagator
from ..app.propagationOptions import PropagationOptions, PropagationReport
from ..app.session import SegmentationSession
from ..app.sliceReview import SliceReview, reviewSlices
from .choiceBox import ChoiceBox
from .progressRow import ProgressRow
from .statusLine import StatusLine


class PropagateSection:
    """Options, one button, and the list of slices to look at, worst first."""

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, progress: ProgressRow):
        self._ui, self._session, self._status, self._progress = ui, session, status, progress
        self._reviews: List[SliceReview] = []
        self.method = ChoiceBox(ui.methodCombo, methodChoices(), lambda _key: self.refresh())
        self.direction = ChoiceBox(ui.directionCombo, directionChoices(), lambda _key: None)
        self.propagator = Propagator(session)
        self.propagator.progress.connect(self._onProgress)
        self.propagator.finished.connect(self._onFinished)
        ui.propagateButton.connect("clicked()", status.guard(self._start))
        ui.reviewButton.connect("clicked()", status.guard(self._review))
        ui.reviewList.connect("currentRowChanged(int)", self._onRow)
        ui.limitCheck.connect("toggled(bool)", self.refresh)
        session.statusChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        ui, hasSegment = self._ui, self._session.segmentId is not None
        ui.propagateButton.enabled = hasSegment and not self.propagator.isRunning
        ui.reviewButton.enabled = hasSegment
        ui.firstSliceSpin.enabled = ui.lastSliceSpin.enabled = ui.limitCheck.checked
        ui.confidenceSpin.enabled = ui.diceSpin.enabled = self.method.key == "propagate"

    def close(self) -> None:
        self.propagator.close()

    def _start(self) -> None:
        self.propagator.start(self._options())
        self._progress.begin(self, _("Propagating"), self.propagator.cancel)
        self.refresh()

    def _options(self) -> PropagationOptions:
        ui = self._ui
        isLimited = ui.limitCheck.checked
        return PropagationOptions(
            direction=self.direction.key,
            first=ui.firstSliceSpin.value if isLimited else None,
            last=ui.lastSliceSpin.value if isLimited else None,
            minConfidence=ui.confidenceSpin.value,
            minDice=ui.diceSpin.value,
            method=self.method.key,
        )

    def _onProgress(self, done: int, total: int) -> None:
        self._progress.advance(self, done, total)

    def _onFinished(self, report: PropagationReport) -> None:
        self._progress.end(self)
        self.refresh()
        if report.error is None:
            self._status.say(reportText(report))
            self._status.attempt(self._review)

    def _review(self) -> None:
        self._reviews = reviewSlices(self._session)
        wasBlocked = self._ui.reviewList.blockSignals(True)
        self._ui.reviewList.clear()
        self._ui.reviewList.addItems([reviewText(review) for review in self._reviews])
        self._ui.reviewList.blockSignals(wasBlocked)

    def _onRow(self, row: int) -> None:
        if 0 <= row < len(self._reviews):
            self._status.attempt(showSlice, self._session, self._reviews[row].plane)


def methodChoices():
    return [("propagate", _("follow from slice to slice")), ("fill", _("fill between my slices"))]


def directionChoices():
    return [("both", _("both ways")), ("up", _("up (to R, A or S)")), ("down", _("down (to L, P or I)"))]


def reportText(report: PropagationReport) -> str:
    """One sentence or two about what was done, and why it went no further."""
    text = _("{count} slices segmented in {seconds} s.").format(
        count=len(report.slices), seconds=f"{report.seconds:.1f}"
    )
    return " ".join([text, *dict.fromkeys(stop.reason for stop in report.stops)])


def reviewText(review: SliceReview) -> str:
    index = "" if review.plane.index is None else review.plane.index
    return _("Slice {index}: {reasons}").format(index=index, reasons=", ".join(review.reasons) or _("fine"))


def showSlice(session: SegmentationSession, plane) -> None:
    """Scroll all slice views to the middle of a slice; one that looks at it from the front shows it."""
    height, width = plane.shape
    (center,) = plane.pixelToRAS([((width - 1) / 2, (height - 1) / 2)])
    node = slicer.vtkMRMLSliceNode
    node.JumpAllSlices(session.workspace.scene, *map(float, center), node.OffsetJumpSlice)
