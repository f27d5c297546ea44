"""Poll the session from Qt's event loop."""

from typing import Callable

import qt

_INTERVAL_MS = 15
_SLOW_INTERVAL_MS = 200


class PollTimer:
    """Calls ``onTick`` between Qt's events; the engine has a process of its own, so a poll is brief."""

    def __init__(self, onTick: Callable[[], None]):
        self._onTick = onTick
        self._isInTick = False
        self._timer = qt.QTimer()
        self._timer.connect("timeout()", self._tick)

    def start(self) -> None:
        self._timer.interval = _INTERVAL_MS
        self._timer.start()

    def slowDown(self) -> None:
        """Poll seldom, only to finish what was begun."""
        self._timer.interval = _SLOW_INTERVAL_MS

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        # A listener may open a dialog, whose event loop lets the timer go on.
        if not self._isInTick:
            self._isInTick = True
            try:
                self._onTick()
            finally:
                self._isInTick = False
