"""Let one page at a time work with the viewer: the others see what happens, and may take over."""

from typing import Dict, Optional

from wslink.websocket import LinkProtocol

from .webServer import WebServer


class Pages(LinkProtocol):
    """Knows which page has the viewer; the page's state has it as ``activePage``.

    A page in another tab has other sizes of views: its mouse would be somewhere else, so that is not heard.
    """

    def __init__(self, webServer: WebServer):
        super().__init__()
        self._webServer = webServer
        self._state = webServer.trame.state
        self._state.activePage = None
        self._activeClient: Optional[str] = None
        self._sizes: Dict[str, Dict[str, tuple]] = {}
        self._areas: Dict[str, object] = {}
        webServer.trame.add_protocol_to_configure(lambda root: root.registerLinkProtocol(self))

    def enter(self, page: str) -> None:
        """Register a page that has appeared: it gets the viewer if no other one has it."""
        if self._activeClient is None:
            self.takeOver(page)

    def takeOver(self, page: str) -> None:
        """Give the viewer to the page that calls."""
        self._activeClient, self._state.activePage = self._webServer.callingClient, page
        for name, size in self._sizes.get(self._activeClient, {}).items():
            self._areas[name](*size)

    def isActive(self, page: str) -> bool:
        return page == self._state.activePage

    def guard(self, adapter) -> None:
        """Let a view hear the active page's mouse only, and have the size that it has there."""
        onInteraction, updateSize = adapter.on_interaction, adapter.update_size
        self._areas[adapter.area_name] = updateSize

        def guardedInteraction(*event) -> None:
            if self._webServer.callingClient == self._activeClient:
                onInteraction(*event)

        def guardedSize(*size) -> None:
            client = self._webServer.callingClient
            self._sizes.setdefault(client, {})[adapter.area_name] = size
            if self._activeClient in (None, client):
                updateSize(*size)
            else:
                adapter.schedule_render()  # so that this page gets a picture, too

        adapter.on_interaction, adapter.update_size = guardedInteraction, guardedSize

    def onClose(self, clientId: str) -> None:
        """Called by wslink when a page has gone."""
        self._sizes.pop(clientId, None)
        if clientId == self._activeClient:
            self._activeClient = self._state.activePage = None
            self._state.flush()
