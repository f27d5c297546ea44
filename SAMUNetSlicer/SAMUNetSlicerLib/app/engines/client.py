"""Send requests to the engine, and deliver its answers when the front end polls."""

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...engine.learning import Example, Known
from ...engine.prompting import close_up
from ...engine.serving import EngineStatus, Job, ModelSpec, PredictReport, Priority
from ...engine.types import Prompts
from ...errors import CancelledError, EngineError, UserError
from ...events import Signal
from .squarePixels import SquarePixels


def _asItIs(answer: Any) -> Any:
    return answer


class Ticket:
    """Stands for one request; it is settled once, on the thread that polls the engine.

    ``result`` is valid when ``isDone`` and ``error`` is None; a cancelled request is done, with a
    `CancelledError`.

    :param read: turns the engine's answer into the result.
    """

    def __init__(self, number: int, operation: str, read: Callable[[Any], Any] = _asItIs):
        self.number = number
        self.operation = operation
        self._read = read
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
            self.result = self._read(outcome)
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener(self)

    def value(self) -> Any:
        """Return the result, or raise the error with which the request ended."""
        if self.error is not None:
            raise self.error
        return self.result


BLOCK_SECONDS = 0.02
_LOADING_ATTEMPTS = 3

Spacing = Tuple[float, float]
SQUARE: Spacing = (1.0, 1.0)


class EngineClient(ABC):
    """Client of the engine, which runs in a thread (`ThreadEngine`) or in a process (`ProcessEngine`).

    All methods are called on one thread, the front end's, and none of them waits except ``wait`` and
    ``close``.  Answers are delivered by ``poll``: call it from a timer, or call ``wait``.

    ``noticed(sentence)``: the engine did something the user should read once, such as starting again;
    ``lastStatus``: the last status that was not None: of the engine that has given an answer, although it may
    have died since.
    ``statusChanged(EngineStatus or None)``: a model was loaded, moved to another device, or is gone.
    """

    def __init__(self):
        self.noticed = Signal("noticed")
        self.statusChanged = Signal("statusChanged")
        self.status: Optional[EngineStatus] = None
        self.lastStatus: Optional[EngineStatus] = None
        self._tickets: Dict[int, Ticket] = {}
        self._lastNumber = 0
        self._spec: Optional[ModelSpec] = None

    def start(self, spec: ModelSpec) -> Ticket:
        """Load a model, in place of the one loaded before; the ticket's result is an `EngineStatus`."""
        return self._request("load", Priority.CONTROL, {"spec": spec})

    def prepare(self, spec: ModelSpec) -> None:
        """Say which model a request means that comes before any is loaded; nothing is started now."""
        if self.status is None:
            self._spec = spec

    def encode(
        self, image: np.ndarray, spacing: Spacing = SQUARE, priority: Priority = Priority.PREFETCH
    ) -> Ticket:
        """Have the embedding of a slice ready, result: `EncodeReport`.

        :param image: uint8 (H, W) or (H, W, 3), not to be written to later: an engine in another process is
            sent the pixels once and told of the same array afterwards.
        :param spacing: of its pixels along x and y, in mm; the network sees them square.
        """
        return self._encode(SquarePixels(image.shape[:2], spacing).image(image), priority)

    def encodeFor(self, image: np.ndarray, prompts: Prompts, spacing: Spacing = SQUARE) -> Ticket:
        """Encode what `predict` will need for these prompts on a slice: all of it or a `close_up`."""
        square = SquarePixels(image.shape[:2], spacing)
        image = square.image(image)
        if self.status is not None:
            view = close_up(square.prompts(prompts), image.shape[:2], self.status.capabilities)
            image = view.image(image)
        return self._encode(image, Priority.PREFETCH)

    def predict(self, image: np.ndarray, prompts: Prompts, spacing: Spacing = SQUARE) -> Ticket:
        """Segment a slice, see `EngineService.predict`; result: `PredictReport` in the slice's pixels.

        :param image, spacing: as for `encode`.
        :param prompts: in pixels of the slice.
        """
        square = SquarePixels(image.shape[:2], spacing)

        def onSlice(report: PredictReport) -> PredictReport:
            return replace(report, prediction=square.prediction(report.prediction, prompts))

        arguments = {"image": square.image(image), "prompts": square.prompts(prompts)}
        return self._request("predict", Priority.CLICK, arguments, onSlice)

    def learn(self, examples: Sequence[Tuple[Example, Spacing]]) -> Ticket:
        """Learn what a structure looks like, see `EngineService.learn`; result: `LearnReport`.

        :param examples: slices, each with the spacing of its pixels, see `encode`.
        """
        stretched = []
        for example, spacing in examples:
            square = SquarePixels(example.mask.shape, spacing)
            stretched.append(Example(square.values(example.values), square.mask(example.mask)))
        return self._request("learn", Priority.CLICK, {"examples": stretched})

    def recognize(
        self,
        image: np.ndarray,
        prompts: Prompts,
        known: Known,
        spacing: Spacing = SQUARE,
    ) -> Ticket:
        """Segment a slice that shows a known structure, see `EngineService.recognize`.

        :param known: in pixels of the slice; the other arguments and the result are those of `predict`.
        """
        square = SquarePixels(image.shape[:2], spacing)

        def onSlice(report: PredictReport) -> PredictReport:
            return replace(report, prediction=square.prediction(report.prediction, prompts))

        stretched = replace(known, values=square.values(known.values), neighbor=square.mask(known.neighbor))
        arguments = {"image": square.image(image), "prompts": square.prompts(prompts), "known": stretched}
        return self._request("recognize", Priority.CLICK, arguments, onSlice)

    def statistics(self) -> Ticket:
        """Ask what the cache holds and what the work cost; result: dict."""
        return self._request("statistics", Priority.CONTROL, {})

    def clearCache(self) -> Ticket:
        """Forget every embedding, in memory and on disk."""
        return self._request("clear", Priority.CONTROL, {})

    def cancel(self, ticket: Ticket) -> None:
        """Give up a request: its ticket is settled now and a late answer is ignored.

        What already runs is finished by the engine, because a network cannot be stopped half-way.
        """
        if self._tickets.pop(ticket.number, None) is not None:
            self._withdraw(ticket.number)
            ticket.settle(CancelledError("The request was cancelled."))

    @property
    def hasModel(self) -> bool:
        """Tell whether requests find a model: one is loaded, or the next request loads the one that was
        lost.
        """
        return self.status is not None

    def loadedAgain(self) -> Iterator[bool]:
        """Wait until there is a ``status``, which a restart has taken away; yields True meanwhile.

        :raises EngineError: the model cannot be loaded again.
        """
        for _ in range(_LOADING_ATTEMPTS):
            if self.status is not None:
                return
            ticket = self.statistics()  # any request has the model loaded first
            while not ticket.isDone:
                yield True
            ticket.value()
        if self.status is None:
            raise EngineError("The model could not be loaded again: choose one.")

    @property
    def pendingCount(self) -> int:
        """Return the number of requests that have not been answered."""
        return len(self._tickets)

    def wait(
        self, ticket: Ticket, pump: Optional[Callable[[], None]] = None, timeout: Optional[float] = None
    ) -> Any:
        """Poll until ``ticket`` is settled and return its value or raise its error.

        :param pump: called between polls, for example ``slicer.app.processEvents``.
        :param timeout: seconds after which `EngineError` is raised; the request stays in flight.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._isSettledByPolling(ticket):
            if deadline is not None and time.monotonic() > deadline:
                raise EngineError(
                    f"The engine did not answer within {timeout:g} s; wait longer or restart it."
                )
            self.block(BLOCK_SECONDS)
            if pump is not None:
                pump()
        return ticket.value()

    @abstractmethod
    def poll(self) -> None:
        """Deliver the answers that have arrived; never waits."""

    @abstractmethod
    def block(self, seconds: float) -> None:
        """Sleep until an answer may have arrived, at most ``seconds``."""

    @abstractmethod
    def close(self) -> None:
        """Stop the engine and leave nothing running; open requests are cancelled.  May be called twice."""

    @abstractmethod
    def _submit(self, job: Job) -> None:
        """Send a job to the engine without waiting."""

    @abstractmethod
    def _withdraw(self, number: int) -> None:
        """Tell the engine that nobody waits for this ticket."""

    def _encode(self, image: np.ndarray, priority: Priority) -> Ticket:
        return self._request("encode", priority, {"image": image})

    def _request(
        self, operation: str, priority: Priority, arguments: dict, read: Callable[[Any], Any] = _asItIs
    ) -> Ticket:
        """Send a job; ``read`` turns the engine's answer into the ticket's result."""
        self._lastNumber += 1
        ticket = Ticket(self._lastNumber, operation, read)
        self._tickets[ticket.number] = ticket
        self._submit(Job(ticket.number, operation, priority, arguments))
        return ticket

    def _isSettledByPolling(self, ticket: Ticket) -> bool:
        if not ticket.isDone:
            self.poll()
        return ticket.isDone

    def _deliver(self, number: int, outcome: Any) -> None:
        ticket = self._tickets.pop(number, None)
        if ticket is not None:
            ticket.settle(outcome)

    def _failAll(self, error: UserError) -> None:
        tickets, self._tickets = self._tickets, {}
        for ticket in tickets.values():
            ticket.settle(error)

    def _setStatus(self, status: Optional[EngineStatus]) -> None:
        if status != self.status:
            self.status = status
            self.lastStatus = status or self.lastStatus
            self.statusChanged.emit(status)
