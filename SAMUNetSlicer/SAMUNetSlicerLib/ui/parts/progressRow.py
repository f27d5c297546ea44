"""Show a bar with Cancel for whatever takes longer than the user should wait without a word."""

import time
from typing import Callable, Optional

_DELAY_SECONDS = 0.5


class ProgressRow:
    """Shows one task at a time, the last one begun.

    The row keeps its place when it is empty, so that nothing jumps under the mouse.
    """

    def __init__(self, progressBar, cancelButton, clock: Callable[[], float] = time.monotonic):
        self._bar, self._button, self._clock = progressBar, cancelButton, clock
        self._owner: Optional[object] = None
        self._cancel: Optional[Callable[[], None]] = None
        self._since = 0.0
        self.isShown = False
        cancelButton.connect("clicked()", self.cancel)
        self._hide()

    def begin(self, owner: object, text: str, cancel: Callable[[], None], isLong: bool = False) -> None:
        """Announce a task; the bar appears when it lasts.

        :param owner: whoever ends the task; beginning again under the same owner goes on with it.
        :param text: what is going on, shown in the bar.
        :param cancel: what the button does.
        :param isLong: show the bar at once.
        """
        if owner is not self._owner:
            self._owner, self._since = owner, self._clock()
            self._bar.setRange(0, 0)
        self._cancel = cancel
        self._bar.format = text
        if isLong:
            self._show()

    def advance(self, owner: object, done: int, total: int) -> None:
        """Tell how far a task is."""
        if owner is self._owner:
            self._bar.setRange(0, total)
            self._bar.value = done

    def end(self, owner: object) -> None:
        """End a task; nothing changes if another owner has begun one."""
        if owner is self._owner:
            self._owner = self._cancel = None
            self._hide()

    def tick(self) -> None:
        """Show the bar when it is due."""
        if self._owner is not None and self._clock() - self._since > _DELAY_SECONDS:
            self._show()

    def cancel(self) -> None:
        if self._cancel is not None:
            self._cancel()

    def _show(self) -> None:
        self._setShown(True)

    def _hide(self) -> None:
        self._setShown(False)

    def _setShown(self, isShown: bool) -> None:
        self.isShown = isShown
        self._bar.visible = self._button.visible = isShown
