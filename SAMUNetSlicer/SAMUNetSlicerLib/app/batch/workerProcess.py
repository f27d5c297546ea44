"""Serve as a process of a batch: its own scene, its own engine, two cases under way at a time."""

import logging
import os
import queue
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generator, List, Optional, Set

from ...errors import EngineError
from ..engines import EngineLaunch
from ..jobs import CaseRecord
from .caseTask import CaseTask
from .lock import workerMark

# While one case is written the engine works on the next one, whose image was read meanwhile.
UNDER_WAY = 2
_NICENESS = 5


@dataclass(frozen=True)
class Started:
    """A case was begun."""

    name: str


@dataclass(frozen=True)
class Advanced:
    """Progress of a case: ``done`` of ``total`` slices are predicted."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Noticed:
    """A sentence of the engine that the user should read."""

    sentence: str


@dataclass(eq=False)
class _Active:
    """Case under way.

    ``wasAlone``: no other case was under way since it was begun; ``isRetry``: it is tried again.
    """

    task: CaseTask
    steps: Generator[bool, None, CaseRecord]
    wasAlone: bool
    isRetry: bool


def work(connection: Connection, launch: EngineLaunch, folder: str) -> None:
    """Serve the process at the other end: `CaseTask` in; `Started`, `Advanced`, `Noticed` and, when a case
    has ended, its `CaseRecord` out; None ends the work.

    When the other process dies this one ends as soon as it can: what it was writing is swept later.

    :param folder: of the results; it is marked as being written to as long as this process lives.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the process that asks
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # with its engine: every core is at work, and nobody waits for one of its masks
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    tasks: queue.SimpleQueue[Optional[CaseTask]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, tasks), name="tasks", daemon=True).start()
    with workerMark(Path(folder)):
        _Worker(connection, tasks, launch).run()


def _receive(connection: Connection, tasks: "queue.SimpleQueue[Optional[CaseTask]]") -> None:
    try:
        while True:
            tasks.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


class _Worker:
    def __init__(self, connection: Connection, tasks: "queue.SimpleQueue", launch: EngineLaunch):
        # Imported here, so that the process that asks needs neither MRML nor VTK.
        from ..engines import ProcessEngine
        from .caseRunner import CaseRunner

        self._connection = connection
        self._tasks = tasks
        self._engine = ProcessEngine(launch)
        self._engine.noticed.connect(lambda sentence: connection.send(Noticed(sentence)))
        self._runner = CaseRunner(self._engine)
        self._active: List[_Active] = []
        self._again: List[CaseTask] = []
        self._failed: Set[str] = set()
        self._isEnding = False

    def run(self) -> None:
        while self._refill():
            if self._advance():
                self._engine.block(0.02)
        self._runner.close()
        self._engine.close()

    def _refill(self) -> bool:
        """Begin cases if there is room; False when all are done and no more will come."""
        while len(self._active) < self._room():
            task = self._again.pop() if self._again else self._nextTask()
            if task is None:
                break
            self._begin(task)
        return bool(self._active)

    def _room(self) -> int:
        """Return how many cases may be under way: one that is tried again has the engine to itself."""
        mustBeAlone = self._again or any(each.isRetry for each in self._active)
        return 1 if mustBeAlone else UNDER_WAY

    def _nextTask(self) -> Optional[CaseTask]:
        """Wait for a task if there is nothing to do meanwhile; None if there is none now."""
        try:
            task = None if self._isEnding else self._tasks.get(block=not self._active)
        except queue.Empty:
            return None
        self._isEnding = task is None
        if task is not None:
            self._connection.send(Started(task.case.name))
        return task

    def _begin(self, task: CaseTask) -> None:
        name = task.case.name

        def tell(done: int, total: int) -> None:
            self._connection.send(Advanced(name, done, total))

        for other in self._active:
            other.wasAlone = False
        isRetry = name in self._failed
        self._active.append(_Active(task, self._runner.steps(task, tell), not self._active, isRetry))

    def _advance(self) -> bool:
        """Do a part of the first case that can go on; True if none can."""
        for each in list(self._active):
            try:
                if not next(each.steps):
                    return False
            except StopIteration as finished:
                self._active.remove(each)
                self._end(each, finished.value)
                return False
        return True

    def _end(self, ended: _Active, record: CaseRecord) -> None:
        """Report a case, or try it again by itself if the engine may have failed because of the other one."""
        if record.error == EngineError.__name__ and not (ended.wasAlone or ended.isRetry):
            self._failed.add(record.name)
            self._again.append(ended.task)
        else:
            self._connection.send(record)
