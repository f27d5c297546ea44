"""Queue what waits for the engine's thread, most urgent first."""

import heapq
import threading
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Callable, List, Optional, Set, Tuple


class Priority(IntEnum):
    """Lower runs first; equal priorities run in the order in which they came."""

    CONTROL = 0  # load a model, clear the cache, statistics
    CLICK = 1  # somebody looks at the slice and waits
    PREFETCH = 2  # somebody may look at it later


@dataclass(frozen=True, eq=False)
class Job:
    """One request: ``ticket`` identifies it to the client, ``operation`` is run with ``arguments``."""

    ticket: int
    operation: str
    priority: Priority = Priority.CLICK
    arguments: dict = field(default_factory=dict)


class JobQueue:
    """A priority queue between the client's thread and the engine's; every method is thread-safe."""

    def __init__(self):
        self._changed = threading.Condition()
        self._heap: List[Tuple[int, int, Job]] = []
        self._count = 0
        self._waiting: Set[int] = set()
        self._is_closed = False

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting)

    def put(self, job: Job) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._heap, (int(job.priority), self._count, job))
            self._waiting.add(job.ticket)
            self._changed.notify()

    def cancel(self, ticket: int) -> bool:
        """Drop a job that has not been started; False when it runs already, has run or is unknown."""
        with self._changed:
            if ticket not in self._waiting:
                return False
            self._waiting.discard(ticket)
            return True

    def close(self) -> None:
        """Drop what waits and let ``take`` return an empty list from now on."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def take(self, most: Callable[[Job], int] = lambda job: 1) -> List[Job]:
        """Wait for work and return the most urgent job, with up to ``most(job)`` jobs of the same kind.

        :return: jobs of one operation and priority, or an empty list once the queue is closed.
        """
        with self._changed:
            while not self._drop_cancelled() and not self._is_closed:
                self._changed.wait()
            return [] if self._is_closed else self._pop_alike(most)

    def _pop_alike(self, most: Callable[[Job], int]) -> List[Job]:
        first = self._pop()
        jobs, limit = [first], most(first)
        while len(jobs) < limit:
            following = self._drop_cancelled()
            if not following or _kind(following) != _kind(first):
                break
            jobs.append(self._pop())
        return jobs

    def _drop_cancelled(self) -> Optional[Job]:
        """Drop cancelled jobs; return the job that is next in line, or None."""
        while self._heap and self._heap[0][2].ticket not in self._waiting:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def _pop(self) -> Job:
        job = heapq.heappop(self._heap)[2]
        self._waiting.discard(job.ticket)
        return job


def _kind(job: Job) -> Tuple[str, Any]:
    return job.operation, job.priority
