"""Write files so that they are complete under their name or not there at all, however a process ends."""

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Callable, Union

from .platforms import PLATFORM

WORKSPACE_PREFIX, _LOCK = ".samunet-tmp-", ".lock"
_UNLOCKED_SECONDS = 3600.0  # far longer than a folder is without its lock
_CHUNK = 1 << 20


class Workspace:
    """Make a hidden folder for unfinished files, on the same disk as the place where they belong.

    It is removed when the block or ``close`` ends it.  After a process that was killed the next
    ``sweepWorkspaces`` does that: the folder is locked as long as its process lives.

    :param parent: must exist.
    :param prefix: of the folder's name.
    :raises OSError: the folder cannot be made.
    """

    def __init__(self, parent: Union[str, Path], prefix: str = WORKSPACE_PREFIX):
        while True:
            self.folder = Path(parent) / f"{prefix}{uuid.uuid4().hex[:12]}"
            self.folder.mkdir(mode=0o700)
            self._lock = open(self.folder / _LOCK, "xb", buffering=0)
            if self._isOurs():
                return
            self._lock.close()  # somebody swept here in this very moment

    def __enter__(self) -> Path:
        return self.folder

    def __exit__(self, *_error) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder with all that is in it.  May be called twice."""
        self._lock.close()
        try:
            (self.folder / _LOCK).unlink()
            self.folder.rmdir()
        except OSError:  # something is left in it
            shutil.rmtree(self.folder, ignore_errors=True)

    def _isOurs(self) -> bool:
        try:
            PLATFORM.lock(self._lock.fileno())
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            pass  # a network drive without locks: nobody can sweep there either
        return (self.folder / _LOCK).exists()


def sweepWorkspaces(parent: Union[str, Path], prefix: str = WORKSPACE_PREFIX) -> None:
    """Remove what processes that were killed have left in a folder; what is in use stays."""
    with suppress(OSError):
        for folder in Path(parent).glob(f"{prefix}*"):
            with suppress(OSError):
                _sweep(folder)


def temporaryWorkspace(prefix: str) -> Workspace:
    """Make a workspace in the system's folder of temporary files, without what killed processes left there.

    :param prefix: of its name, which no other kind of workspace has.
    """
    parent = tempfile.gettempdir()
    sweepWorkspaces(parent, prefix)
    return Workspace(parent, prefix)


def _sweep(folder: Path) -> None:
    lock = folder / _LOCK
    if not lock.exists():
        if time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS:
            shutil.rmtree(folder)
        return
    with open(lock, "rb+", buffering=0) as stream:
        PLATFORM.lock(stream.fileno())
        for path in folder.iterdir():
            if path != lock:
                _remove(path)
        with suppress(OSError):  # Windows removes no open file
            lock.unlink()
    lock.unlink(missing_ok=True)
    folder.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def replaceFile(path: Union[str, Path], write: Callable[[Path], object], isDurable: bool = True) -> None:
    """Write a file beside its place and then put it there in one step.

    :param path: its folder must exist.
    :param write: writes to the path that it is given, which has the same name.
    :param isDurable: have the disk keep the content before the name; without that a power failure may leave
        an empty file.
    :raises OSError: it cannot be written; an earlier file is as it was, and nothing is left over.
    """
    path = Path(path)
    with Workspace(path.parent) as folder:
        temporary = folder / path.name
        write(temporary)
        if isDurable:
            flushToDisk(temporary)
        PLATFORM.replace(temporary, path)


def replaceText(path: Union[str, Path], text: str) -> None:
    """Write a UTF-8 text file as ``replaceFile`` does."""
    replaceFile(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def flushToDisk(path: Path) -> None:
    """Have the disk keep a file's content now: power may fail at any time."""
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())


def sha256Of(path: Union[str, Path]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
