"""Choose how many threads compute on the CPU, so that they do not wait for each other on a busy computer."""

import os
import time
from collections import deque
from contextlib import contextmanager
from typing import Callable, Deque, Iterator, MutableMapping, Optional, Tuple

from .cpu_cores import usable_cores

_THREADS = "OMP_NUM_THREADS"
# For the OpenMP of GCC, which PyTorch has on Linux, and of Intel and LLVM, which it has elsewhere.
_PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}

# Threads that get less than this part of a core each are too many.
_BUSY_SHARE = 0.6
# Slow computations until there are fewer threads: one alone may be an accident.
_PROOF = 2
# Computations without others in the way until one more thread is tried, twice as many after a vain trial.
_PATIENCE, _LONGEST_PATIENCE = 32, 1024
# Computations of a trial, and how much faster the best of them must be for the thread to stay.
_TRIAL, _GAIN = 3, 0.95


def wait_passively(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait for others sleep instead of spin; to be called before torch is imported.

    What the user has set stays.
    """
    if not any(name in environment for name in _PASSIVE):
        environment.update(_PASSIVE)


def most_threads() -> int:
    """Return threads that may compute at most: OMP_NUM_THREADS, or one fewer than there are physical cores.

    The core that is left out draws the user interface.
    """
    given = os.environ.get(_THREADS, "")
    return int(given) if given.isdigit() and int(given) > 0 else max(1, usable_cores() - 1)


def limit_threads() -> None:
    """Let this process and those that it starts wait passively and use `most_threads` on the CPU, for good.

    For work that has no `ThreadGovernor`; to be called before torch is imported.
    """
    wait_passively()
    os.environ[_THREADS] = str(most_threads())


def _set_torch_threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)


class ThreadGovernor:
    """Keeps to as many threads as get a core each, judged by what the computations before have taken.

    A computation whose ``n`` threads all have a core takes up to ``n`` seconds of CPU time in a second.  If
    it takes much less, the threads wait for each other, mostly because another program has one of the cores:
    then fewer of them are faster.  Later one more is tried now and then, and kept if that is faster.

    All methods are called on the thread that computes: the number belongs to it.

    :param most: upper bound, see `most_threads`.
    :param set_threads: makes it so.
    :param wall, cpu: clocks in seconds, the second one of all threads of this process.
    """

    def __init__(
        self,
        most: Optional[int] = None,
        set_threads: Callable[[int], None] = _set_torch_threads,
        wall: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
    ):
        self._most = most_threads() if most is None else most
        self._set_threads, self._wall, self._cpu = set_threads, wall, cpu
        self._patience = _PATIENCE
        self._before: Optional[Tuple[int, float]] = None
        self._use(self._most)

    @property
    def threads(self) -> int:
        """Return how many threads compute now."""
        return self._threads

    @contextmanager
    def measured(self, items: int = 1) -> Iterator[None]:
        """Learn from the computation in the ``with`` statement, whose cost is in proportion to ``items``."""
        wall, cpu = self._wall(), self._cpu()
        yield
        seconds = self._wall() - wall
        if seconds > 0 and items > 0:
            self._learn(seconds / items, (self._cpu() - cpu) / seconds)

    def _learn(self, seconds: float, cores: float) -> None:
        self._times.append(seconds)
        if self._before is not None:
            self._judge(*self._before)
        elif self._threads > 1 and cores < _BUSY_SHARE * self._threads:
            self._slow += 1
            if self._slow == _PROOF:
                self._use(max(1, round(cores)))
        else:
            self._slow = 0
            if self._threads < self._most and len(self._times) >= self._patience:
                before = self._threads, min(self._times)
                self._use(self._threads + 1)
                self._before = before

    def _judge(self, threads: int, seconds: float) -> None:
        """End the trial of one more thread."""
        if len(self._times) < _TRIAL:
            return
        self._before = None
        if min(self._times) > _GAIN * seconds:
            self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
            self._use(threads)
        else:
            self._patience = _PATIENCE

    def _use(self, count: int) -> None:
        self._threads = count
        self._slow = 0
        self._times: Deque[float] = deque(maxlen=_LONGEST_PATIENCE)
        self._set_threads(count)
