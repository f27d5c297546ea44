"""Put all parts of the viewer together and keep them going."""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..app.engines import EngineClient
from ..app.files import DEFAULT_KEYS, startScene
from ..app.session import SegmentationSession
from ..engine.serving import ModelSpec
from ..errors import InputError, UserError
from .keys import TOOL_KEYS, Keys
from .page import drawPage
from .server import MOST_BYTES, Pages, Reach, Uploads, WebServer, tooLarge
from .views import AUTOMATIC, BrowserViews, Layout, Oblique, Tools, ViewState, drawOverlay, setDisplayWindow
from .work import (
    Autosave,
    Exports,
    Network,
    Opening,
    Propagation,
    SegmentationWatch,
    SegmentList,
    SessionState,
    Status,
)

# Between two looks at the engine's answers, in seconds.
_POLL_INTERVAL = 0.015


@dataclass(frozen=True)
class ViewOptions:
    """Options of the viewer.

    ``volume``: file or DICOM folder to begin with; ``spec``: network to begin with; ``specOf``: returns
    the `ModelSpec` of another model's ID; ``folder``: proposed for exports; ``window``: see
    ``setDisplayWindow``; ``reach``: folders that the page may read and write, see `Reach`.
    """

    volume: Path
    spec: ModelSpec
    specOf: Callable[[str], ModelSpec]
    folder: Path = Path()
    window: str = AUTOMATIC
    reach: Optional[Sequence[Path]] = None


class Viewer:
    """One scene with one volume and one session, for one page; the page's parts call those of this class.

    :param engine: closed by the caller.
    """

    def __init__(self, webServer: WebServer, engine: EngineClient, options: ViewOptions):
        self.server = trame = webServer.trame
        self._state = state = trame.state
        state.update({"theme": "dark", "trame__title": "SAMUNetSlicer"})
        state.update({"mostBytes": MOST_BYTES, "tooLarge": tooLarge(MOST_BYTES)})
        state.update({"formats": list(DEFAULT_KEYS), "folder": str(options.folder.absolute())})
        self._window = options.window
        self._host = host = startScene()
        self.pages = Pages(webServer)
        self.status = Status(state)
        self.session = session = SegmentationSession(host.scene, engine)
        self._watch = SegmentationWatch(session)
        self.segments = SegmentList(state, session, self._watch)
        self._sessionState = SessionState(state, session, self.status)
        self.views = BrowserViews(trame, host, self._drawOverlay)
        self._viewState = ViewState(state, self.views)
        self.layout = Layout(state, self.views, host.scene, host.applicationLogic)
        self.oblique = Oblique(state, self.views["Oblique"])
        self.tools = Tools(
            state, session, self.views, self.layout, host.applicationLogic.GetInteractionNode()
        )
        self.propagation = Propagation(state, session, self.views, self.status)
        self._network = Network(state, session, self.status, options.spec, options.specOf)
        self._autosave = Autosave(session, self._watch, self.status)
        self.opening = Opening(state, host, session, self.views, self._autosave, self.status)
        self.exports, self._uploads = Exports(session), Uploads(self.open)
        self._reach = Reach(options.reach)
        self._keys = Keys(self.pages, self._keyActions())
        trame.controller.trigger("key")(self._keys.press)
        webServer.routes += [self.exports.addRoutes, self._uploads.addRoutes]
        for viewport in self.views:
            self.pages.guard(viewport.adapter)
        self._reading: Optional[asyncio.Future] = None
        self.fetch: Callable[[str], None] = lambda address: None
        self._page = drawPage(trame, self)

    async def open(self, path: Path, name: str = "") -> None:
        """Show a volume; see `Opening.open`."""
        await self.opening.open(path, name)
        setDisplayWindow(self.session.volumeNode, self._window)
        self.oblique.reset()
        self._viewState.refreshAll()

    def openFromDialog(self, path: str) -> None:
        """Begin to open a volume; then the dialog closes, or says why not.

        The page's next call is not heard before this one returns.
        """
        self._state.openError = ""
        self._reading = asyncio.ensure_future(self._openFromDialog(path))

    def setDisplayWindow(self, name: str) -> None:
        """Show the volume, and later ones, with another window; see ``setDisplayWindow``."""
        self._window = name
        setDisplayWindow(self.session.workspace.requireVolume(), name)

    def download(self, formats: Sequence[str]) -> None:
        """Make files, and have the browser fetch them."""
        address = self.exports.toBrowser(formats, self.opening.path)
        self.fetch(address)
        self.status.say("The files were read back and are being downloaded.")

    def exportToFolder(self, formats: Sequence[str], folder: str) -> None:
        """Write files to a folder; those that are there stay."""
        result = self.exports.toFolder(self._folderFrom(folder), formats, self.opening.path, "number")
        text = f"{len(result.files)} files were written to {result.files[0].parent} and read back."
        self.status.say(" ".join([text, *result.notes]))

    async def run(self) -> None:
        """Keep session and page up to date, forever."""
        while True:
            self.status.attempt(self._poll)
            await asyncio.sleep(_POLL_INTERVAL)

    async def close(self) -> None:
        """Save the work and let go of everything."""
        await self._autosave.finish()
        for part in (self.tools, self.propagation, self._watch, self.session, self.views):
            part.close()
        self._host.close()
        self.exports.close()
        self._uploads.close()

    async def _openFromDialog(self, path: str) -> None:
        try:
            await self.open(self._reach.path(path))
            self._state.isOpening = False
        except UserError as error:
            self._state.openError = str(error)

    def _folderFrom(self, text: str) -> Path:
        if not text.strip():
            raise InputError("No folder is given: write one, or download the files.")
        return self._reach.path(text)

    def _drawOverlay(self, name: str) -> None:
        drawOverlay(name, lambda: self.layout.fit(name), lambda: self.layout.toggle(name))

    def _poll(self) -> None:
        self.session.poll()
        self._autosave.tick()
        self.segments.tick()
        self._viewState.tick()
        self._state.flush()

    def _keyActions(self) -> dict:
        tools = {key: partial(self.tools.take, tool) for key, tool in TOOL_KEYS.items()}
        undo, redo = self.status.guard(self.session.undo), self.status.guard(self.session.redo)
        return {**tools, "ctrl+z": undo, "ctrl+y": redo, "ctrl+shift+z": redo, "escape": self.tools.cancel}
