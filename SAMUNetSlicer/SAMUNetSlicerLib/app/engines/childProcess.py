"""Start the child process that runs `engine.serving.worker`, and exchange messages with it by pipes."""

import collections
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Deque, Dict, List, Mapping, Optional, Sequence, Tuple

from ...engine.serving import FrameError, FrameReader, Message, pack
from ...errors import EngineError
from ...platforms import PLATFORM

_LIBRARY_PARENT = str(Path(__file__).resolve().parents[3])
_GRACE_SECONDS = 1.0
_CHUNK_BYTES = 1 << 20
_log = logging.getLogger(__name__)
_WORKER = ("-m", "SAMUNetSlicerLib.engine.serving.worker")


@dataclass(frozen=True)
class EngineLaunch:
    """Settings for starting the engine's process.

    ``executable``: a Python that has torch: this process's own, ``PythonSlicer``, or that of a virtual
    environment; ``arguments``: what it runs; ``pythonPath``: folders put in front of its module search
    path; ``environment``: its environment variables, None for ours (give Slicer's startup environment
    to a Python that is not Slicer's); ``logPath``: file that takes its standard error, None to share ours.
    """

    executable: str = ""
    arguments: Sequence[str] = _WORKER
    pythonPath: Tuple[str, ...] = ()
    environment: Optional[Mapping[str, str]] = None
    logPath: Optional[Path] = None

    def command(self) -> List[str]:
        return [self.executable or sys.executable, *self.arguments]

    def variables(self) -> Dict[str, str]:
        """Return the environment of the process."""
        variables = dict(os.environ if self.environment is None else self.environment)
        inherited = variables.get("PYTHONPATH", "")
        folders = [*self.pythonPath, _LIBRARY_PARENT, *([inherited] if inherited else [])]
        return {**variables, "PYTHONPATH": os.pathsep.join(folders)}


class EngineProcess:
    """Sends and receives messages without ever waiting.

    :raises EngineError: when the executable cannot be started.
    """

    def __init__(self, launch: EngineLaunch):
        self._decoder = FrameReader()
        self._outgoing: Deque[memoryview] = collections.deque()
        self._popen, self._readEnd, self._writeEnd = _start(launch)
        PLATFORM.keepFromWaiting(self._readEnd, self._writeEnd)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def send(self, message: Message) -> None:
        self._outgoing.extend(pack(message))
        self.flush()

    def flush(self) -> None:
        """Write what the pipe takes; the rest stays for the next call."""
        try:
            while self._outgoing:
                buffer = self._outgoing[0]
                written = PLATFORM.writeSome(self._writeEnd, buffer)
                if written < len(buffer):
                    self._outgoing[0] = buffer[written:]
                    return
                self._outgoing.popleft()
        except OSError:
            self._outgoing.clear()  # the process is gone: `receive` will say so

    def receive(self) -> Tuple[List[Message], bool]:
        """Return (messages that have arrived, whether more may come)."""
        self.flush()
        messages: List[Message] = []
        while True:
            chunk = PLATFORM.readAvailable(self._readEnd, _CHUNK_BYTES)
            if not chunk:
                return messages, chunk is not None
            try:
                messages += self._decoder.feed(chunk)
            except FrameError:
                self.kill()
                return messages, False

    def block(self, seconds: float) -> None:
        PLATFORM.waitReadable(self._readEnd, seconds)

    def close(self) -> str:
        """End the process, by force if it does not follow the end of its input, and say how it ended."""
        for end in (self._readEnd, self._writeEnd):
            os.close(end)
        try:
            self._popen.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        return _describeExit(self._popen.wait())

    def kill(self) -> None:
        """Kill the process and, where ``PythonSlicer`` is a launcher, the Python that it started."""
        if self._popen.poll() is None:
            PLATFORM.killTree(self._popen)


def _start(launch: EngineLaunch) -> Tuple[subprocess.Popen, int, int]:
    """Return the process and our ends of its pipes: (process, to read from, to write to)."""
    log = _openLog(launch.logPath)
    (theirInput, writeEnd), (readEnd, theirOutput) = PLATFORM.pipe(), PLATFORM.pipe()
    try:
        process = subprocess.Popen(
            launch.command(),
            stdin=theirInput,
            stdout=theirOutput,
            stderr=log,
            env=launch.variables(),
            **PLATFORM.childOptions(),
        )
        return process, readEnd, writeEnd
    except OSError as error:
        os.close(readEnd)
        os.close(writeEnd)
        executable = launch.command()[0]
        raise EngineError(
            f"The engine's Python {executable} cannot be started ({error.strerror}); choose another one."
        ) from error
    finally:
        os.close(theirInput)
        os.close(theirOutput)
        if log is not None:
            log.close()


def _openLog(path: Optional[Path]) -> Optional[BinaryIO]:
    """Open the log; None where that cannot be: an engine without a log is better than none."""
    try:
        return None if path is None else open(path, "ab")
    except OSError as error:
        _log.warning("The engine's log %s cannot be written: %s", path, error)
        return None


def _describeExit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
