"""Read and write pipes without waiting, on POSIX and on Windows.

A thread of the front end's process cannot do this: inside Slicer it would hardly ever get Python's
interpreter lock.
"""

import os
import select
import time
from typing import Optional

_CHUNK_BYTES = 1 << 20
_LINUX_SET_PIPE_SIZE = 1031  # fcntl.F_SETPIPE_SZ, which Python names from 3.10 on
_WINDOWS = os.name == "nt"


def prepare(readEnd: int, writeEnd: int) -> None:
    """Make both ends of a child's pipes fit for the functions below."""
    if _WINDOWS:
        return
    os.set_blocking(readEnd, False)
    os.set_blocking(writeEnd, False)
    for end in (readEnd, writeEnd):
        _enlarge(end)


def readAvailable(readEnd: int) -> Optional[bytes]:
    """Return the bytes that have arrived, b"" if there are none yet, None if the other end is closed."""
    if _WINDOWS:
        waiting = _windowsBytesWaiting(readEnd)
        if not waiting:
            return None if waiting is None else b""
    try:
        return os.read(readEnd, _CHUNK_BYTES) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def writeSome(writeEnd: int, data: memoryview) -> int:
    """Write what fits into the pipe; on Windows all of it, which waits while the child is busy starting.

    :raises BrokenPipeError: when the other end is closed.
    """
    try:
        return os.write(writeEnd, data)
    except BlockingIOError:
        return 0


def waitReadable(readEnd: int, seconds: float) -> None:
    """Sleep until there is something to read, at most ``seconds``."""
    if _WINDOWS:
        time.sleep(0 if _windowsBytesWaiting(readEnd) != 0 else seconds)
    else:
        # Not select.select: it refuses descriptors above 1023, and Slicer may have many files open.
        poller = select.poll()
        poller.register(readEnd, select.POLLIN)
        poller.poll(int(seconds * 1000))


def _enlarge(end: int) -> None:
    """Let a whole slice fit into the pipe (Linux), so that sending one costs a copy and no round trips."""
    import fcntl

    try:
        fcntl.fcntl(end, _LINUX_SET_PIPE_SIZE, _CHUNK_BYTES)
    except OSError:
        pass  # other systems, or the user's pipe quota: smaller writes then


def _windowsBytesWaiting(readEnd: int) -> Optional[int]:
    """Return the number of bytes to read, None if the pipe is broken."""
    import _winapi
    import msvcrt

    try:
        return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(readEnd), 0)[0]
    except OSError:
        return None
