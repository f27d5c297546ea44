"""Take files from the browser: streamed into a folder of their own, checked, opened."""

import asyncio
import json
import re
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Awaitable, Callable, Dict, Optional

from aiohttp import web

from ...app.files import makeSelfContained
from ...atomicFiles import temporaryWorkspace
from ...errors import InputError, OutputError, UserError

MOST_BYTES = 4 << 30
_MOST_FILES = 5000
_CHUNK = 1 << 20
ENDINGS = (".nrrd", ".nii", ".nii.gz", ".mha", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_NO_FILES = "The upload holds no files: choose an image file, or all files of a DICOM series."
_UNSAFE = re.compile(r"[^\w.+ -]")


class Uploads:
    """Takes one file, or all files of a DICOM series, by ``POST /upload``.

    Names from the browser are only looked at for their ending: files are named and placed here.

    Answers {"error": sentence or null}.

    :param open: opens (path, name); raises a `UserError` for what is no image.
    :param mostBytes: that one upload may have.
    """

    def __init__(self, open: Callable[[Path, str], Awaitable[None]], mostBytes: int = MOST_BYTES):
        self._open, self._mostBytes = open, mostBytes
        self._workspace = temporaryWorkspace("samunet-upload-")
        self._folder = self._workspace.folder
        self._shown: Optional[Path] = None  # the folder of what was opened last
        self._turn = asyncio.Lock()

    def addRoutes(self, router) -> None:
        router.add_post("/upload", self._onUpload)

    def close(self) -> None:
        self._workspace.close()

    async def _onUpload(self, request: web.Request) -> web.Response:
        folder = self._folder / uuid.uuid4().hex
        names: Dict[Path, str] = {}
        error = None
        try:
            folder.mkdir()
            await self._receive(request, folder, names)
            async with self._turn:  # the one before is removed when the next one is shown
                await self._open(_whatToOpen(folder), _volumeName(names))
                self._shown, folder = folder, self._shown
        except (UserError, OSError) as problem:
            error = str(problem) if isinstance(problem, UserError) else _noRoom(problem)
            error = _inTheUsersWords(error, folder, names)
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        return web.Response(text=json.dumps({"error": error}), content_type="application/json")

    async def _receive(self, request: web.Request, folder: Path, names: Dict[Path, str]) -> None:
        """Write all files to the folder; ``names`` gets what the browser calls them."""
        if not request.content_type.startswith("multipart/"):
            raise InputError(_NO_FILES)
        try:
            await self._writeParts(request, folder, names)
        except (UserError, OSError):
            raise
        except Exception as error:  # what aiohttp raises depends on what is wrong with the form
            raise InputError("The upload is not a form as browsers send it: send it again.") from error
        if not names:
            raise InputError(_NO_FILES)
        for path in names:
            await asyncio.get_running_loop().run_in_executor(None, makeSelfContained, path)

    async def _writeParts(self, request: web.Request, folder: Path, names: Dict[Path, str]) -> None:
        left = self._mostBytes
        async for part in await request.multipart():
            if len(names) == _MOST_FILES:
                raise InputError(f"More than {_MOST_FILES} files are too many for one series.")
            name = _baseName(part.filename)
            path = folder / f"{len(names):05d}{_endingOf(name)}"
            left -= await self._write(part, path, left)
            names[path] = name

    async def _write(self, part, path: Path, most: int) -> int:
        size = 0
        with open(path, "xb") as file:
            while chunk := await part.read_chunk(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise InputError(tooLarge(self._mostBytes))
                file.write(chunk)
        return size


def tooLarge(mostBytes: int) -> str:
    """Return the error for an upload of more bytes than allowed."""
    return (
        f"The upload is larger than {mostBytes / 2**30:g} GB: copy the file to the viewer's computer "
        "and open it by its path."
    )


def _baseName(name: Optional[str]) -> str:
    return PurePosixPath((name or "").replace("\\", "/")).name


def _endingOf(name: str) -> str:
    """Return the ending of an image file's name; DICOM files often have none.

    :raises InputError: not the name of an image file.
    """
    lower = name.lower()
    found = max((each for each in ENDINGS if lower.endswith(each)), key=len, default=None)
    isBare = "." not in name or name.replace(".", "").isdigit()  # such as 1.2.840.113619
    if found is None and not (name and isBare):
        known = ", ".join(ENDINGS)
        raise InputError(f"'{_clean(name)}' is not an image file: give one that ends in {known}.")
    return found or ".dcm"


def _volumeName(names: Dict[Path, str]) -> str:
    first = next(iter(names.values()))
    stem = first[: -len(_endingOf(first))] if first.lower().endswith(ENDINGS) else first
    return _clean(stem) or "volume"


def _inTheUsersWords(text: str, folder: Path, names: Dict[Path, str]) -> str:
    """Reword a sentence about stored files with the names that the user knows."""
    for path, name in names.items():
        text = text.replace(str(path), _clean(name))
    return text.replace(str(folder), "the upload")


def _clean(name: str) -> str:
    return _UNSAFE.sub("_", name)[:80].strip(". ")


def _whatToOpen(folder: Path) -> Path:
    files = sorted(folder.iterdir())
    return files[0] if len(files) == 1 else folder


def _noRoom(error: OSError) -> str:
    return str(OutputError(f"The upload could not be stored ({error.strerror or error}): make room for it."))
