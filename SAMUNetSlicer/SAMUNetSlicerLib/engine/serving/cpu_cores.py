"""Count the physical cores that this process may use, on Linux, macOS and Windows."""

import ctypes
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Optional

_LINUX_CPUS = Path("/sys/devices/system/cpu")
_LINUX_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# Apple's computers name their fast cores alone; a slow one among them would hold all the others up.
_MAC_KEYS = ("hw.perflevel0.physicalcpu", "hw.physicalcpu")
_WINDOWS_PROCESSOR_CORE = 0


def usable_cores() -> int:
    """Physical cores on which this process may run, 1 at least; logical ones where the system does not say.

    Two threads on one core wait for each other in dense arithmetic, so the second logical core of a physical
    one does not count.
    """
    count = {"linux": linux_cores, "darwin": _mac_cores, "win32": _windows_cores}.get(sys.platform)
    try:
        found = count() if count is not None else None
    except (OSError, ValueError, AttributeError, subprocess.SubprocessError):
        found = None  # a system that differs from what is known here
    return max(1, found or os.cpu_count() or 1)


def linux_cores(cpus: Path = _LINUX_CPUS, quota: Path = _LINUX_QUOTA) -> int:
    """Return cores that have one of the logical CPUs given to this process, but not more than a container's
    share.

    :param cpus: folder with a folder ``cpuN/topology`` for each logical CPU.
    :param quota: file with microseconds of CPU time and of the period in which they may be used, or "max".
    """
    siblings = set()
    for number in os.sched_getaffinity(0):
        file = cpus / f"cpu{number}" / "topology" / "thread_siblings_list"
        siblings.add(file.read_text() if file.exists() else str(number))
    return min(len(siblings), _share(quota) or len(siblings))


def _share(quota: Path) -> Optional[int]:
    """Whole cores in a container's share, None where there is no limit."""
    if not quota.exists():
        return None
    allowed, period = quota.read_text().split()
    return None if allowed == "max" else max(1, math.floor(int(allowed) / int(period)))


def _mac_cores() -> Optional[int]:
    for key in _MAC_KEYS:
        command = ["/usr/sbin/sysctl", "-n", key]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
        if answer.strip().isdigit():
            return int(answer)
    return None


def _windows_cores() -> int:
    """Count the records of GetLogicalProcessorInformationEx: one for each core, of different sizes."""
    ask = ctypes.windll.kernel32.GetLogicalProcessorInformationEx
    size = ctypes.c_ulong(0)
    ask(_WINDOWS_PROCESSOR_CORE, None, ctypes.byref(size))
    records = ctypes.create_string_buffer(size.value)
    if not ask(_WINDOWS_PROCESSOR_CORE, records, ctypes.byref(size)):
        raise OSError("the processors cannot be listed")
    count = offset = 0
    while offset < size.value:  # each record begins with its kind and its size, 4 bytes each
        offset += int.from_bytes(records.raw[offset + 4 : offset + 8], "little")
        count += 1
    return count
