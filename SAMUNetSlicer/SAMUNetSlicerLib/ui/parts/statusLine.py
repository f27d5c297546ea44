"""Show what happens in one line, and turn errors into sentences there."""

import logging
from typing import Any, Callable, Optional

import slicer
from slicer.i18n import tr as _

from ...errors import CancelledError, UserError

_log = logging.getLogger(__name__)
_STATUS_BAR_MS = 6000


class StatusLine:
    """Shows the last event, and after it how many slices answer at once.

    Without an event it says what there is to do.

    :param label: QLabel that shows it.
    :param hint: returns a sentence about what the user can do now.
    """

    def __init__(self, label, hint: Callable[[], str]):
        self._label = label
        self._hint = hint
        self._event = ""
        self._isProblem = False
        self._readiness = ""
        self._last: Optional[str] = None

    def say(self, sentence: str) -> None:
        """Tell what happened; "" leaves the hint."""
        self._show(sentence, False)

    def warn(self, sentence: str) -> None:
        """Tell what went wrong; also in Slicer's status bar, because the line may be scrolled away."""
        if sentence != self._event:
            _log.warning(sentence)
            slicer.util.showStatusMessage(sentence, _STATUS_BAR_MS)
        self._show(sentence, True)

    def setReadiness(self, done: int, total: int) -> None:
        """Tell how many slices are encoded in advance, which need not become all; (0, 0) tells nothing."""
        text = _("{done} slices ready") if done < total else _("all {total} slices ready")
        self._readiness = text.format(done=done, total=total) if total else ""
        self.refresh()

    def refresh(self) -> None:
        """Write the line again, the hint may have changed."""
        sentence = self._event or self._hint()
        text = sentence
        if self._readiness and not self._isProblem:
            text = _("{sentence}, {readiness}").format(
                sentence=sentence.rstrip("."), readiness=self._readiness
            )
        if text != self._last:
            self._last = self._label.text = text

    def attempt(self, action: Callable, *arguments) -> Any:
        """Return what ``action`` returns; if it raises, the line says why and None is returned."""
        try:
            return action(*arguments)
        except CancelledError as error:
            self.say(str(error))
        except UserError as error:
            self.warn(str(error))
        except Exception as error:
            # PythonQt would print it where a radiologist never looks.
            _log.exception("The panel failed")
            self.warn(
                _("Unexpected error ({error}): see the error log for details.").format(
                    error=f"{type(error).__name__}: {error}"
                )
            )
        return None

    def guard(self, action: Callable) -> Callable:
        """Make a slot of an action: whatever it raises is told in the line."""
        return lambda: self.attempt(action)

    def _show(self, sentence: str, isProblem: bool) -> None:
        self._event, self._isProblem = sentence, isProblem
        self.refresh()
