"""Save the user's work by itself, and find it again when the same volume is opened."""

import asyncio
import hashlib
import logging
import time
from pathlib import Path
from typing import Optional

import numpy as np

from ...app.common import homeFolder, outputErrors
from ...app.session import SegmentationSession
from ...atomicFiles import sweepWorkspaces
from ...platforms import PLATFORM
from ...scene.geometry import ijkToRAS, voxelArray
from .savedWork import Work, readWork, takeWork, writeWork
from .segmentationWatch import SegmentationWatch
from .status import Status

_log = logging.getLogger(__name__)

# Saved when the user pauses, and now and then if he does not, in seconds.
_PAUSE, _LONGEST_WAIT = 1.0, 10.0


class Autosave:
    """Saves to one file per volume, told apart by its voxels and place, not by its name.

    Nothing is saved while the work of an earlier session waits for the user's answer.

    :param folder: by default one in the product's own.
    """

    def __init__(
        self,
        session: SegmentationSession,
        watch: SegmentationWatch,
        status: Status,
        folder: Optional[Path] = None,
    ):
        self._session, self._status = session, status
        self._folder = folder or homeFolder() / "viewer"
        sweepWorkspaces(self._folder)
        self._path: Optional[Path] = None
        self._volumeFile = ""
        self._changedAt: Optional[float] = None
        self._firstChange = 0.0
        self._writing: Optional[asyncio.Future] = None
        self.isWaiting = False
        watch.changed.connect(self._onChanged)
        session.promptChanged.connect(self._onChanged)
        session.maskChanged.connect(self._onChanged)

    def follow(self, volumeNode, volumeFile: str) -> Optional[Work]:
        """Save the work on this volume from now on; return what was saved of it earlier, if anything was.

        :raises InputError: what was saved is damaged; it is kept under another name.
        """
        self._path, self._volumeFile = self._folder / f"{_contentKey(volumeNode)}.npz", volumeFile
        self._changedAt = None
        if not self._path.is_file():
            return None
        try:
            work = readWork(self._path)
        except Exception:
            self.setAside()
            raise
        return None if work.isEmpty else work

    def setAside(self) -> None:
        """Keep the saved work under another name, and begin anew.

        :raises OutputError: it cannot be renamed.
        """
        with outputErrors(self._path):
            PLATFORM.replace(self._path, self._path.with_suffix(".previous.npz"))

    def tick(self) -> None:
        """Save if it is time to; once for each poll."""
        if self._writing is not None and self._writing.done():
            self._report(self._writing.result())
            self._writing = None
        if self._isDue(time.monotonic()) and self._writing is None and not self._session.isBusy:
            work = self._take()
            self._writing = asyncio.get_running_loop().run_in_executor(None, _write, work, self._path)

    async def finish(self) -> None:
        """Save what is not saved yet, and wait for it."""
        if self._writing is not None:
            self._report(await self._writing)
            self._writing = None
        if self._changedAt is not None and not self.isWaiting and self._path is not None:
            self._report(_write(self._take(), self._path))

    def _take(self) -> Work:
        self._changedAt = None
        return takeWork(self._session, self._volumeFile)

    def _isDue(self, now: float) -> bool:
        if self._changedAt is None or self.isWaiting or self._path is None:
            return False
        return now - self._changedAt > _PAUSE or now - self._firstChange > _LONGEST_WAIT

    def _report(self, problem: Optional[str]) -> None:
        if problem is not None:
            self._status.warn(problem)

    def _onChanged(self, *_) -> None:
        now = time.monotonic()
        self._firstChange = now if self._changedAt is None else self._firstChange
        self._changedAt = now


def _write(work: Work, path: Path) -> Optional[str]:
    """Save work on any thread; return a sentence if that fails."""
    try:
        if not work.isEmpty or path.exists():
            writeWork(work, path)
        return None
    except OSError as error:
        _log.warning("Autosave failed: %s", error)
        return f"The work could not be saved in {path.parent} ({error.strerror or error}): make room there."


def _contentKey(volumeNode) -> str:
    digest = hashlib.blake2b(ijkToRAS(volumeNode).tobytes(), digest_size=16)
    digest.update(np.ascontiguousarray(voxelArray(volumeNode)))
    return digest.hexdigest()
