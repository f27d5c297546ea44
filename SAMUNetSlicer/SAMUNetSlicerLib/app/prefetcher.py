"""Slices encoded before somebody clicks on them, nearest to the shown one first."""

from itertools import zip_longest
from typing import Dict, Hashable, Iterator, List, Sequence, Set, Tuple

from ..engine.jobs import Priority
from ..engine.windowing import WindowSetting, to_uint8
from ..errors import UserError
from ..scene.plane import SlicePlane
from ..scene.planeFactory import neighborPlane, neighborSteps
from ..scene.sliceImage import extractSlice
from .engineClient import EngineClient
from .events import Signal
from .sliceImages import imageIdentity
from .squarePixels import squareImage
from .ticket import Ticket

# Enough that the engine never waits, few enough that a new hint takes effect soon.
_OUTSTANDING = 8


class Prefetcher:
    """Feeds the engine from the front end's idle time: a ``tick`` extracts one slice at most.

    ``advanced(done, total)``: progress of the last hint.
    """

    def __init__(self, engine: EngineClient):
        self.advanced = Signal("prefetch advanced")
        self._engine = engine
        self._planes: Iterator[SlicePlane] = iter(())
        self._volumeNode = None
        self._window = WindowSetting()
        self._tickets: Dict[Hashable, Ticket] = {}
        self._ready: Set[Hashable] = set()
        self._done = self._total = 0

    @property
    def isRunning(self) -> bool:
        return self._done < self._total

    def want(self, planes: Sequence[SlicePlane], most: int, volumeNode, window: WindowSetting) -> None:
        """Replace what is still to be encoded by the slices around some; what runs already is finished.

        :param planes: shown slices; those parallel to them follow outward, one of each in turn.
        :param most: how many slices at most, the shown ones included.
        """
        self.stop()
        steps = _outward(planes, volumeNode)[:most]
        self._planes = (neighborPlane(plane, volumeNode, step) for plane, step in steps)
        self._volumeNode, self._window, self._total = volumeNode, window, len(steps)
        self.advanced.emit(0, self._total)

    def stop(self) -> None:
        """Drop what has not been encoded yet."""
        self._planes, self._done, self._total = iter(()), 0, 0
        for ticket in list(self._tickets.values()):
            self._engine.cancel(ticket)

    def forget(self) -> None:
        """Stop, and call no slice ready any more: another model was loaded, or the cache was cleared."""
        self.stop()
        self._ready.clear()

    def tick(self) -> None:
        """Hand the next slice to the engine if it has room for it."""
        if len(self._tickets) < _OUTSTANDING:
            plane = next(self._planes, None)
            if plane is not None:
                self._submit(plane)

    def isReady(self, volumeNode, plane: SlicePlane, window: WindowSetting) -> bool:
        """Whether a click on the plane need not wait for the encoder."""
        return imageIdentity(volumeNode, plane, window) in self._ready

    def markReady(self, identity: Hashable) -> None:
        """Note that a slice (`sliceImages.imageIdentity`) was encoded for another reason."""
        self._ready.add(identity)

    def _submit(self, plane: SlicePlane) -> None:
        try:
            identity = imageIdentity(self._volumeNode, plane, self._window)
            if identity in self._ready or identity in self._tickets:
                self._advance()
                return
            image = to_uint8(extractSlice(self._volumeNode, plane), self._window)
        except UserError:
            self.stop()  # a click on the volume will say what is wrong with it
            return
        ticket = self._engine.encode(squareImage(image, plane), Priority.PREFETCH)
        self._tickets[identity] = ticket
        ticket.whenDone(lambda ticket: self._onEncoded(identity, ticket))

    def _onEncoded(self, identity: Hashable, ticket: Ticket) -> None:
        self._tickets.pop(identity, None)
        if ticket.isCancelled:
            return
        if ticket.error is None:
            self._ready.add(identity)
        self._advance()

    def _advance(self) -> None:
        if self._done < self._total:
            self._done += 1
            self.advanced.emit(self._done, self._total)


def _outward(planes: Sequence[SlicePlane], volumeNode) -> List[Tuple[SlicePlane, int]]:
    """Shown slices and steps from them, the nearest of all views first."""
    rounds = zip_longest(*(neighborSteps(plane, volumeNode) for plane in planes))
    return [(plane, step) for steps in rounds for plane, step in zip(planes, steps) if step is not None]
