"""Lock a folder for one batch at a time, until the processes of the last one are gone."""

import time
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator

from ...errors import OutputError
from ...platforms import PLATFORM
from ..common import lockExclusively, outputErrors

_BATCH, _WORKERS = ".batch.lock", ".workers.lock"
# A process that lost the batch it belonged to ends when its current call into a library returns.
_PATIENCE_SECONDS = 30.0


@contextmanager
def batchLock(folder: Path) -> Iterator[None]:
    """Hold a folder; the system releases it however this process ends.

    :raises OutputError: another batch is writing there.
    """
    with outputErrors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = open(folder / _BATCH, "ab")
    with stream:
        lockExclusively(stream, folder)
        _awaitWorkers(folder)
        yield


@contextmanager
def workerMark(folder: Path) -> Iterator[None]:
    """Keep others from beginning a batch in the folder as long as this process lives."""
    with open(folder / _WORKERS, "ab") as stream:
        _awaitLock(stream, folder, isShared=True)
        yield


def _awaitWorkers(folder: Path) -> None:
    with outputErrors(folder):
        stream = open(folder / _WORKERS, "ab")
    with stream:
        _awaitLock(stream, folder, isShared=False)


def _awaitLock(stream: BinaryIO, folder: Path, isShared: bool) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return PLATFORM.lock(stream.fileno(), isShared)
        except OSError as error:
            if time.monotonic() > deadline:
                raise OutputError(f"Another batch still writes to {folder}: wait until it ends.") from error
        time.sleep(0.05)
