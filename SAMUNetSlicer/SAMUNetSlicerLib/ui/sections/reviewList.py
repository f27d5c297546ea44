"""List the slices that were segmented without anybody looking, the most doubtful first."""

from typing import List, Optional, Set

from slicer.i18n import tr as _

from ...app.propagation import SliceReview, reviewSlices
from ...app.session import SegmentationSession
from ...app.texts import reviewText
from ...scene.geometry import SlicePlane
from ...scene.prompts import sameOrientation, viewNormal
from ...scene.sceneNodes import nodesOfClass
from ..parts import StatusLine
from .promptToolsSection import PromptToolsSection


class ReviewList:
    """Choose a slice to look at it; accept it, or correct it with prompts, and go on to the next.

    A slice leaves the list when it is accepted, and when its mask changes.  The list is about one segment.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, tools: PromptToolsSection):
        self._ui, self._session, self._status, self._tools = ui, session, status, tools
        self._reviews: List[SliceReview] = []
        self._segmentId: Optional[str] = None
        self._next = 0
        self._changed: Set[str] = set()
        ui.reviewButton.connect("clicked()", status.guard(self._fillAndSay))
        ui.reviewList.connect("currentRowChanged(int)", self._onRow)
        ui.acceptSliceButton.connect("clicked()", status.guard(self._accept))
        ui.correctSliceButton.connect("clicked()", status.guard(self._correct))
        ui.nextSliceButton.connect("clicked()", status.guard(self._showNext))
        session.statusChanged.connect(self.refresh)
        session.maskChanged.connect(self._onMask)
        session.polled.connect(self._onPolled)
        self.refresh()

    def fill(self) -> None:
        """List the slices of the chosen segment; none is chosen yet."""
        self._segmentId, self._next = self._session.segmentId, 0
        self._changed.clear()
        self._list(reviewSlices(self._session))

    def refresh(self) -> None:
        session, ui = self._session, self._ui
        if self._reviews and session.segmentId != self._segmentId:
            self._list([])
        isChosen = self._chosen() is not None
        ui.reviewButton.enabled = session.segmentId is not None
        ui.acceptSliceButton.enabled = ui.correctSliceButton.enabled = isChosen
        ui.nextSliceButton.enabled = bool(self._reviews)

    def _fillAndSay(self) -> None:
        self.fill()
        if not self._reviews:
            self._status.say(_("Every slice of this segment has been reviewed."))

    def _list(self, reviews: List[SliceReview], chosen: Optional[SliceReview] = None) -> None:
        self._reviews = reviews
        wasBlocked = self._ui.reviewList.blockSignals(True)
        self._ui.reviewList.clear()
        self._ui.reviewList.addItems([reviewText(review, _) for review in reviews])
        self._ui.reviewList.currentRow = reviews.index(chosen) if chosen in reviews else -1
        self._ui.reviewList.blockSignals(wasBlocked)
        self.refresh()

    def _chosen(self) -> Optional[SliceReview]:
        row = self._ui.reviewList.currentRow
        return self._reviews[row] if 0 <= row < len(self._reviews) else None

    def _accept(self) -> None:
        plane = self._chosen().plane
        self._session.accept(plane)
        self._drop({plane.signature()})
        self._showNext()

    def _correct(self) -> None:
        self._look(self._chosen())
        self._tools.setTool(self._tools.tool or "positive")

    def _showNext(self) -> None:
        if self._next >= len(self._reviews):
            self._next = 0
            self._status.say(_("That was the last slice of the list."))
        elif self._next == self._ui.reviewList.currentRow:
            self._look(self._chosen())
        else:
            self._ui.reviewList.currentRow = self._next

    def _onRow(self, row: int) -> None:
        if self._chosen() is not None:
            self._next = row + 1
            self._status.attempt(self._look, self._chosen())
        self.refresh()

    def _onMask(self, segmentId: str, plane: SlicePlane) -> None:
        # Undo of a propagation changes hundreds at once: the list is written once, see _onPolled.
        if self._reviews and segmentId == self._segmentId:
            self._changed.add(plane.signature())

    def _onPolled(self) -> None:
        if self._changed:
            changed, self._changed = self._changed, set()
            self._drop(changed)

    def _drop(self, signatures: Set[str]) -> None:
        """Take slices off the list; the one after them becomes the next."""
        isKept = [review.plane.signature() not in signatures for review in self._reviews]
        if not all(isKept):
            chosen, self._next = self._chosen(), sum(isKept[: self._next])
            self._list([review for review, keep in zip(self._reviews, isKept) if keep], chosen)

    def _look(self, review: SliceReview) -> None:
        showSlice(self._session, review.plane)


def showSlice(session: SegmentationSession, plane: SlicePlane) -> None:
    """Scroll the views that look at a slice from the front to it; if there is none, all to its middle.

    The others stay: the view that moves last counts as the one that the user works in.
    """
    height, width = plane.shape
    (center,) = plane.pixelToRAS([((width - 1) / 2, (height - 1) / 2)])
    views = nodesOfClass(session.workspace.scene, "vtkMRMLSliceNode")
    facing = [view for view in views if sameOrientation(viewNormal(view), plane.normal)]
    for view in facing or views:
        view.JumpSliceByOffsetting(*map(float, center))
