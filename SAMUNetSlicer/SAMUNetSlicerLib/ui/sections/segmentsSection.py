"""Show the table of segments: choose, add, remove, lock, rename, color, show in 3D."""

from typing import Optional

from slicer.i18n import tr as _

from ...app.session import SegmentationSession
from ...scene.segments import isLocked, setLocked
from ..parts import StatusLine


class SegmentsSection:
    """Keeps the chosen segment of the session and the selected row of the table the same.

    Names, colors, terminology, visibility and state are changed in the table itself, by Slicer.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine):
        self._ui, self._session, self._status = ui, session, status
        self._isRefreshing = False
        self._shownNode = None
        ui.addSegmentButton.connect("clicked()", status.guard(session.addSegment))
        ui.removeSegmentButton.connect("clicked()", status.guard(self._removeSegment))
        ui.lockSegmentButton.connect("clicked()", status.guard(self._toggleLock))
        # The arguments are of no use: PythonQt passes none to a slot that takes none.
        ui.segmentsTable.connect("selectionChanged(QItemSelection,QItemSelection)", self._onSelection)
        session.statusChanged.connect(self.refresh)
        session.polled.connect(self._keepSelection)
        self.refresh()

    def refresh(self) -> None:
        session, ui = self._session, self._ui
        self._isRefreshing = True
        try:
            self._showNode(session.segmentationNode)
            if self._selected() != session.segmentId:
                ui.segmentsTable.setSelectedSegmentIDs([session.segmentId] if session.segmentId else [])
        finally:
            self._isRefreshing = False
        ui.addSegmentButton.enabled = session.volumeNode is not None
        ui.removeSegmentButton.enabled = session.segmentId is not None
        ui.show3DButton.enabled = session.segmentationNode is not None
        self._showLock()

    def _showNode(self, node) -> None:
        # The table forgets its selection and its scroll position with each call.
        if node is not self._shownNode:
            self._shownNode = node
            self._ui.segmentsTable.setSegmentationNode(node)
            self._ui.show3DButton.setSegmentationNode(node)

    def _showLock(self) -> None:
        session, button = self._session, self._ui.lockSegmentButton
        button.enabled = session.workspace.hasSegment(session.segmentId)
        button.checked = button.enabled and isLocked(session.segmentationNode, session.segmentId)
        button.text = _("Locked") if button.checked else _("Lock")

    def _selected(self) -> Optional[str]:
        ids = self._ui.segmentsTable.selectedSegmentIDs()
        return ids[0] if ids else None

    def _onSelection(self) -> None:
        selected = self._selected()
        if not self._isRefreshing and selected not in (None, self._session.segmentId) and self._isThere():
            self._status.attempt(self._session.selectSegment, selected)

    def _isThere(self) -> bool:
        """Tell whether the chosen segment exists, if one is chosen.

        Rows vanish before the session knows that a segment has, and the table takes the neighbor of such a
        row, whom nobody has chosen; the session says itself what is chosen then.
        """
        session = self._session
        return session.segmentId is None or session.workspace.hasSegment(session.segmentId)

    def _keepSelection(self) -> None:
        """Select the chosen segment again: the table forgets it when segments are moved, or clicked below."""
        if self._selected() != self._session.segmentId:
            self.refresh()

    def _toggleLock(self) -> None:
        node, segmentId = self._session.segmentationNode, self._session.segmentId
        try:
            setLocked(node, segmentId, not isLocked(node, segmentId))
        finally:
            self._showLock()

    def _removeSegment(self) -> None:
        session = self._session
        if session.segmentationNode is not None and session.segmentId is not None:
            session.segmentationNode.GetSegmentation().RemoveSegment(session.segmentId)
