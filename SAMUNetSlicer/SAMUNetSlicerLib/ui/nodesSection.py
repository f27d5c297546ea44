"""Which volume is segmented, and into which segmentation."""

from typing import Callable

from ..app.session import SegmentationSession
from .statusLine import StatusLine


class NodesSection:
    """Keeps the two node selectors and the session the same, whichever changes first."""

    def __init__(self, ui, session: SegmentationSession, status: StatusLine):
        self._ui, self._session, self._status = ui, session, status
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onVolume)
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onSegmentation)
        session.statusChanged.connect(self.refresh)

    def refresh(self) -> None:
        session, ui = self._session, self._ui
        _show(ui.volumeSelector, session.volumeNode)
        _show(ui.segmentationSelector, session.segmentationNode)
        ui.sampleButton.visible = session.volumeNode is None

    def _onVolume(self, node) -> None:
        self._choose(node, self._session.volumeNode, self._session.setVolume)

    def _onSegmentation(self, node) -> None:
        self._choose(node, self._session.segmentationNode, self._session.setSegmentation)

    def _choose(self, node, current, choose: Callable) -> None:
        # Setting a node again would forget undo steps and the shown slice.
        if node is not current:
            self._status.attempt(choose, node)


def _show(selector, node) -> None:
    if selector.currentNode() is not node:
        selector.setCurrentNode(node)
