"""The segments as rows of the page, and what the user does with them there."""

import slicer

from ..app.session import SegmentationSession
from ..scene.observers import Observers
from ..scene.segments import isLocked, setLocked


class SegmentList:
    """Keeps ``segments`` ([{"id", "name", "color", "isVisible", "isLocked"}]) and ``segmentId`` of the page's
    state like the session's."""

    def __init__(self, state, session: SegmentationSession):
        self._state, self._session = state, session
        self._node = None
        self._isChanged = True
        self._observers = Observers()
        session.statusChanged.connect(self._onSession)
        state.update({"segments": [], "segmentId": None})

    def close(self) -> None:
        self._session.statusChanged.disconnect(self._onSession)
        self._observers.close()

    def tick(self) -> None:
        """Write the rows if something has changed; once for each poll."""
        if self._isChanged:
            self._isChanged = False
            self._state.segments = [] if self._node is None else [self._row(each) for each in self._ids()]
            self._state.segmentId = self._session.segmentId

    def rename(self, segmentId: str, name: str) -> None:
        if name.strip():
            self._segment(segmentId).SetName(name.strip())

    def setColor(self, segmentId: str, color: str) -> None:
        """:param color: "#rrggbb"."""
        channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        self._segment(segmentId).SetColor(*channels)

    def toggleVisible(self, segmentId: str) -> None:
        display = self._node.GetDisplayNode()
        display.SetSegmentVisibility(segmentId, not display.GetSegmentVisibility(segmentId))

    def toggleLocked(self, segmentId: str) -> None:
        setLocked(self._node, segmentId, not isLocked(self._node, segmentId))
        self._isChanged = True

    def delete(self, segmentId: str) -> None:
        """Remove a segment with its prompts; the session chooses none then, so another one is chosen here."""
        self._node.GetSegmentation().RemoveSegment(segmentId)
        if self._session.segmentId is None and self._ids():
            self._session.selectSegment(self._ids()[-1])

    def _ids(self):
        return list(self._node.GetSegmentation().GetSegmentIDs())

    def _segment(self, segmentId: str):
        return self._node.GetSegmentation().GetSegment(segmentId)

    def _row(self, segmentId: str) -> dict:
        segment = self._segment(segmentId)
        return {
            "id": segmentId,
            "name": segment.GetName(),
            "color": "#" + "".join(f"{round(255 * channel):02x}" for channel in segment.GetColor()),
            "isVisible": bool(self._node.GetDisplayNode().GetSegmentVisibility(segmentId)),
            "isLocked": isLocked(self._node, segmentId),
        }

    def _onSession(self) -> None:
        self._isChanged = True
        node = self._session.segmentationNode
        if node is not self._node:
            self._observers.close()
            self._node = node
            if node is not None:
                self._follow(node)

    def _follow(self, node) -> None:
        events = slicer.vtkSegmentation
        for event in (events.SegmentAdded, events.SegmentRemoved, events.SegmentModified):
            self._observers.add(node, event, self._onSegments)
        self._observers.add(node, node.DisplayModifiedEvent, self._onSegments)

    def _onSegments(self, *_) -> None:
        self._isChanged = True
