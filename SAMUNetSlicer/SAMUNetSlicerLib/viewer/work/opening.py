"""Open a volume in the place of the one before, while the page stays responsive."""

import asyncio
from pathlib import Path
from typing import Optional

from ...app.files import SceneHost, addVolume, baseName, readImage
from ...app.session import SegmentationSession
from ...errors import UserError
from ..views import BrowserViews
from .autosave import Autosave
from .savedWork import Work, restoreWork
from .status import Status


class Opening:
    """Opens files, and offers what was done on them earlier.

    The page's state has ``volumeName``, and ``savedWork``: what the user is asked about, or None.
    ``path``: what was opened last.
    """

    def __init__(
        self,
        state,
        host: SceneHost,
        session: SegmentationSession,
        views: BrowserViews,
        autosave: Autosave,
        status: Status,
    ):
        self._state, self._host, self._session = state, host, session
        self._views, self._autosave, self._status = views, autosave, status
        self._work: Optional[Work] = None
        self.path: Optional[Path] = None
        state.update({"volumeName": "", "savedWork": None})

    async def open(self, path: Path, name: str = "") -> None:
        """Read and show a file or DICOM folder.

        :param name: by default the file's.
        :raises UserError: it cannot be read; the volume before stays.
        """
        self._status.begin(self, "Reading the volume")
        try:
            image = await asyncio.get_running_loop().run_in_executor(None, readImage, path)
        finally:
            self._status.end(self)
        await self._autosave.finish()
        self._show(image, path, name or baseName(path))

    def restore(self) -> None:
        """Take up the saved work."""
        work, self._work = self._work, None
        restoreWork(work, self._session)
        self._endWaiting()
        self._status.say(f"Restored {work.summary}.")

    def beginAnew(self) -> None:
        """Leave the saved work aside, under another name."""
        self._work = None
        self._autosave.setAside()
        self._endWaiting()

    def _show(self, image, path: Path, name: str) -> None:
        scene, session = self._host.scene, self._session
        before = [node for node in (session.segmentationNode, session.volumeNode) if node is not None]
        session.setSegmentation(None)
        session.setVolume(None)
        for node in before:
            scene.RemoveNode(node)
        volumeNode = addVolume(self._host, image, name)
        self._views.setVolume(volumeNode)
        session.setVolume(volumeNode)
        self.path, self._state.volumeName = path, name
        self._status.say(f"{name}: click on a structure to segment it.")
        self._offer(volumeNode)

    def _offer(self, volumeNode) -> None:
        self._work = None
        try:
            self._work = self._autosave.follow(volumeNode, str(self.path))
        except UserError as error:
            self._status.warn(str(error))
        self._autosave.isWaiting = self._work is not None
        self._state.savedWork = None if self._work is None else self._work.summary

    def _endWaiting(self) -> None:
        self._autosave.isWaiting = False
        self._state.savedWork = None
