"""Write results to a folder, or send them to the browser."""

import secrets
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from aiohttp import web

from ...app.files import ExportOptions, ExportResult, exportSegmentation
from ...app.session import SegmentationSession
from ...atomicFiles import temporaryWorkspace


class Exports:
    """Exports the session's segmentation; downloads are kept until the viewer ends."""

    def __init__(self, session: SegmentationSession):
        self._session = session
        self._workspace = temporaryWorkspace("samunet-export-")
        self._folder = self._workspace.folder
        self._ready: Dict[str, Path] = {}

    def addRoutes(self, router) -> None:
        router.add_get("/download/{key}", self._onDownload)

    def close(self) -> None:
        self._workspace.close()

    def toFolder(self, folder: Path, formats: Sequence[str], volumeFile: Path, existing: str) -> ExportResult:
        """Write the results to a folder.

        :raises UserError: there is nothing to export, or it cannot be written.
        """
        workspace = self._session.workspace
        options = ExportOptions(
            folder,
            formats,
            existing=existing,
            dicomSource=volumeFile if volumeFile.is_dir() else None,
            volumeFile=str(volumeFile),
        )
        return exportSegmentation(workspace.requireSegmentation(), workspace.requireVolume(), options)

    def toBrowser(self, formats: Sequence[str], volumeFile: Path) -> str:
        """Make the files ready for download, several of them as a .zip file.

        :return: the path of the download's address.
        :raises UserError: as for ``toFolder``.
        """
        key = secrets.token_urlsafe(16)
        files = self.toFolder(self._folder / key, formats, volumeFile, "refuse").files
        self._ready[key] = files[0] if len(files) == 1 else _zipped(files)
        return f"/download/{key}"

    async def _onDownload(self, request: web.Request) -> web.StreamResponse:
        path: Optional[Path] = self._ready.get(request.match_info["key"])
        if path is None:
            raise web.HTTPNotFound(text="This download is no longer there: export again.")
        return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{path.name}"'})


def _zipped(files: List[Path]) -> Path:
    # The formats that are worth it are compressed already.
    archive = files[0].parent / f"{_commonStem(files)}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for file in files:
            target.write(file, file.relative_to(archive.parent))
    return archive


def _commonStem(files: List[Path]) -> str:
    shortest = min((file.name for file in files), key=len)
    return shortest.partition(".")[0] or "segmentation"
