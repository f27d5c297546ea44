"""Show the segments as rows of the page, and do what the user asks for there."""

from typing import List

from ...app.session import SegmentationSession
from ...scene.segments import isLocked, setLocked
from .segmentationWatch import SegmentationWatch


class SegmentList:
    """Keeps ``segments`` ([{"id", "name", "color", "isVisible", "isLocked"}]) and ``segmentId`` of the page's
    state like the session's."""

    def __init__(self, state, session: SegmentationSession, watch: SegmentationWatch):
        self._state, self._session = state, session
        self._isChanged = True
        session.statusChanged.connect(self._onChanged)
        watch.changed.connect(self._onChanged)
        state.update({"segments": [], "segmentId": None})

    def tick(self) -> None:
        """Write the rows if something has changed; once for each poll."""
        if self._isChanged:
            self._isChanged = False
            self._state.segments = [self._row(each) for each in self._ids()]
            self._state.segmentId = self._session.segmentId

    def rename(self, segmentId: str, name: str) -> None:
        if name.strip():
            self._segment(segmentId).SetName(name.strip())

    def setColor(self, segmentId: str, color: str) -> None:
        """Set the color of a segment.

        :param color: "#rrggbb".
        """
        self._segment(segmentId).SetColor(*(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)))

    def toggleVisible(self, segmentId: str) -> None:
        display = self._node.GetDisplayNode()
        display.SetSegmentVisibility(segmentId, not display.GetSegmentVisibility(segmentId))

    def toggleLocked(self, segmentId: str) -> None:
        setLocked(self._node, segmentId, not isLocked(self._node, segmentId))

    def delete(self, segmentId: str) -> None:
        """Remove a segment with its prompts; another one is chosen if it was the chosen one."""
        self._node.GetSegmentation().RemoveSegment(segmentId)
        if self._session.segmentId is None and self._ids():
            self._session.selectSegment(self._ids()[-1])

    @property
    def _node(self):
        return self._session.segmentationNode

    def _ids(self) -> List[str]:
        return [] if self._node is None else list(self._node.GetSegmentation().GetSegmentIDs())

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

    def _onChanged(self) -> None:
        self._isChanged = True
