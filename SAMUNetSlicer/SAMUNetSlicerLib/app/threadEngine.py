"""The engine on a thread of this process: for the command line, scripts and tests.

Inside Slicer use `ProcessEngine`: Slicer's main thread keeps Python's interpreter lock while it is idle,
so a thread there makes no progress between polls.
"""

import collections
import threading
from typing import Any, Callable, Deque, Optional, Tuple

from ..engine.jobs import Job, JobQueue
from ..engine.runner import EngineRunner
from ..errors import CancelledError
from .engineClient import EngineClient


class ThreadEngine(EngineClient):
    """:param makeService: called on the engine's thread with a callback for notices."""

    def __init__(self, makeService: Optional[Callable] = None):
        super().__init__()
        self._makeService = makeService or _makeService
        self._queue = JobQueue()
        self._arrived: Deque[Tuple[Callable, tuple]] = collections.deque()
        self._hasArrived = threading.Event()
        self._thread = threading.Thread(target=self._run, name="SAMUNetSlicer engine", daemon=True)
        self._thread.start()

    def poll(self) -> None:
        self._hasArrived.clear()
        while self._arrived:
            call, arguments = self._arrived.popleft()
            call(*arguments)

    def block(self, seconds: float) -> None:
        self._hasArrived.wait(seconds)

    def close(self) -> None:
        self._queue.close()
        self._thread.join()
        self._arrived.clear()
        self._failAll(CancelledError("The engine was closed."))
        self._setStatus(None)

    def _submit(self, job: Job) -> None:
        self._queue.put(job)

    def _withdraw(self, number: int) -> None:
        self._queue.cancel(number)

    def _run(self) -> None:
        service = self._makeService(lambda sentence: self._arrive(self.noticed.emit, sentence))
        runner = EngineRunner(
            service,
            self._queue,
            deliver=lambda ticket, outcome: self._arrive(self._deliver, ticket, outcome),
            report=lambda status: self._arrive(self._setStatus, status),
        )
        runner.run()

    def _arrive(self, call: Callable, *arguments: Any) -> None:
        self._arrived.append((call, arguments))
        self._hasArrived.set()


def _makeService(notify: Callable[[str], None]):
    from ..engine.service import EngineService

    return EngineService(notify)
