"""Run the processes of a batch: each gets a case as soon as it has room, and is replaced when it dies."""

import multiprocessing
import signal
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Deque, Dict, Iterable, Iterator, List, Sequence, Union

from ...errors import EngineError
from ..engines import EngineLaunch
from ..jobs import FAILED, CaseRecord
from .caseTask import CaseTask
from .workerProcess import UNDER_WAY, Advanced, Noticed, Started, work

Event = Union[Started, Advanced, Noticed, CaseRecord]

_ATTEMPTS = 2
_GRACE_SECONDS = 5.0
_WAIT_SECONDS = 1.0


@dataclass(eq=False)
class _Worker:
    """Process of a batch.

    ``given``: its unfinished cases by name, those in ``begun`` are under way.
    """

    process: multiprocessing.process.BaseProcess
    connection: Connection
    device: str
    given: Dict[str, CaseTask] = field(default_factory=dict)
    begun: List[str] = field(default_factory=list)
    hasBegun: bool = False


class WorkerPool:
    """Runs cases in processes of their own.

    The cases during which a process died are tried once more, each by itself; if it dies again, the case is
    failed.

    :param devices: one for each process: "auto", "cpu", "cuda:N".
    :param folder: of the results.
    :param launch: how the engines are started.
    """

    def __init__(self, devices: Sequence[str], folder: Path, launch: EngineLaunch):
        self._context = multiprocessing.get_context("spawn")
        self._devices = list(devices)
        self._folder = str(folder)
        self._launch = launch
        self._workers: List[_Worker] = []
        self._waiting: Deque[CaseTask] = deque()
        self._deaths: Counter = Counter()
        self._failedStarts = 0

    def run(self, tasks: Iterable[CaseTask]) -> Iterator[Event]:
        """Yield what happens until every case has its record.

        :raises EngineError: the processes cannot start.
        """
        self._waiting.extend(tasks)
        while self._waiting or any(worker.given for worker in self._workers):
            self._hire()
            self._handOut()
            for connection in wait([worker.connection for worker in self._workers], _WAIT_SECONDS):
                worker = next(each for each in self._workers if each.connection is connection)
                yield from self._listen(worker)

    def close(self) -> None:
        """End the processes: at once where they are at work, whose unfinished cases are given up."""
        for worker in self._workers:
            if worker.given:
                worker.process.kill()
            else:
                with suppress(OSError):  # it has died
                    worker.connection.send(None)
        for worker in self._workers:
            worker.process.join(_GRACE_SECONDS)
            worker.process.kill()
            worker.connection.close()
        self._workers.clear()

    def _hire(self) -> None:
        busy = sum(bool(worker.given) for worker in self._workers)
        free = list((Counter(self._devices) - Counter(worker.device for worker in self._workers)).elements())
        missing = min(len(self._devices), busy + len(self._waiting)) - len(self._workers)
        for device in free[: max(0, missing)]:
            self._workers.append(self._start(device))

    def _start(self, device: str) -> _Worker:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._launch, self._folder)
        process = self._context.Process(target=work, args=arguments, name="SAMUNetSlicer worker", daemon=True)
        with _withoutInterrupts():
            process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        return _Worker(process, ours, device)

    def _handOut(self) -> None:
        for worker in sorted(self._workers, key=lambda each: len(each.given)):
            while self._waiting and self._hasRoom(worker, self._waiting[0]):
                task = self._waiting.popleft()
                worker.given[task.case.name] = task
                try:
                    worker.connection.send(replace(task, spec=replace(task.spec, device=worker.device)))
                except OSError:
                    break  # it has died, which its connection will say

    def _hasRoom(self, worker: _Worker, task: CaseTask) -> bool:
        """Tell whether a worker may get a case; one that may have killed a process gets a process for
        itself.
        """
        isSuspect = self._deaths[task.case.name] or any(self._deaths[name] for name in worker.given)
        return len(worker.given) < (1 if isSuspect else UNDER_WAY)

    def _listen(self, worker: _Worker) -> Iterator[Event]:
        try:
            event = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(worker)
            return
        if isinstance(event, Started):
            worker.begun.append(event.name)
            worker.hasBegun = True
        elif isinstance(event, CaseRecord):
            del worker.given[event.name]
            worker.begun.remove(event.name)
        yield event

    def _bury(self, worker: _Worker) -> Iterator[CaseRecord]:
        """Take the cases of a process that died back."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        self._failedStarts += not worker.hasBegun
        if self._failedStarts > _ATTEMPTS:
            raise EngineError(
                f"The processes of the batch cannot start (exit code {worker.process.exitcode}); "
                "`samunet doctor` says what is missing."
            )
        self._deaths.update(worker.begun)
        for name, task in reversed(list(worker.given.items())):
            if self._deaths[name] < _ATTEMPTS:
                self._waiting.appendleft(task)
            else:
                yield task.record(
                    state=FAILED,
                    error=EngineError.__name__,
                    message=f"The process that segmented it died {_ATTEMPTS} times (exit code "
                    f"{worker.process.exitcode}): it may need more memory than there is.",
                )


@contextmanager
def _withoutInterrupts() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started meanwhile, even before they run our code."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
