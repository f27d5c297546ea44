"""Keep each slice's mask in step with its prompts, however fast the user is and however slow the network."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from ...engine.serving import PredictReport
from ...errors import UserError
from ...events import Signal
from ..engines import EngineClient, Ticket
from .sliceRequest import SliceRequest, prepareRequest, writeAnswer
from .workspace import Target, Workspace


@dataclass(eq=False)
class _Flight:
    """A prediction under way; ``isOutdated`` when the prompts have moved since."""

    request: SliceRequest
    ticket: Ticket
    isOutdated: bool = False


class MaskUpdates:
    """At most one prediction is under way for a segment on a slice.

    A prompt that is added, removed or undone cancels it: its late answer is dropped.  While a prompt is
    dragged, it is let finish, so that the mask follows the mouse, and only the latest position is asked for
    next.

    ``written(SliceRequest, Change, MaskReport)``: a mask has reached the segment;
    ``failed(Target, UserError)``; ``busyChanged()``: the number of predictions under way has changed.
    """

    def __init__(self, workspace: Workspace, engine: EngineClient):
        self.written = Signal("mask written")
        self.failed = Signal("prediction failed")
        self.busyChanged = Signal("busy changed")
        self._workspace = workspace
        self._engine = engine
        self._flights: Dict[Tuple[str, str], _Flight] = {}

    @property
    def isBusy(self) -> bool:
        return bool(self._flights)

    def isBusyWith(self, segmentId: str) -> bool:
        """Tell whether a mask of this segment is being predicted, on any slice."""
        return any(flight.request.target.segmentId == segmentId for flight in self._flights.values())

    def request(self, target: Target, isDrag: bool = False) -> None:
        """Bring the mask of a slice up to date with its prompts."""
        flight = self._flights.get(target.key)
        if flight is not None and isDrag:
            flight.isOutdated = True
            return
        self.cancel(target)
        self._submit(target)

    def cancel(self, target: Target) -> None:
        """Drop the prediction under way for a slice, if there is one."""
        self._land(self._flights.get(target.key))

    def cancelAll(self) -> List[Target]:
        """Drop all predictions under way and return what they were for."""
        flights = list(self._flights.values())
        for flight in flights:
            self._land(flight)
        return [flight.request.target for flight in flights]

    def cancelGone(self) -> None:
        """Drop the predictions for segments that no longer exist."""
        for flight in list(self._flights.values()):
            if not self._workspace.hasSegment(flight.request.target.segmentId):
                self._land(flight)

    def _submit(self, target: Target) -> None:
        try:
            request = prepareRequest(self._workspace, target)
        except UserError as error:
            self.failed.emit(target, error)
            return
        if request.isEmpty:
            self._write(request, None)
            return
        ticket = self._engine.predict(request.image, request.prompts, target.plane.spacing)
        self._flights[target.key] = _Flight(request, ticket)
        self.busyChanged.emit()
        ticket.whenDone(lambda ticket: self._onAnswer(target, ticket))

    def _onAnswer(self, target: Target, ticket: Ticket) -> None:
        flight = self._flights.get(target.key)
        if flight is None:  # cancelled
            return
        self._forget(flight)
        if ticket.error is not None:
            self.failed.emit(target, ticket.error)
        else:
            self._write(flight.request, ticket.result)
        if flight.isOutdated:
            self._submit(target)

    def _write(self, request: SliceRequest, report: Optional[PredictReport]) -> None:
        try:
            written = writeAnswer(self._workspace, request, report, self._engine.lastStatus)
        except UserError as error:
            self.failed.emit(request.target, error)
            return
        self.written.emit(request, *written)

    def _land(self, flight: Optional[_Flight]) -> None:
        if flight is not None:
            self._forget(flight)
            self._engine.cancel(flight.ticket)

    def _forget(self, flight: _Flight) -> None:
        self._flights.pop(flight.request.target.key, None)
        self.busyChanged.emit()
