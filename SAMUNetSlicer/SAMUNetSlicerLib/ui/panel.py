"""Assemble the panel: sections on one session, alive between enter and exit."""

import logging
from typing import Callable

import slicer
from slicer.i18n import tr as _

from ..app.engines import EngineClient
from ..app.session import ExternalEdits, SegmentationSession
from .parts import (
    REDO_KEY,
    TOOL_KEYS,
    UNDO_KEY,
    ParameterBinding,
    PollTimer,
    ProgressRow,
    Shortcuts,
    SliceViews,
    StatusLine,
    WorkWatch,
    panelFields,
    panelParameters,
)
from .sections import (
    AdvancedSection,
    BatchSection,
    ChoicesSection,
    CorrectSection,
    ExportSection,
    ModelSection,
    NodesSection,
    PromptToolsSection,
    PropagateSection,
    SegmentsSection,
    SelfCheckSection,
    SetupSection,
)
from .setup import loadSample, sampleHint

_log = logging.getLogger(__name__)


class Panel:
    """Builds the sections and passes on when the module is entered, left, reloaded.

    :param ui: the widgets of SAMUNetSlicer.ui by name.
    :param scene: vtkMRMLScene.
    :param engine: closed by ``close``; it starts nothing before the first request.
    :param icon: returns the QIcon of a name.
    """

    def __init__(self, ui, scene, engine: EngineClient, icon: Callable):
        self.session = session = SegmentationSession(scene, engine)
        self.handEdits = ExternalEdits(session)
        self.status = status = StatusLine(ui.statusText, self._hint)
        self.progress = progress = ProgressRow(ui.progressBar, ui.cancelButton)
        self.setup = SetupSection(ui, status)
        self.nodes = NodesSection(ui, session, status)
        self.segments = SegmentsSection(ui, session, status)
        self.tools = PromptToolsSection(ui, session, status, icon)
        self.choices = ChoicesSection(ui, session)
        self.views = SliceViews(session)
        self.advanced = AdvancedSection(ui, session, status, self.views)
        self.model = ModelSection(ui, session, status, progress, self.advanced.engineOptions)
        self.correct = CorrectSection(ui, session, status, self.tools)
        self.propagate = PropagateSection(ui, session, status, progress, self.tools)
        self.batch = BatchSection(ui, session, status, progress, self.model.ensureLoaded)
        self.export = ExportSection(ui, session, status, progress)
        self.selfCheck = SelfCheckSection(ui, session, status, progress)
        self.watch = WorkWatch(session, status, progress, lambda: self.model.isLoading)
        self._binding = ParameterBinding(panelFields(ui, self))
        self._timer = PollTimer(self._tick)
        self._shortcuts = Shortcuts(self._keyActions())
        self._connect()
        ui.sampleButton.connect("clicked()", status.guard(self._trySample))
        self.nodes.refresh()
        status.refresh()

    def enter(self) -> None:
        """Show the module."""
        self.setup.refresh()
        self.nodes.watch(True)
        self.views.enter()
        self.correct.enter()
        self._shortcuts.install(slicer.util.mainWindow())
        self._timer.start()

    def exit(self) -> None:
        """Leave the module: mouse and keys are the next module's, nothing is encoded in advance any more."""
        closeAll(
            lambda: self.nodes.watch(False),
            lambda: self.tools.setTool(None),
            self.views.exit,
            self.correct.exit,
            self._shortcuts.remove,
            self._timer.slowDown,
        )

    def beginImport(self) -> None:
        """Pause while another scene is read into this one; nodes and references are not complete until it
        ends.
        """
        self.useParameters(None)
        self.nodes.hold()

    def endImport(self) -> None:
        """Go on with what was worked on; parameters are to be set again."""
        self.nodes.release()

    def useParameters(self, parameterNode) -> None:
        """Show and keep the choices in this vtkMRMLScriptedModuleNode; None while the scene changes."""
        if parameterNode is None:
            self._binding.disconnect()
        else:
            self.status.attempt(self._binding.connect, panelParameters(parameterNode))

    def close(self) -> None:
        """Let go of everything; the scene keeps masks and prompts.  May be called twice."""
        closeAll(
            self.exit,
            self._timer.stop,
            self._binding.disconnect,
            self.propagate.close,
            self.batch.close,
            self.model.close,
            self.selfCheck.close,
            self.correct.close,
            self.watch.close,
            self.nodes.close,
            self.handEdits.close,
            self.session.close,
            self.session.engine.close,
        )

    def _connect(self) -> None:
        self.tools.toolChanged.connect(self._onTool)
        self.views.toolChanged.connect(self.tools.setTool)
        self.model.changed.connect(self.status.refresh)
        self.advanced.engineOptionsChanged.connect(self.model.loadAgain)
        self.setup.finished.connect(self._loadForTool)

    def _tick(self) -> None:
        self.status.attempt(self.session.poll)
        self.status.attempt(self.nodes.tick)
        self.progress.tick()

    def _keyActions(self):
        def toggle(tool):
            return self.status.guard(lambda: self.tools.toggleTool(tool))

        return [
            *((key, toggle(tool)) for key, tool in TOOL_KEYS),
            (UNDO_KEY, self.status.guard(self.session.undo)),
            (REDO_KEY, self.status.guard(self.session.redo)),
        ]

    def _onTool(self, tool) -> None:
        self.views.setTool(tool)
        self.status.say("")
        self._loadForTool()

    def _loadForTool(self) -> None:
        """Have the network ready by the time of the first click."""
        if self.tools.tool is not None and not self.setup.isNeeded:
            self.model.ensureLoaded()

    def _trySample(self) -> None:
        volumeNode = loadSample()
        self.session.setVolume(volumeNode)
        self.tools.setTool("positive")
        self.status.say(sampleHint())

    def _hint(self) -> str:
        if self.setup.isNeeded:
            return _("Packages that the network needs are missing: press Install.")
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


def closeAll(*steps: Callable[[], None]) -> None:
    """Take all steps: when Slicer quits, some fail because Qt has deleted their widgets before.

    What remained would be observers on views, and the engine's process.
    """
    for step in steps:
        try:
            step()
        except Exception:
            _log.exception("The panel could not close everything")
