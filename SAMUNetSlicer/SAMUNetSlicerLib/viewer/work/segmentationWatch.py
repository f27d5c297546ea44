"""Report everything that changes about the session's segments, whoever does it."""

import slicer

from ...app.session import SegmentationSession
from ...events import Signal
from ...scene.observers import Observers

_EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "RepresentationModified")


class SegmentationWatch:
    """Watch on the session's segmentation.

    ``changed()``: segments, their looks or their voxels; also when another segmentation is chosen.
    """

    def __init__(self, session: SegmentationSession):
        self.changed = Signal("segmentation changed")
        self._session = session
        self._node = None
        self._observers = Observers()
        session.statusChanged.connect(self._follow)
        self._follow()

    def close(self) -> None:
        self._session.statusChanged.disconnect(self._follow)
        self._observers.close()

    def _follow(self) -> None:
        node = self._session.segmentationNode
        if node is self._node:
            return
        self._observers.close()
        self._node = node
        if node is not None:
            for event in _EVENTS:
                self._observers.add(node, getattr(slicer.vtkSegmentation, event), self._onEvent)
            self._observers.add(node, node.DisplayModifiedEvent, self._onEvent)
        self.changed.emit()

    def _onEvent(self, *_) -> None:
        self.changed.emit()
