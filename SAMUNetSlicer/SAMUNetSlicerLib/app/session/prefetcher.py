"""Encode slices before somebody clicks on them, nearest to the shown one first."""

import time
from collections import deque
from itertools import zip_longest
from typing import Deque, Dict, Hashable, List, NamedTuple, Optional, Sequence, Set

from ...engine.windowing import WindowSetting, to_uint8
from ...errors import UserError
from ...events import Signal
from ...scene.geometry import SlicePlane, extractSlice, neighborPlane, neighborSteps
from ..engines import EngineClient, Ticket
from .sliceImages import imageIdentity

# Enough that the engine never waits, few enough that a new hint takes effect soon.
_OUTSTANDING = 8

# Slices around those that are shown, by default: what may be clicked on soon.  More would keep a core at work
# for minutes, and the disk filling up, for clicks that may never come; the user's next slice is a new hint.
MOST_SLICES = 100

# A mouse that has not moved for so long, in seconds, is not on its way to a click.
_HELD_FOR = 0.5


class _Wish(NamedTuple):
    """The slice that many steps from a shown one."""

    shown: SlicePlane
    step: int


class _Flight(NamedTuple):
    wish: _Wish
    ticket: Ticket


class Prefetcher:
    """Feeds the engine from the front end's idle time: a ``tick`` extracts one slice at most.

    Whatever else is asked of the engine has it to itself: while that is under way and for a moment after it,
    nothing is handed over, and what the engine has not begun is taken back.

    ``advanced(done, total)``: progress of the last hint.
    """

    def __init__(self, engine: EngineClient, clock=time.monotonic):
        self.advanced = Signal("prefetch advanced")
        self._engine = engine
        self._clock = clock
        self._wishes: Deque[_Wish] = deque()
        self._volumeNode = None
        self._window = WindowSetting()
        self._flights: Dict[Hashable, _Flight] = {}
        self._shown: Optional[SlicePlane] = None
        self._heldUntil = self._quietFrom = 0.0
        self._ready: Set[Hashable] = set()
        self._done = self._total = 0

    @property
    def isRunning(self) -> bool:
        return self._done < self._total

    def want(self, planes: Sequence[SlicePlane], most: int, volumeNode, window: WindowSetting) -> None:
        """Replace what is still to be encoded by the slices around some; what runs already is finished.

        :param planes: shown slices, the one in use first; those parallel to them follow outward, one of
            each in turn.
        :param most: how many slices at most, the shown ones included.
        """
        self.stop()
        self._wishes.extend(_outward(planes, volumeNode)[:most])
        self._volumeNode, self._window, self._total = volumeNode, window, len(self._wishes)
        self._shown = planes[0]
        self.advanced.emit(0, self._total)

    def stop(self) -> None:
        """Drop what has not been encoded yet."""
        self._wishes.clear()
        self._done = self._total = 0
        for flight in list(self._flights.values()):
            self._engine.cancel(flight.ticket)

    def hold(self) -> None:
        """Encode only the slice in use for a moment: somebody is about to click, and nothing shall be in
        the way.  What was not begun is asked for again afterwards."""
        self._heldUntil = self._clock() + _HELD_FOR
        self._takeBack([flight for flight in self._flights.values() if not self._isShown(flight.wish)])

    def pause(self) -> None:
        """Leave the engine to somebody who waits for it, for a moment."""
        self._quietFrom = self._clock() + _HELD_FOR
        self._takeBack(list(self._flights.values()))

    def forget(self) -> None:
        """Stop, and call no slice ready any more: another model was loaded, or the cache was cleared."""
        self.stop()
        self._ready.clear()

    def tick(self) -> None:
        """Hand the next slice to the engine if it has room for it."""
        if self._engine.pendingCount > len(self._flights):
            self.pause()
        if self._clock() < self._quietFrom:
            return
        if not self._wishes or len(self._flights) >= _OUTSTANDING:
            return
        if self._isShown(self._wishes[0]) or self._clock() >= self._heldUntil:
            self._submit(self._wishes.popleft())

    def _takeBack(self, flights: List[_Flight]) -> None:
        """Withdraw slices from the engine, to hand them over again later."""
        self._wishes.extendleft(flight.wish for flight in reversed(flights))
        for flight in flights:
            self._engine.cancel(flight.ticket)

    def _isShown(self, wish: _Wish) -> bool:
        return wish.shown is self._shown and wish.step == 0

    def isReady(self, volumeNode, plane: SlicePlane, window: WindowSetting) -> bool:
        """Tell whether a click on the plane need not wait for the encoder."""
        return imageIdentity(volumeNode, plane, window) in self._ready

    def markReady(self, identity: Hashable) -> None:
        """Note that a slice (`sliceImages.imageIdentity`) was encoded for another reason."""
        self._ready.add(identity)

    def _submit(self, wish: _Wish) -> None:
        try:
            plane = neighborPlane(wish.shown, self._volumeNode, wish.step)
            identity = imageIdentity(self._volumeNode, plane, self._window)
            if identity in self._ready or identity in self._flights:
                self._advance()
                return
            image = to_uint8(extractSlice(self._volumeNode, plane), self._window)
        except UserError:
            self.stop()  # a click on the volume will say what is wrong with it
            return
        ticket = self._engine.encode(image, plane.spacing)
        self._flights[identity] = _Flight(wish, ticket)
        ticket.whenDone(lambda ticket: self._onEncoded(identity, ticket))

    def _onEncoded(self, identity: Hashable, ticket: Ticket) -> None:
        self._flights.pop(identity, None)
        if ticket.isCancelled:
            return
        if ticket.error is None:
            self._ready.add(identity)
        self._advance()

    def _advance(self) -> None:
        if self._done < self._total:
            self._done += 1
            self.advanced.emit(self._done, self._total)


def _outward(planes: Sequence[SlicePlane], volumeNode) -> List[_Wish]:
    """Yield the slices around the shown ones, the nearest of all views first."""
    rounds = zip_longest(*(neighborSteps(plane, volumeNode) for plane in planes))
    return [_Wish(*pair) for steps in rounds for pair in zip(planes, steps) if pair[1] is not None]
