"""Prompt tools and what is done with prompts: accept, next segment, clear, undo, redo."""

from typing import Optional

import qt
from slicer.i18n import tr as _

from ...app.session import SegmentationSession
from ...events import Signal
from ..parts import StatusLine


class PromptToolsSection:
    """Three buttons of which at most one is down, and five that act at once.

    ``toolChanged(tool)``: "positive", "negative", "box", or None when the mouse is Slicer's alone.

    :param ui: the panel's widgets by name.
    :param icon: returns the QIcon of a name.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, icon):
        self.toolChanged = Signal("toolChanged")
        self.tool: Optional[str] = None
        self._ui, self._session = ui, session
        self._toolButtons = {
            "positive": ui.positiveButton,
            "negative": ui.negativeButton,
            "box": ui.boxButton,
        }
        self._setIcons(icon)
        ui.positiveButton.connect("clicked(bool)", lambda isDown: self._onTool("positive", isDown))
        ui.negativeButton.connect("clicked(bool)", lambda isDown: self._onTool("negative", isDown))
        ui.boxButton.connect("clicked(bool)", lambda isDown: self._onTool("box", isDown))
        for button, action in (
            (ui.acceptButton, session.accept),
            (ui.nextSegmentButton, session.nextSegment),
            (ui.clearButton, session.clear),
            (ui.undoButton, session.undo),
            (ui.redoButton, session.redo),
        ):
            button.connect("clicked()", status.guard(action))
        session.statusChanged.connect(self.refresh)
        self.refresh()

    def setTool(self, tool: Optional[str]) -> None:
        """Take a tool, or put it down with None."""
        for name, button in self._toolButtons.items():
            button.checked = name == tool
        if tool != self.tool:
            self.tool = tool
            self.toolChanged.emit(tool)

    def toggleTool(self, tool: str) -> None:
        """Take a tool, or put it down if it is the one in use."""
        self.setTool(None if tool == self.tool else tool)

    def refresh(self) -> None:
        session, ui = self._session, self._ui
        hasPrompts = bool(session.prompts())
        ui.acceptButton.enabled = ui.clearButton.enabled = hasPrompts
        ui.nextSegmentButton.enabled = session.segmentId is not None
        self._label(ui.undoButton, session.undoLabel, _("Undo: {step}"), _("Nothing to undo"))
        self._label(ui.redoButton, session.redoLabel, _("Redo: {step}"), _("Nothing to redo"))

    def _onTool(self, tool: str, isDown: bool) -> None:
        self.setTool(tool if isDown else None)

    def _setIcons(self, icon) -> None:
        ui = self._ui
        for button, name in (
            (ui.positiveButton, "Positive"),
            (ui.negativeButton, "Negative"),
            (ui.boxButton, "Box"),
            (ui.undoButton, "Undo"),
            (ui.redoButton, "Redo"),
        ):
            button.icon = icon(name)
            button.iconSize = qt.QSize(18, 18)

    @staticmethod
    def _label(button, step: Optional[str], text: str, nothing: str) -> None:
        button.enabled = step is not None
        button.toolTip = nothing if step is None else text.format(step=step)
