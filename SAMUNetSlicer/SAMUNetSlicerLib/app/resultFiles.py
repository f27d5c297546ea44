"""The files of one segmented case: all of them, under one name, or none."""

import os
import shutil
import uuid
from itertools import count
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Tuple

from ..errors import InputError, OutputError
from ..scene.exportFiles import EXISTING, renameIfFree
from ..scene.segmentationExport import exportLabelmap, exportMeasurements, exportSegmentation
from .fileInstall import outputErrors
from .provenanceFile import writeProvenance

ENDINGS = (".seg.nrrd", ".nii.gz", ".csv", ".provenance.json")
_PICTURES = "-slices"
_STAGED_NAME = "case"


class ResultFiles:
    """Where the results of a case go.

    :param folder: made when the results are written.
    :param name: of the files, without ending.
    :param existing: what to do if one of them is there already: "refuse", "overwrite", or "number" (the
        first of name, name-2, name-3, ... under which there is none).
    :raises OutputError: there are results of that name, and they are to be refused: said before the work.
    """

    def __init__(self, folder: Path, name: str, existing: str = "refuse"):
        if existing not in EXISTING:
            raise InputError(f"'{existing}' is not a way to treat existing files: use {', '.join(EXISTING)}.")
        self.folder = Path(folder).absolute()
        self.name = self._wanted = name
        self._existing = existing
        self._chooseName()

    def write(
        self,
        segmentationNode,
        volumeNode,
        volumeFile: str,
        confidences: Mapping[str, float],
        drawPictures: Optional[Callable[[Path], None]] = None,
    ) -> Tuple[List[Path], List[str]]:
        """Export everything; on any error nothing is left behind, and files that were there stay.

        :param volumeFile: noted in the provenance.
        :param confidences: by segment ID, for the table.
        :param drawPictures: draws pictures of the slices into the folder that it is given.
        :return: the files, and sentences about what they cannot hold.
        :raises InputError: there is nothing to export.
        :raises OutputError: a file cannot be written, or does not hold what was written.
        """
        with outputErrors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # On the same file system, so that finished files only need to be renamed.
            staging = self.folder / f".samunet-{uuid.uuid4().hex[:12]}"
            staging.mkdir()
        try:
            seg, nifti, table, provenance = (staging / f"{_STAGED_NAME}{ending}" for ending in ENDINGS)
            exported = [
                exportSegmentation(segmentationNode, seg),
                exportLabelmap(segmentationNode, volumeNode, nifti),
                exportMeasurements(segmentationNode, volumeNode, table, confidences),
            ]
            writeProvenance(segmentationNode, volumeNode, provenance, volumeFile)
            if drawPictures is not None:
                pictures = staging / f"{_STAGED_NAME}{_PICTURES}"
                pictures.mkdir()
                drawPictures(pictures)
            return self._publish(staging), [note for file in exported for note in file.notes]
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _publish(self, staging: Path) -> List[Path]:
        """Give the finished files their names.

        The first file claims the name for all of them, so that two cases that finish at the same moment
        cannot mix their files.
        """
        sources = [staging / f"{_STAGED_NAME}{ending}" for ending in ENDINGS]
        first, *others = [*sources, *sorted((staging / f"{_STAGED_NAME}{_PICTURES}").glob("*"))]
        with outputErrors(self.folder):
            while not self._claim(first, self._target(first, staging)):
                self._chooseName()
            for source in others:
                self._target(source, staging).parent.mkdir(exist_ok=True)
                os.replace(source, self._target(source, staging))
        return [self._target(source, staging) for source in (first, *others)]

    def _claim(self, source: Path, target: Path) -> bool:
        if self._existing == "overwrite":
            os.replace(source, target)
            return True
        return renameIfFree(source, target)

    def _target(self, staged: Path, staging: Path) -> Path:
        relative = str(staged.relative_to(staging))
        return self.folder / (self.name + relative[len(_STAGED_NAME) :])

    def _chooseName(self) -> None:
        """Refuse names that are taken, or count on."""
        names = (self._wanted if n == 1 else f"{self._wanted}-{n}" for n in count(1))
        for name in names:
            taken = [] if self._existing == "overwrite" else _existingFiles(self.folder, name)
            if not taken:
                self.name = name
                return
            if self._existing == "refuse":
                raise OutputError(
                    f"{taken[0]} exists already: choose another folder, or overwrite or number it."
                )


def _existingFiles(folder: Path, name: str) -> List[Path]:
    paths = [folder / f"{name}{ending}" for ending in (*ENDINGS, _PICTURES)]
    return [path for path in paths if os.path.lexists(path)]
