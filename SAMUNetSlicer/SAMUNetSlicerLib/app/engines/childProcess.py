"""Start the child process that runs `engine.serving.worker`, and exchange messages with it by pipes."""

import collections
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Deque, Dict, List, Mapping, Optional, Sequence, Tuple

from ...engine.serving import FrameError, FrameReader, Message, pack
from ...errors import EngineError
from . import pipes

_LIBRARY_PARENT = str(Path(__file__).resolve().parents[3])
_GRACE_SECONDS = 1.0
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
        self._popen = _start(launch)
        pipes.prepare(self._popen.stdout.fileno(), self._popen.stdin.fileno())

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
                written = pipes.writeSome(self._popen.stdin.fileno(), buffer)
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
            chunk = pipes.readAvailable(self._popen.stdout.fileno())
            if not chunk:
                return messages, chunk is not None
            try:
                messages += self._decoder.feed(chunk)
            except FrameError:
                self.kill()
                return messages, False

    def block(self, seconds: float) -> None:
        pipes.waitReadable(self._popen.stdout.fileno(), seconds)

    def close(self) -> str:
        """End the process, by force if it does not follow the end of its input, and say how it ended."""
        for stream in (self._popen.stdin, self._popen.stdout):
            stream.close()
        try:
            self._popen.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        return _describeExit(self._popen.wait())

    def kill(self) -> None:
        """Kill the process and, where ``PythonSlicer`` is a launcher, the Python that it started."""
        if self._popen.poll() is not None:
            return
        if os.name == "nt":
            command = ["taskkill", "/F", "/T", "/PID", str(self._popen.pid)]
            subprocess.run(command, capture_output=True, check=False, creationflags=windowsFlags())
        else:
            os.killpg(self._popen.pid, signal.SIGKILL)


def _start(launch: EngineLaunch) -> subprocess.Popen:
    log = open(launch.logPath, "ab") if launch.logPath else None
    try:
        return subprocess.Popen(
            launch.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
            env=launch.variables(),
            # A group of its own: Ctrl+C belongs to the front end, and a launcher is killed with its child.
            start_new_session=True,
            creationflags=windowsFlags(),
        )
    except OSError as error:
        executable = launch.command()[0]
        raise EngineError(
            f"The engine's Python {executable} cannot be started ({error.strerror}); choose another one."
        ) from error
    finally:
        if log is not None:
            log.close()


def windowsFlags() -> int:
    """Return flags for processes that work in the background: 0 except on Windows."""
    # Of normal priority: a user waits for a click's answer, and a core is left to the user interface anyway.
    return getattr(subprocess, "CREATE_NO_WINDOW", 0)


def _describeExit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
