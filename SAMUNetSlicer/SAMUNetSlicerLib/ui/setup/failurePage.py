"""Say in the panel why it could not be built, so that it is never empty, and offer what may help."""

import logging
from typing import Callable

import qt
from slicer.i18n import tr as _

from ...errors import UserError
from .installFlow import installRequirements, missingText

_log = logging.getLogger(__name__)


class FailurePage:
    """Takes the place of the panel until it can be built.

    :param layout: of the module, which the page is added to.
    :param error: what ended the building of the panel.
    :param retry: builds it again; called after ``close``.
    """

    def __init__(self, layout, error: Exception, retry: Callable[[], None]):
        self._retry = retry
        self.widget = qt.QWidget()
        self.label = qt.QLabel()
        self.label.wordWrap = True
        self.label.textInteractionFlags = qt.Qt.TextSelectableByMouse
        self.installButton = qt.QPushButton(_("Install..."))
        self.retryButton = qt.QPushButton(_("Try again"))
        page = qt.QVBoxLayout(self.widget)
        for part in (self.label, self.installButton, self.retryButton):
            page.addWidget(part)
        page.addStretch(1)
        layout.addWidget(self.widget)
        self.label.text = failureText(error)
        self.installButton.visible = bool(missingText())
        self.installButton.connect("clicked()", self._install)
        self.retryButton.connect("clicked()", self._tryAgain)

    def close(self) -> None:
        """Take the page away."""
        self.widget.visible = False
        self.widget.deleteLater()

    def _install(self) -> None:
        try:
            isComplete = installRequirements()
        except Exception as error:  # also what is said about the reason must not end in an empty panel
            if not isinstance(error, UserError):
                _log.exception("The installation failed")
            self.label.text = failureText(error)
        else:
            if isComplete:
                self._tryAgain()
            else:
                self.label.text = _("Restart Slicer, then press Install again.")

    def _tryAgain(self) -> None:
        self.close()
        self._retry()


def failureText(error: Exception) -> str:
    """Return a sentence about an error, and what to do."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ImportError):
        text = _(
            "The Python package {name} is missing or broken ({reason}): install it, for example by "
            "slicer.util.pip_install('--force-reinstall {distribution}') in the Python console, then press "
            "Try again."
        )
        name = (error.name or "").partition(".")[0] or _("that the panel needs")
        distribution = {"PIL": "pillow", "segment_anything": "segment-anything"}.get(name, name)
        return text.format(name=name, reason=error, distribution=distribution)
    return _(
        "The panel could not be built ({error}), see the error log: press Try again, or reinstall "
        "the extension."
    ).format(error=f"{type(error).__name__}: {error}")
