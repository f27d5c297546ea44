"""Write files that are either complete and checked, or not there at all."""

import errno
import os
import shutil
from itertools import count
from pathlib import Path
from typing import Callable

from ...atomicFiles import Workspace, flushToDisk
from ...errors import InputError, OutputError
from ...platforms import PLATFORM

EXISTING = ("refuse", "overwrite", "number")

# Less than this is a full disk: nothing of ours is so small that it matters.
_FULL_DISK_BYTES = 64 * 1024

_SENTENCES = {
    errno.ENOSPC: "there is no space left in '{folder}': free some space, or choose another folder",
    errno.EDQUOT: "your quota in '{folder}' is used up: free some space, or choose another folder",
    errno.EACCES: "you may not write to '{folder}': choose another folder",
    errno.EPERM: "you may not write to '{folder}': choose another folder",
    errno.EROFS: "'{folder}' is read-only: choose another folder",
    errno.ENOENT: "the folder '{folder}' does not exist: create it, or choose another one",
    errno.ENOTDIR: "'{folder}' is not a folder: choose another one",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def writeChecked(path, existing: str, write: Callable[[Path], None], check: Callable[[Path], None]) -> Path:
    """Write a file beside its place, read it back, and only then put it in its place.

    :param path: where the file shall be; its folder must exist.
    :param existing: what to do if the name is taken, also by another export at the same moment: "refuse",
        "overwrite", or "number" (name-2.nii.gz, name-3.nii.gz, ...).
    :param write: writes to the path that it is given, whose ending is that of ``path``.
    :param check: reads that file back and raises OutputError if it is not what was to be written.
    :return: the path that the file really has.
    :raises OutputError: it cannot be written or read back; nothing is left behind, a taken name is untouched.
    :raises InputError: unknown ``existing``.
    """
    if existing not in EXISTING:
        raise InputError(f"'{existing}' is not a way to treat existing files: use {', '.join(EXISTING)}.")
    target = Path(path).absolute()
    if existing == "refuse" and os.path.lexists(target):
        raise _taken(target)
    _, ending = splitEnding(target)
    try:
        with Workspace(target.parent) as folder:
            # A short name of its own: the target's name may be as long as the file system allows.
            temporary = folder / f"file{ending}"
            temporary.touch()
            _writeAndCheck(temporary, write, check)
            return _publish(temporary, target, existing)
    except OSError as error:
        raise _outputError(target, error) from error


def _writeAndCheck(temporary: Path, write: Callable[[Path], None], check: Callable[[Path], None]) -> None:
    try:
        write(temporary)
        flushToDisk(temporary)
        check(temporary)
    except OutputError as error:
        if _isFull(temporary.parent):  # as long as the file is there
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise


def splitEnding(path: Path):
    """Split a name into (stem, ending), where the ending may have two parts: .seg.nrrd, .seg.dcm, .nii.gz."""
    name = path.name
    for ending in (".seg.nrrd", ".seg.dcm", ".nii.gz"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], name[-len(ending) :]
    return path.stem, path.suffix


def _publish(temporary: Path, target: Path, existing: str) -> Path:
    if existing == "overwrite":
        PLATFORM.replace(temporary, target)
        return target
    if existing == "refuse":
        if not renameIfFree(temporary, target):
            raise _taken(target)
        return target
    stem, ending = splitEnding(target)
    numbered = (target.with_name(f"{stem}-{number}{ending}") for number in count(2))
    place = target
    while not renameIfFree(temporary, place):
        place = next(numbered)
    return place


def renameIfFree(temporary: Path, place: Path) -> bool:
    """Rename without ever replacing a file, even one that another process makes at this moment."""
    try:
        os.link(temporary, place)
        return True
    except FileExistsError:
        return False
    except OSError:
        return _renameByReserving(temporary, place)


def _renameByReserving(temporary: Path, place: Path) -> bool:
    """Rename where a file system has no hard links (FAT, some network drives): take the name, then replace
    it.
    """
    try:
        place.touch(exist_ok=False)
    except FileExistsError:
        return False
    PLATFORM.replace(temporary, place)
    return True


def _isFull(folder: Path) -> bool:
    """Tell whether the disk is full: image libraries do not say why they failed, or that they did."""
    try:
        return shutil.disk_usage(folder).free < _FULL_DISK_BYTES
    except OSError:
        return False


def _taken(target: Path) -> OutputError:
    return OutputError(f"'{target}' exists already: choose another name, or allow it to be overwritten.")


def _outputError(target: Path, error: OSError) -> OutputError:
    reason = _SENTENCES.get(error.errno, "{reason}: choose another folder")
    reason = reason.format(folder=target.parent, reason=error.strerror or error)
    return OutputError(f"'{target.name}' was not written: {reason}.")
