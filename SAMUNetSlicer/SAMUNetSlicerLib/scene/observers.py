"""Listen to VTK objects, and stop listening."""

import weakref
from typing import Callable, List, Set, Tuple

# VTK shows its callbacks to Python's garbage collector as if the Python side of the observed object owned
# them.  When that is garbage, they are emptied first, and the object's last events then crash.  Kept here,
# they are never garbage.
_callbacks: Set[Callable] = set()


class Observers:
    """The observers that one listener has put on VTK objects; ``close`` takes them off.

    VTK does not keep the listener alive.
    """

    def __init__(self):
        self._tags: List[Tuple[object, int, Callable]] = []

    def add(self, source, event, method: Callable) -> None:
        """Call ``method(source, eventName)``, or with call data where it is decorated for that.

        :param method: a bound method, not called any more once its object is gone.
        """
        callback = _weak(method)
        _callbacks.add(callback)
        self._tags.append((source, source.AddObserver(event, callback), callback))

    def addFilter(self, source, event, method: Callable, priority: float) -> None:
        """Call ``method(source, eventName)``; if it returns True, observers of lower priority are not called.

        :param method: as for ``add``.
        """
        weak = _weak(method)

        def callback(caller, eventName):
            if weak(caller, eventName):
                caller.GetCommand(tag).SetAbortFlag(1)

        _callbacks.add(callback)
        tag = source.AddObserver(event, callback, priority)
        self._tags.append((source, tag, callback))

    def drop(self, source) -> None:
        """Stop listening to one object."""
        for entry in [entry for entry in self._tags if entry[0] is source]:
            self._remove(*entry)
        self._tags = [entry for entry in self._tags if entry[0] is not source]

    def close(self) -> None:
        for entry in self._tags:
            self._remove(*entry)
        self._tags.clear()

    @staticmethod
    def _remove(source, tag: int, callback: Callable) -> None:
        source.RemoveObserver(tag)
        _callbacks.discard(callback)


def _weak(method: Callable) -> Callable:
    reference = weakref.WeakMethod(method)

    def call(*arguments):
        target = reference()
        return None if target is None else target(*arguments)

    if hasattr(method, "CallDataType"):  # what vtk.calldata_type leaves on a function
        call.CallDataType = method.CallDataType
    return call
