"""Show the self-check page: what is here, what is missing, and how to get it."""

from typing import Optional

import slicer
from slicer.i18n import tr as _

from ...app.engines import BackgroundCommand
from ...app.session import SegmentationSession
from ..parts import ProgressRow, StatusLine
from ..setup import slicerEngineLaunch


class SelfCheckSection:
    """Runs ``samunet doctor`` in a process of its own, because it imports torch."""

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, progress: ProgressRow):
        self._ui, self._status, self._progress = ui, status, progress
        self._command: Optional[BackgroundCommand] = None
        ui.selfCheckText.visible = ui.copySelfCheckButton.visible = False
        ui.selfCheckButton.connect("clicked()", status.guard(self._start))
        ui.copySelfCheckButton.connect("clicked()", self._copy)
        session.polled.connect(self._poll)

    def close(self) -> None:
        """Stop the check; may be called twice."""
        command, self._command = self._command, None
        if command is not None:
            command.cancel()

    def _start(self) -> None:
        self.close()
        self._command = BackgroundCommand(slicerEngineLaunch(), ("doctor",))
        self._progress.begin(self, _("Checking"), self._cancel, isLong=True)

    def _cancel(self) -> None:
        self.close()
        self._progress.end(self)

    def _poll(self) -> None:
        text = None if self._command is None else self._command.poll()
        if text is None:
            return
        self._command = None
        self._progress.end(self)
        self._ui.selfCheckText.plainText = text
        self._ui.selfCheckText.visible = self._ui.copySelfCheckButton.visible = True
        self._status.say(_("The self-check page is below, under Advanced."))

    def _copy(self) -> None:
        slicer.app.clipboard().setText(self._ui.selfCheckText.plainText)
