"""Run the engine on a thread of this process: for the command line, scripts and tests.

Inside Slicer use `ProcessEngine`: Slicer's main thread keeps Python's interpreter lock while it is idle,
so a thread there makes no progress between polls.
"""

import collections
import logging
import threading
from typing import Any, Callable, Deque, Optional, Tuple

from ...engine.serving import Job, JobLoop, JobQueue, wait_passively
from ...errors import CancelledError, EngineError
from .client import EngineClient

_log = logging.getLogger(__name__)


class ThreadEngine(EngineClient):
    """Engine on a thread of this process.

    :param makeService: called on the engine's thread with a callback for notices.
    """

    def __init__(self, makeService: Optional[Callable] = None):
        super().__init__()
        self._makeService = makeService or _makeService
        self._queue = JobQueue()
        self._arrived: Deque[Tuple[Callable, tuple]] = collections.deque()
        self._hasArrived = threading.Event()
        self._failure: Optional[EngineError] = None
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
        self._failure = EngineError("The engine is closed; make a new one.")
        self._failAll(CancelledError("The engine was closed."))
        self._setStatus(None)

    def _submit(self, job: Job) -> None:
        if self._failure is not None:
            self._deliver(job.ticket, self._failure)
        else:
            self._queue.put(job)

    def _withdraw(self, number: int) -> None:
        self._queue.cancel(number)

    def _run(self) -> None:
        try:
            service = self._makeService(lambda sentence: self._arrive(self.noticed.emit, sentence))
        except Exception as error:  # a damaged installation fails in its own ways
            _log.exception("The engine could not start")
            remedy = "`samunet doctor` says what is missing and how to get it"
            self._arrive(self._fail, f"The engine could not start ({error}); {remedy}.")
            return
        runner = JobLoop(
            service,
            self._queue,
            deliver=lambda ticket, outcome: self._arrive(self._deliver, ticket, outcome),
            report=lambda status: self._arrive(self._setStatus, status),
        )
        try:
            runner.run()
        except Exception as error:  # whoever waits must not wait for ever
            _log.exception("The engine has stopped")
            self._arrive(self._fail, f"The engine has stopped ({error}); start the program again.")

    def _fail(self, sentence: str) -> None:
        self._failure = EngineError(sentence)
        self._failAll(self._failure)

    def _arrive(self, call: Callable, *arguments: Any) -> None:
        self._arrived.append((call, arguments))
        self._hasArrived.set()


def _makeService(notify: Callable[[str], None]):
    wait_passively()
    from ...engine.serving import EngineService

    return EngineService(notify)
