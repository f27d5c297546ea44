"""The panel: sections on one session, alive between enter and exit."""

from typing import Callable

import slicer
from slicer.i18n import tr as _

from ..app.engineClient import EngineClient
from ..app.session import SegmentationSession
from .advancedSection import AdvancedSection
from .choicesSection import ChoicesSection
from .modelSection import ModelSection
from .nodesSection import NodesSection
from .pollTimer import PollTimer
from .progressRow import ProgressRow
from .promptToolsSection import PromptToolsSection
from .segmentsSection import SegmentsSection
from .shortcuts import REDO_KEY, TOOL_KEYS, UNDO_KEY, Shortcuts
from .statusLine import StatusLine
from .workWatch import WorkWatch


class Panel:
    """Builds the sections and passes on when the module is entered, left, reloaded.

    :param ui: the widgets of SAMUNetSlicer.ui by name.
    :param scene: vtkMRMLScene.
    :param engine: closed by ``close``; it starts nothing before the first request.
    :param icon: returns the QIcon of a name.
    """

    def __init__(self, ui, scene, engine: EngineClient, icon: Callable):
        self.session = session = SegmentationSession(scene, engine)
        self.status = status = StatusLine(ui.statusText, self._hint)
        self.progress = progress = ProgressRow(ui.progressBar, ui.cancelButton)
        self.nodes = NodesSection(ui, session, status)
        self.segments = SegmentsSection(ui, session, status)
        self.tools = PromptToolsSection(ui, session, status, icon)
        self.choices = ChoicesSection(ui, session)
        self.advanced = AdvancedSection(ui, session, status)
        self.model = ModelSection(ui, session, status, progress, self.advanced.engineOptions)
        self.watch = WorkWatch(session, status, progress, lambda: self.model.isLoading)
        self._timer = PollTimer(self._tick)
        self._shortcuts = Shortcuts(self._keyActions())
        self._isEntered = False
        self.tools.toolChanged.connect(self._onTool)
        self.model.changed.connect(status.refresh)
        self.advanced.engineOptionsChanged.connect(self.model.loadAgain)
        self.nodes.refresh()
        status.refresh()

    def enter(self) -> None:
        """The module is shown."""
        self._isEntered = True
        self._shortcuts.install(slicer.util.mainWindow())
        self._timer.start()

    def exit(self) -> None:
        """Another module is shown: mouse and keys are its own, nothing is encoded in advance any more."""
        self._isEntered = False
        self.tools.setTool(None)
        self._shortcuts.remove()
        self.session.stopPrefetching()

    def close(self) -> None:
        """Let go of everything; the scene keeps masks and prompts.  May be called twice."""
        self.exit()
        self._timer.stop()
        self.watch.close()
        self.session.close()
        self.session.engine.close()

    def _tick(self) -> None:
        self.status.attempt(self.session.poll)
        self.progress.tick()
        if not self._isEntered and self.session.engine.pendingCount == 0:
            self._timer.stop()

    def _keyActions(self):
        def toggle(tool):
            return self.status.guard(lambda: self.tools.toggleTool(tool))

        return [
            *((key, toggle(tool)) for key, tool in TOOL_KEYS),
            (UNDO_KEY, self.status.guard(self.session.undo)),
            (REDO_KEY, self.status.guard(self.session.redo)),
        ]

    def _onTool(self, tool) -> None:
        if tool is not None:
            self.model.ensureLoaded()
        self.status.say("")

    def _hint(self) -> str:
        if self.session.volumeNode is None:
            return _("Choose a volume to begin with.")
        if self.model.isLoading:
            return _("Loading {title}...").format(title=self.model.card.title)
        if self.tools.tool is None:
            return _("Take a tool (P, N, D), then click on a structure in any slice view.")
        if self.tools.tool == "box":
            return _("Drag a box around a structure in any slice view.")
        return _(
            "Click on a structure in any slice view; Ctrl+click for what is not part of it, drag for a box."
        )
