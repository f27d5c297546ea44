"""What the page's buttons and keys do."""

from ..app.session import SegmentationSession
from .segmentList import SegmentList
from .sliceViews import SliceViews
from .status import Status
from .tools import NAVIGATE, WINDOW, Tools

_TOOL_KEYS = {"p": "positive", "n": "negative", "d": "box", "m": NAVIGATE, "w": WINDOW}


class Actions:
    """Callbacks of the page; each says in the status line what keeps it from being done."""

    def __init__(self, state, status: Status):
        self._state, self._status = state, status

    def bind(self, session: SegmentationSession, tools: Tools, views: SliceViews, segmentList: SegmentList):
        self._session, self._tools, self._views, self._segments = session, tools, views, segmentList

    def undo(self) -> None:
        self._status.attempt(self._session.undo)

    def redo(self) -> None:
        self._status.attempt(self._session.redo)

    def cancel(self) -> None:
        self._status.cancel()

    def addSegment(self) -> None:
        self._status.attempt(self._session.addSegment)

    def selectSegment(self, segmentId: str) -> None:
        self._status.attempt(self._session.selectSegment, segmentId)

    def fit(self, name: str) -> None:
        self._views[name].fit()

    def maximize(self, name: str) -> None:
        self._state.maximized = None if self._state.maximized else name
        self._views.show([name] if self._state.maximized else [each.name for each in self._views])

    def key(self, key: str) -> None:
        if key in _TOOL_KEYS:
            self._tools.tool = _TOOL_KEYS[key]
        elif key == "ctrl+z":
            self.undo()
        elif key in ("ctrl+y", "ctrl+shift+z"):
            self.redo()
