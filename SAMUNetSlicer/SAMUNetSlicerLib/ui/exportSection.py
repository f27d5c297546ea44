"""All results as files, with one button."""

from pathlib import Path
from typing import List, Optional

import slicer
from slicer.i18n import tr as _

from ..app.exportFormats import DEFAULT_KEYS, FORMATS
from ..app.exportJob import ExportOptions, ExportResult, exportSegmentation
from ..app.session import SegmentationSession
from .checkList import CheckList
from .choiceBox import ChoiceBox
from .statusLine import StatusLine

# Written along with label volumes.
_NOT_OFFERED = "label-table"


class ExportSection:
    """Folder, file names, formats."""

    def __init__(self, ui, session: SegmentationSession, status: StatusLine):
        self._ui, self._session, self._status = ui, session, status
        entries = [(key, each.title) for key, each in FORMATS.items() if key != _NOT_OFFERED]
        self.formats = CheckList(ui.exportFormats, entries, DEFAULT_KEYS)
        self.existing = ChoiceBox(ui.existingCombo, existingChoices(), lambda _key: None)
        ui.exportFolder.directory = str(Path.home())
        ui.exportPattern.text = "{case}"
        ui.exportButton.connect("clicked()", status.guard(self._export))
        session.statusChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        self._ui.exportButton.enabled = self._session.segmentationNode is not None

    def _export(self) -> None:
        workspace = self._session.workspace
        segmentationNode, volumeNode = workspace.requireSegmentation(), workspace.requireVolume()
        with slicer.util.WaitCursor():
            result = exportSegmentation(segmentationNode, volumeNode, self._options(volumeNode))
        self._status.say(resultText(result))

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
    """What was written where, and what the files cannot hold."""
    text = _("{count} files were written to {folder} and read back.").format(
        count=len(result.files), folder=result.files[0].parent
    )
    return " ".join([text, *result.notes])


def dicomFiles(volumeNode) -> Optional[List[str]]:
    """The files of Slicer's DICOM database that a volume was loaded from, None if it was not."""
    instances = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if database is None:
        return None
    return [file for file in map(database.fileForInstance, instances) if file] or None
