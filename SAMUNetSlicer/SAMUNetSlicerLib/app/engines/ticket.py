"""A request to the engine whose answer comes later."""

from typing import Any, Callable, List, Optional

from ...errors import CancelledError, UserError


class Ticket:
    """Stands for one request; it is settled once, on the thread that polls the engine.

    ``result`` is valid when ``isDone`` and ``error`` is None; a cancelled request is done, with a
    `CancelledError`.
    """

    def __init__(self, number: int, operation: str):
        self.number = number
        self.operation = operation
        self.isDone = False
        self.result: Any = None
        self.error: Optional[UserError] = None
        self._listeners: List[Callable[[Ticket], None]] = []

    @property
    def isCancelled(self) -> bool:
        return isinstance(self.error, CancelledError)

    def whenDone(self, listener: Callable[["Ticket"], None]) -> "Ticket":
        """Call ``listener(ticket)`` once it is settled; at once when it is already."""
        if self.isDone:
            listener(self)
        else:
            self._listeners.append(listener)
        return self

    def settle(self, outcome: Any) -> None:
        """Take the answer, a result or a `UserError`; later answers are ignored."""
        if self.isDone:
            return
        self.isDone = True
        if isinstance(outcome, UserError):
            self.error = outcome
        else:
            self.result = outcome
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener(self)

    def value(self) -> Any:
        """Return the result, or raise the error with which the request ended."""
        if self.error is not None:
            raise self.error
        return self.result
