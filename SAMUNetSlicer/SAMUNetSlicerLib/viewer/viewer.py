"""All parts of the viewer, put together and kept going."""

import asyncio

from ..app.engineClient import EngineClient
from ..app.headless import startScene
from ..app.session import SegmentationSession
from ..app.sliceImages import FOLLOW_DISPLAY
from ..app.volumeLoading import loadVolume
from .actions import Actions
from .page import makePage
from .pane import fillPane
from .segmentList import SegmentList
from .sessionState import SessionState
from .sliceViews import SliceViews
from .status import Status
from .tools import Tools
from .viewState import ViewState
from .webServer import WebServer

# Between two looks at the engine's answers, in seconds.
_POLL_INTERVAL = 0.015


class Viewer:
    """One scene with one volume and one session, for one page.

    :param engine: closed by the caller.
    """

    def __init__(self, webServer: WebServer, engine: EngineClient):
        trame = webServer.trame
        self._state = state = trame.state
        state.update({"theme": "dark", "maximized": None, "volumeName": "", "trame__title": "SAMUNetSlicer"})
        self._host = startScene()
        self.session = SegmentationSession(self._host.scene, engine)
        self.session.setWindow(FOLLOW_DISPLAY)
        self.status = Status(state)
        self._segments = SegmentList(state, self.session)
        self._sessionState = SessionState(state, self.session, self.status)
        actions = Actions(state, self.status)
        self._views = SliceViews(trame, self._host, lambda name: fillPane(name, actions))
        self._viewState = ViewState(state, self._views)
        interactionNode = self._host.applicationLogic.GetInteractionNode()
        self._tools = Tools(state, self.session, self._views, interactionNode)
        actions.bind(self.session, self._tools, self._views, self._segments)
        trame.controller.trigger("key")(actions.key)
        self._page = makePage(trame, actions)
        self._views.show([each.name for each in self._views])

    def open(self, path) -> None:
        """Show a volume and get ready to segment it."""
        volumeNode = loadVolume(self._host, path)
        self.session.setVolume(volumeNode)
        self._views.setVolume(volumeNode)
        self._state.volumeName = volumeNode.GetName()
        self._viewState.refreshAll()

    async def poll(self) -> None:
        """Keep session and page up to date, forever."""
        while True:
            self.session.poll()
            self._segments.tick()
            self._viewState.tick()
            self._state.flush()
            await asyncio.sleep(_POLL_INTERVAL)

    def close(self) -> None:
        self._tools.close()
        self._segments.close()
        self.session.close()
        self._views.close()
        self._host.close()
