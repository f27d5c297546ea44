"""Export all results as files, with one button."""

from pathlib import Path
from typing import List, Optional

import slicer
from slicer.i18n import tr as _

from ...app.files import DEFAULT_KEYS, FORMATS, ExportOptions, ExportResult, exportSegmentation
from ...app.session import SegmentationSession
from ...errors import CancelledError
from ..parts import CheckList, ChoiceBox, ProgressRow, StatusLine

# Written along with label volumes.
_NOT_OFFERED = "label-table"


class ExportSection:
    """Folder, file names, formats.

    The files are written here and now, because the scene may be read by this thread only; between two of
    them Slicer goes on, so that the user can see how far it is, and cancel.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, progress: ProgressRow):
        self._ui, self._session, self._status, self._progress = ui, session, status, progress
        self._isExporting = False
        self._stopped = ""
        entries = [(key, each.title) for key, each in FORMATS.items() if key != _NOT_OFFERED]
        self.formats = CheckList(ui.exportFormats, entries, DEFAULT_KEYS)
        self.existing = ChoiceBox(ui.existingCombo, existingChoices(), lambda _key: None)
        ui.exportFolder.directory = str(Path.home())
        ui.exportPattern.text = "{case}"
        ui.exportButton.connect("clicked()", status.guard(self._export))
        session.statusChanged.connect(self.refresh)
        session.interrupted.connect(self._onChange)
        session.maskChanged.connect(self._onChange)
        self.refresh()

    def refresh(self) -> None:
        hasSegments = self._session.segmentationNode is not None
        self._ui.exportButton.enabled = hasSegments and not self._isExporting

    def cancel(self) -> None:
        """End an export before its next file; none of its files are left."""
        self._stopped = _("The export was cancelled: no files were written.")

    def _export(self) -> None:
        workspace = self._session.workspace
        segmentationNode, volumeNode = workspace.requireSegmentation(), workspace.requireVolume()
        self._isExporting, self._stopped = True, ""
        self._progress.begin(self, _("Exporting"), self.cancel)
        self.refresh()
        try:
            result = exportSegmentation(
                segmentationNode, volumeNode, self._options(volumeNode), onFormat=self._onFormat
            )
        finally:
            self._isExporting = False
            self._progress.end(self)
            self.refresh()
        self._status.say(resultText(result))

    def _onFormat(self, done: int, total: int, title: str) -> None:
        self._progress.begin(self, _("Exporting {title}").format(title=title), self.cancel)
        self._progress.advance(self, done, total)
        self._progress.tick()
        slicer.app.processEvents()
        if self._stopped:
            raise CancelledError(self._stopped)

    def _onChange(self, *_arguments) -> None:
        """Stop the export when a mask changes: files of one export hold the same masks."""
        if self._isExporting:
            self._stopped = _("The segmentation changed during the export: export again.")

    def _options(self, volumeNode) -> ExportOptions:
        return ExportOptions(
            Path(self._ui.exportFolder.directory),
            self.formats.checked,
            self._ui.exportPattern.text,
            existing=self.existing.key,
            dicomSource=dicomFiles(volumeNode),
        )


def existingChoices():
    return [
        ("refuse", _("stay, and nothing is written")),
        ("number", _("stay, new ones are numbered")),
        ("overwrite", _("are replaced")),
    ]


def resultText(result: ExportResult) -> str:
    """Return what was written where, and what the files cannot hold."""
    text = _("{count} files were written to {folder} and read back.").format(
        count=len(result.files), folder=result.files[0].parent
    )
    return " ".join([text, *result.notes])


def dicomFiles(volumeNode) -> Optional[List[str]]:
    """Return the files of Slicer's DICOM database that a volume was loaded from, None if it was not."""
    instances = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if database is None:
        return None
    return [file for file in map(database.fileForInstance, instances) if file] or None
