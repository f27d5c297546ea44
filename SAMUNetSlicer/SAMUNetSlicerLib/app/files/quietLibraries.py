"""Keep what image libraries print away from the terminal: what matters of it becomes an error of ours."""

import os
import threading
from contextlib import contextmanager
from typing import Optional


class _Silence:
    """Standard error of the process, led nowhere while at least one thread asks for it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._users = 0
        self._stderr: Optional[int] = None

    def begin(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            try:
                self._stderr = os.dup(2)
            except OSError:
                return  # a program without a terminal
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._stderr is not None:
                os.dup2(self._stderr, 2)
                os.close(self._stderr)
                self._stderr = None


_silence = _Silence()


@contextmanager
def quietLibraries():
    """Let libraries print nothing on stderr, whatever way they take to it; for all threads meanwhile."""
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
