"""Hide what differs between Windows, macOS and Linux: one class for each; ``PLATFORM`` is this computer's.

Nothing else in the library looks at the name of the system or uses modules that only some systems have.
"""

import errno
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

_PIPE_BYTES = 1 << 20  # a whole slice fits in, so that sending one costs a copy and no round trips
_LOCKED_BYTES = 1024
_REPLACE_SECONDS = 1.0


class Platform:
    """State what a system must offer; locks and descriptors are those of `os`."""

    def userData(self) -> Path:
        """Return the folder where the system wants a user's application data."""
        raise NotImplementedError

    def hasDisplay(self) -> bool:
        """Tell whether windows can be drawn on."""
        return True

    def lock(self, descriptor: int, isShared: bool = False) -> None:
        """Lock an open file until it is closed; a process that dies leaves no lock behind.

        :param isShared: others may have it too, unless they want it for themselves alone.
        :raises OSError: another process holds it.
        """
        raise NotImplementedError

    def replace(self, source: Path, target: Path) -> None:
        """Give a file the name of another one, which is gone then.

        :raises OSError: that is refused; both are as they were.
        """
        os.replace(source, target)

    def pipe(self) -> Tuple[int, int]:
        """Make a pipe to or from a child process: (end to read from, end to write to)."""
        raise NotImplementedError

    def keepFromWaiting(self, readEnd: int, writeEnd: int) -> None:
        """Prepare our two ends of a child's pipes for the functions below."""
        raise NotImplementedError

    def readAvailable(self, readEnd: int, most: int) -> Optional[bytes]:
        """Return what has arrived, b"" when nothing has yet, None when the other end is closed."""
        raise NotImplementedError

    def writeSome(self, writeEnd: int, data: memoryview) -> int:
        """Write what fits into a pipe now; return the number of bytes.

        :raises OSError: the other end is closed.
        """
        raise NotImplementedError

    def waitReadable(self, readEnd: int, seconds: float) -> None:
        """Sleep until there is something to read, at most ``seconds``."""
        raise NotImplementedError

    def childOptions(self) -> Dict[str, Any]:
        """Return arguments of ``subprocess.Popen`` for a process in the background.

        It does not hear Ctrl+C, shows no window, and ``killTree`` ends it with all that it has started.
        """
        raise NotImplementedError

    def killTree(self, process: subprocess.Popen) -> None:
        """End a process that was started with ``childOptions``, and those that it has started, now."""
        raise NotImplementedError

    def onStop(self, loop, stop: Callable[[], None]) -> None:
        """Call ``stop`` in an asyncio event loop when this process is interrupted or asked to end."""
        raise NotImplementedError


class Linux(Platform):
    _SET_PIPE_SIZE = 1031  # fcntl.F_SETPIPE_SZ, which Python names from 3.10 on

    def userData(self) -> Path:
        return _folder("XDG_DATA_HOME", Path.home() / ".local" / "share")

    def hasDisplay(self) -> bool:
        return bool(os.environ.get("DISPLAY"))

    def lock(self, descriptor: int, isShared: bool = False) -> None:
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_SH if isShared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def pipe(self) -> Tuple[int, int]:
        import fcntl

        ends = os.pipe()
        with suppress(OSError):  # the user's pipe quota: smaller writes then
            fcntl.fcntl(ends[1], self._SET_PIPE_SIZE, _PIPE_BYTES)
        return ends

    def keepFromWaiting(self, readEnd: int, writeEnd: int) -> None:
        os.set_blocking(readEnd, False)
        os.set_blocking(writeEnd, False)

    def readAvailable(self, readEnd: int, most: int) -> Optional[bytes]:
        try:
            return os.read(readEnd, most) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def writeSome(self, writeEnd: int, data: memoryview) -> int:
        try:
            return os.write(writeEnd, data)
        except BlockingIOError:
            return 0

    def waitReadable(self, readEnd: int, seconds: float) -> None:
        # Not select.select: it refuses descriptors above 1023, and Slicer may have many files open.
        poller = select.poll()
        poller.register(readEnd, select.POLLIN)
        poller.poll(int(seconds * 1000))

    def childOptions(self) -> Dict[str, Any]:
        return {"start_new_session": True}

    def killTree(self, process: subprocess.Popen) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def onStop(self, loop, stop: Callable[[], None]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)


class MacOS(Linux):
    def userData(self) -> Path:
        return Path.home() / "Library" / "Application Support"

    def hasDisplay(self) -> bool:
        return True

    def pipe(self) -> Tuple[int, int]:
        return os.pipe()  # grows by itself


class Windows(Platform):
    _PIPE_NOWAIT = 1
    _LEAST_WRITE = 512

    def userData(self) -> Path:
        return _folder("LOCALAPPDATA", Path.home() / "AppData" / "Local")

    def lock(self, descriptor: int, isShared: bool = False) -> None:
        """Lock the first bytes of the file, which need not exist; one that shares it locks one of them."""
        import msvcrt

        if not isShared:
            os.lseek(descriptor, 0, os.SEEK_SET)  # what is locked begins at the position
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, _LOCKED_BYTES)
            return None
        for number in range(_LOCKED_BYTES):
            os.lseek(descriptor, (os.getpid() + number) % _LOCKED_BYTES, os.SEEK_SET)
            with suppress(OSError):
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        raise PermissionError(errno.EACCES, "locked")

    def replace(self, source: Path, target: Path) -> None:
        """Try for a while: virus scanners and indexers hold new files open for moments."""
        deadline = time.monotonic() + _REPLACE_SECONDS
        while True:
            try:
                return os.replace(source, target)
            except PermissionError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    def pipe(self) -> Tuple[int, int]:
        import _winapi
        import msvcrt

        readHandle, writeHandle = _winapi.CreatePipe(None, _PIPE_BYTES)
        return msvcrt.open_osfhandle(readHandle, os.O_RDONLY), msvcrt.open_osfhandle(writeHandle, 0)

    def keepFromWaiting(self, readEnd: int, writeEnd: int) -> None:
        import _winapi
        import msvcrt

        # Reading asks first how much there is.
        _winapi.SetNamedPipeHandleState(msvcrt.get_osfhandle(writeEnd), self._PIPE_NOWAIT, None, None)

    def readAvailable(self, readEnd: int, most: int) -> Optional[bytes]:
        waiting = self._bytesWaiting(readEnd)
        if not waiting:
            return None if waiting is None else b""
        try:
            return os.read(readEnd, min(waiting, most)) or None
        except OSError:
            return None

    def writeSome(self, writeEnd: int, data: memoryview) -> int:
        size = len(data)
        while True:
            try:
                return os.write(writeEnd, data[:size])
            except OSError as error:
                # A pipe that cannot take all takes nothing, and a full one is like a full disk.
                if error.errno not in (errno.EAGAIN, errno.ENOSPC):
                    raise
            size //= 2
            if size < self._LEAST_WRITE:
                return 0

    def waitReadable(self, readEnd: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._bytesWaiting(readEnd) == 0 and time.monotonic() < deadline:
            time.sleep(min(0.002, seconds))

    def childOptions(self) -> Dict[str, Any]:
        # Of normal priority: a user waits for a click's answer, and a core is left to the user interface.
        return {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}

    def killTree(self, process: subprocess.Popen) -> None:
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        with suppress(OSError):
            subprocess.run(command, capture_output=True, check=False, **self.childOptions())
        with suppress(OSError):  # has ended
            process.kill()

    def onStop(self, loop, stop: Callable[[], None]) -> None:
        """Use plain signal handlers: the event loop has none of its own there."""
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))

    @staticmethod
    def _bytesWaiting(readEnd: int) -> Optional[int]:
        """Return how much there is to read, None when the other end is closed."""
        import _winapi
        import msvcrt

        try:
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(readEnd), 0)[0]
        except OSError:
            return None


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable, "").strip() or default)


def platformOf(name: str) -> Platform:
    """Return the implementation for a value of ``sys.platform``."""
    return {"win32": Windows, "darwin": MacOS}.get(name, Linux)()


PLATFORM = platformOf(sys.platform)
