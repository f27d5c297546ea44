"""Write files that appear under their final name only when they are complete and verified."""

import contextlib
import datetime
import errno
import shutil
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, Optional

from ...atomicFiles import flushToDisk, sha256Of
from ...errors import OutputError, WeightsError
from ...platforms import PLATFORM

Progress = Callable[[int, Optional[int]], None]  # (bytes done, bytes in total or None)

_CHUNK = 1 << 20


def noProgress(_done: int, _total: Optional[int]) -> None:
    """Ignore progress."""


def copyStream(source: BinaryIO, target: Path, limit: Optional[int] = None) -> None:
    """Copy a stream to a new file; what ``source.read`` raises is passed on.

    :param limit: bytes expected; reading stops beyond them, so that an archive that unpacks to more than it
        should cannot fill the disk.
    """
    with outputErrors(target):
        output = open(target, "wb", buffering=0)
    with output:
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            with outputErrors(target):
                output.write(chunk)
            if limit is not None and output.tell() > limit:
                return


def installVerified(temporary: Path, target: Path, sha256: Optional[str]) -> Path:
    """Give a complete file its final name, in one step, after checking its sum; return that name.

    :raises WeightsError: the sum differs; the temporary file is removed, an existing target stays.
    """
    with outputErrors(temporary):
        intact = sha256 is None or sha256Of(temporary) == sha256
    if not intact:
        temporary.unlink()
        raise WeightsError(
            f"{target.name} is damaged or is not the expected file (its SHA-256 differs from the one in the "
            "catalog): get it again, or from another place."
        )
    with outputErrors(target):
        flushToDisk(temporary)
        PLATFORM.replace(temporary, target)
    return target


def requireSpace(folder: Path, size: Optional[int]) -> None:
    """Refuse early what the disk cannot hold.

    :raises OutputError: the folder cannot be made or has less than ``size`` bytes free.
    """
    with outputErrors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if size is not None and free < size:
        raise OutputError(
            f"{folder} has {free / 1e6:.0f} MB free but {size / 1e6:.0f} MB are needed: free some space, "
            "or set SAMUNET_HOME to a folder on another disk."
        )


@contextlib.contextmanager
def outputErrors(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence about ``path``.

    Wrap nothing but file operations: the errors of ``requests`` are OSErrors too.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = f"The disk that holds {path} is full: free some space and try again."
        else:
            message = f"{path} cannot be written ({error.strerror or error}): choose another folder."
        raise OutputError(message) from error


def lockExclusively(stream: BinaryIO, path: Path) -> None:
    """Lock an open file until it is closed; a process that dies leaves no lock behind.

    :raises OutputError: another process holds it.
    """
    try:
        PLATFORM.lock(stream.fileno())
    except OSError as error:
        raise OutputError(f"Another program is writing {path}: wait until it is done.") from error


def utcNow() -> str:
    """Return the time, UTC, ISO 8601 with milliseconds."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
