"""Show what still has to be installed, and the two buttons that do it."""

from pathlib import Path
from typing import Optional

import qt
from slicer.i18n import tr as _

from ...events import Signal
from ..parts import StatusLine
from ..setup import installRequirements, missingText


class SetupSection:
    """Shown while something is missing.

    ``isNeeded``: whether something is missing; ``finished()``: everything is in place now.
    """

    def __init__(self, ui, status: StatusLine):
        self.finished = Signal("setup finished")
        self._ui, self._status = ui, status
        ui.setupButton.connect("clicked()", status.guard(self._install))
        ui.setupFolderButton.connect("clicked()", status.guard(self._installFromFolder))
        self.isNeeded = False
        ui.setupFrame.visible = False

    def refresh(self) -> None:
        """Look at what is installed now, without importing it."""
        text = missingText()
        self.isNeeded = bool(text)
        self._ui.setupText.text = text
        self._ui.setupFrame.visible = self.isNeeded

    def _installFromFolder(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(None, _("Folder of the wheels"))
        if folder:
            self._install(Path(folder))

    def _install(self, folder: Optional[Path] = None) -> None:
        try:
            isComplete = installRequirements(folder)
        finally:
            self.refresh()
        if isComplete:
            self._status.say(_("Everything is installed."))
            self.finished.emit()
        else:
            self._status.say(_("Restart Slicer, then press Install again."))
