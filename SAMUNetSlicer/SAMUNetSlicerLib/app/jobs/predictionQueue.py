"""Pass slices through the engine: several at a time, encoded together, given back in order."""

from collections import deque
from typing import Deque, Generator, Iterator, Optional, Tuple

from ...engine.serving import EncodeReport, PredictReport
from ..engines import EngineClient, Ticket
from ..session import SliceRequest

# Slices under way at the same time: full batches on a GPU, and work for the engine while results are written.
_UNDER_WAY = 24


class SlicePrediction:
    """Goes on by itself as the engine is polled.

    The prediction is asked for when the encoding is done and not before: it would be served first, and its
    slice encoded outside of the batch.
    """

    def __init__(self, engine: EngineClient, request: SliceRequest):
        self.request = request
        self._engine = engine
        self._predicting: Optional[Ticket] = None
        self._isWithdrawn = False
        self._slice = request.image, request.prompts, request.target.plane.spacing
        self._encoding = engine.encodeFor(*self._slice)
        self._encoding.whenDone(self._onEncoded)

    @property
    def isDone(self) -> bool:
        return self._encoding.isDone and (self._predicting is None or self._predicting.isDone)

    def reports(self) -> Tuple[EncodeReport, PredictReport]:
        """Return what the engine has answered.

        :raises UserError: it could not encode or predict.
        """
        if self._predicting is None:
            self._encoding.value()
        report = self._predicting.value()
        return report.encoding if self._encoding.isCancelled else self._encoding.value(), report

    def cancel(self) -> None:
        self._isWithdrawn = True
        for ticket in (self._encoding, self._predicting):
            if ticket is not None:
                self._engine.cancel(ticket)

    def _onEncoded(self, ticket: Ticket) -> None:
        # An engine that is started again gives encoding ahead up, but not what is predicted.
        if ticket.error is None or (ticket.isCancelled and not self._isWithdrawn):
            self._predicting = self._engine.predict(*self._slice)


class PredictionQueue:
    """Keeps a number of predictions under way.

    :param requests: all that are wanted, in order; taken one by one as there is room.
    """

    def __init__(self, engine: EngineClient, requests: Iterator[SliceRequest]):
        self._engine = engine
        self._requests = requests
        self._pending: Deque[SlicePrediction] = deque()

    def take(self) -> Generator[bool, None, SlicePrediction]:
        """Return the next one when it is done; yields True when only the engine can go on."""
        self._submit()
        while not self._pending[0].isDone:
            yield not self._submit()
        return self._pending.popleft()

    def cancel(self) -> None:
        """Withdraw what is under way."""
        while self._pending:
            self._pending.popleft().cancel()

    def _submit(self) -> bool:
        """Submit one more; False if there is no room or nothing left."""
        request = next(self._requests, None) if len(self._pending) < _UNDER_WAY else None
        if request is not None:
            self._pending.append(SlicePrediction(self._engine, request))
        return request is not None
