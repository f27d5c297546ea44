"""Choose how many processes a batch has, and on which devices."""

import os
from itertools import cycle, islice
from typing import Optional, Sequence, Tuple

from ...errors import InputError

# What a process with its network and an ordinary volume may take.
_BYTES = 2 << 30


def workerDevices(devices: Sequence[str], workers: Optional[int], threads: int = 1) -> Tuple[str, ...]:
    """Return one device for each process.

    :param devices: "cpu", "cuda", "cuda:N"; ["auto"] takes every GPU, or the CPU if there is none.
    :param workers: how many processes, given the devices in turn; by default one for each GPU, on the CPU as
        many as cores and memory are enough for.
    :param threads: of each process on the CPU.
    """
    if workers is not None and workers < 1:
        raise InputError("A batch needs at least one worker.")
    if list(devices) == ["auto"]:
        devices = _all()
    count = workers or sum(_fitting(threads) if device == "cpu" else 1 for device in devices)
    return tuple(islice(cycle(devices), count))


def threadsVariables(devices: Sequence[str], threads: int) -> dict:
    """Return the environment of engines, in which each one on the CPU has so many threads.

    The same number whatever the number of processes: sums in another order differ in their last bits.
    """
    return {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if "cpu" in devices else {})}


def _all() -> Sequence[str]:
    from ...engine.models import available_devices

    gpus = [device for device in available_devices() if device.startswith("cuda:")]
    return gpus or ["cpu"]


def _fitting(threads: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores // threads, _memory() // _BYTES))


def _memory() -> int:
    """Return the bytes of main memory; where the system does not say, enough for four processes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 * _BYTES
