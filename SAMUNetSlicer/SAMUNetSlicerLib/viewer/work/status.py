"""Show in a line at the bottom of the page what happens, what went wrong, how far it is."""

import logging
from typing import Any, Callable, Optional

from ...errors import CancelledError, UserError

_log = logging.getLogger(__name__)


class Status:
    """Writes ``statusText``, ``statusIsProblem``, ``readiness`` and ``progress`` of the page's state.

    ``progress`` is None, or {"text", "percent" (None while unknown), "canCancel"}.
    """

    def __init__(self, state):
        self._state = state
        self._owner: Any = None
        self._cancel: Optional[Callable[[], None]] = None
        state.update({"statusText": "", "statusIsProblem": False, "readiness": "", "progress": None})

    def say(self, sentence: str) -> None:
        self._state.statusText, self._state.statusIsProblem = sentence, False

    def warn(self, sentence: str) -> None:
        """Tell what went wrong, until the next event."""
        self._state.statusText, self._state.statusIsProblem = sentence, True

    def setReadiness(self, done: int, total: int) -> None:
        """Tell how many slices are encoded in advance."""
        self._state.readiness = (
            (f"all {total} slices ready" if done >= total else f"{done} slices ready") if total else ""
        )

    def begin(self, owner, text: str, cancel: Optional[Callable[[], None]] = None) -> None:
        """Show a bar; ``owner`` says who may move and end it."""
        self._owner, self._cancel = owner, cancel
        self._state.progress = {"text": text, "percent": None, "canCancel": cancel is not None}

    def advance(self, owner, done: int, total: int) -> None:
        if owner is self._owner and total:
            percent = round(100 * done / total)
            self._state.progress = {**self._state.progress, "percent": percent}

    def end(self, owner) -> None:
        if owner is self._owner:
            self._owner = self._cancel = self._state.progress = None

    def cancel(self) -> None:
        """Give up what the bar is about."""
        if self._cancel is not None:
            self._cancel()

    def attempt(self, action: Callable, *arguments) -> Any:
        """Return what ``action`` returns; if it raises, the line says why and None is returned."""
        try:
            return action(*arguments)
        except CancelledError as error:
            self.say(str(error))
        except UserError as error:
            self.warn(str(error))
        except Exception as error:
            _log.exception("The viewer failed")
            self.warn(f"Unexpected error ({type(error).__name__}: {error}): see the terminal for details.")
        return None

    def guard(self, action: Callable) -> Callable:
        """Make a page's callback of an action: whatever it raises is told in the line."""
        return lambda *arguments, **_: self.attempt(action, *arguments)
