"""Send events between the layers without Qt: a signal is a list of callables."""

import logging
from typing import Callable, List

_log = logging.getLogger(__name__)


class Signal:
    """Calls its listeners, in the order in which they were connected, on the thread that emits.

    A listener that raises is logged and does not keep the others from being called: a fault in one
    view must not leave the rest of the user interface out of date.
    """

    def __init__(self, name: str):
        self.name = name
        self._listeners: List[Callable] = []

    def connect(self, listener: Callable) -> None:
        """Call ``listener`` at every later ``emit``; connecting the same listener again changes nothing."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def disconnect(self, listener: Callable) -> None:
        """Stop calling ``listener``; unknown listeners are ignored, so that teardown may run twice."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def disconnectAll(self) -> None:
        self._listeners.clear()

    def emit(self, *arguments) -> None:
        for listener in tuple(self._listeners):
            # A listener may disconnect another one that has not been called yet.
            if listener in self._listeners:
                self._call(listener, arguments)

    def _call(self, listener: Callable, arguments: tuple) -> None:
        try:
            listener(*arguments)
        except Exception:
            _log.exception("A listener of %s failed", self.name)
