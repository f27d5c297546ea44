"""Run the engine's loop: take jobs from a queue, run them on the service, hand over what came out."""

import logging
from typing import Any, Callable, Dict, List, Optional

from ...errors import EngineError, UserError
from .jobs import Job, JobQueue, Priority
from .reports import EngineStatus

_log = logging.getLogger(__name__)


class JobLoop:
    """Runs on one thread for its whole life: neither the network nor cuDNN's plans move between threads.

    :param service: an `EngineService`.
    :param deliver: called with (ticket, outcome) for every job; an outcome is the result or a `UserError`.
    :param report: called with the service's status, or None, whenever it has changed, before the outcome.
    """

    def __init__(
        self,
        service,
        queue: JobQueue,
        deliver: Callable[[int, Any], None],
        report: Callable[[Optional[EngineStatus]], None],
    ):
        self._service = service
        self._queue = queue
        self._deliver = deliver
        self._report = report
        self._reported: Optional[EngineStatus] = None
        self._operations: Dict[str, Callable[[List[Job]], list]] = {
            "load": lambda jobs: [service.load(jobs[0].arguments["spec"])],
            "encode": lambda jobs: service.encode([job.arguments["image"] for job in jobs]),
            "predict": lambda jobs: [service.predict(**jobs[0].arguments)],
            "learn": lambda jobs: [service.learn(jobs[0].arguments["examples"])],
            "recognize": lambda jobs: [service.recognize(**jobs[0].arguments)],
            "statistics": lambda jobs: [service.statistics()],
            "clear": lambda jobs: [service.clear_cache()],
        }

    def run(self) -> None:
        """Serve until the queue is closed."""
        while True:
            jobs = self._queue.take(self._most)
            if not jobs:
                return
            self._serve(jobs)

    def _most(self, job: Job) -> int:
        # Only prefetched slices wait for each other: a click is never delayed to fill a batch.
        is_batchable = job.operation == "encode" and job.priority == Priority.PREFETCH
        return self._service.batch_size if is_batchable else 1

    def _serve(self, jobs: List[Job]) -> None:
        try:
            outcomes = self._operations[jobs[0].operation](jobs)
        except Exception as error:
            if len(jobs) > 1:  # one bad image must not fail its neighbors
                for job in jobs:
                    self._serve([job])
                return
            outcomes = [_as_user_error(error)]
        self._report_status()
        for job, outcome in zip(jobs, outcomes):
            self._deliver(job.ticket, outcome)

    def _report_status(self) -> None:
        if self._service.status != self._reported:
            self._reported = self._service.status
            self._report(self._reported)


def _as_user_error(error: Exception) -> UserError:
    if isinstance(error, UserError):
        return error
    _log.error("Unexpected fault in the engine", exc_info=error)
    first_line = (str(error).splitlines() or [""])[0]
    return EngineError(
        f"The engine met an unexpected fault ({type(error).__name__}: {first_line}); "
        "try again, and report the engine's log if it happens again."
    )
