"""Listening to VTK objects, with an end."""

from typing import Callable, List, Tuple


class Observers:
    """The observers that one listener has put on VTK objects.

    VTK keeps a callback, and with it its owner, alive until it is removed: ``close`` is not optional.
    """

    def __init__(self):
        self._tags: List[Tuple[object, int]] = []

    def add(self, source, event, callback: Callable) -> None:
        """Call ``callback(source, eventName)``, or with call data where it is decorated for that."""
        self._tags.append((source, source.AddObserver(event, callback)))

    def drop(self, source) -> None:
        """Stop listening to one object."""
        for _, tag in (pair for pair in self._tags if pair[0] is source):
            source.RemoveObserver(tag)
        self._tags = [pair for pair in self._tags if pair[0] is not source]

    def close(self) -> None:
        for source, tag in self._tags:
            source.RemoveObserver(tag)
        self._tags.clear()
