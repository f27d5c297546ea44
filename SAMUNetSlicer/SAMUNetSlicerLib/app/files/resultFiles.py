"""Write the files of one segmented case: all of them, under one name, or none."""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from ...atomicFiles import Workspace, sweepWorkspaces
from ...errors import InputError, OutputError
from ...platforms import PLATFORM
from ...scene.export import EXISTING, renameIfFree
from ..common import outputErrors, printablePath
from .exportFormats import DEFAULT_KEYS, ExportSource, formatsOf

_PICTURES = "-slices"
_STAGED_NAME = "case"

DrawPictures = Callable[[Path], None]

# Called with the number of formats that are written, how many there are, and the title of the next one; what
# it raises ends the export.
OnFormat = Callable[[int, int, str], None]


class ResultFiles:
    """Files of results of a case.

    :param folder: made when the results are written.
    :param name: of the files, without ending.
    :param existing: what to do if one of them is there already: "refuse", "overwrite", or "number" (the
        first of name, name-2, name-3, ... under which there is none).
    :param formats: keys of `exportFormats.FORMATS`.
    :raises InputError: an unknown format or way to treat existing files.
    :raises OutputError: there are results of that name, and they are to be refused, or no file can be there:
        said before the work.
    """

    def __init__(
        self, folder: Path, name: str, existing: str = "refuse", formats: Sequence[str] = DEFAULT_KEYS
    ):
        if existing not in EXISTING:
            raise InputError(f"'{existing}' is not a way to treat existing files: use {', '.join(EXISTING)}.")
        self.folder = Path(folder).absolute()
        self.name = self._wanted = name
        self._existing = existing
        self._formats = formatsOf(formats)
        endings = [*(each.ending for each in self._formats), _PICTURES]
        self._requirePossible(endings)
        self._chooseName(endings)
        sweepWorkspaces(self.folder)

    def write(
        self,
        segmentationNode,
        volumeNode,
        volumeFile: str,
        confidences: Mapping[str, float],
        drawPictures: Optional[DrawPictures] = None,
    ) -> Tuple[List[Path], List[str]]:
        """Write all segments, see ``writeSource``.

        :param volumeFile, confidences: see `ExportSource`.
        """
        source = ExportSource(segmentationNode, volumeNode, None, confidences, volumeFile)
        return self.writeSource(source, drawPictures)

    def writeSource(
        self,
        source: ExportSource,
        drawPictures: Optional[DrawPictures] = None,
        onFormat: Optional[OnFormat] = None,
    ) -> Tuple[List[Path], List[str]]:
        """Export everything; on any error nothing is left behind, and files that were there stay.

        :param drawPictures: draws pictures of the slices into the folder that it is given.
        :param onFormat: see `OnFormat`.
        :return: the files, and sentences about what they cannot hold.
        :raises InputError: there is nothing to export.
        :raises OutputError: a file cannot be written, does not hold what was written, or would replace the
            volume that was segmented.
        """
        isNew = not self.folder.exists()
        with outputErrors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            workspace = Workspace(self.folder)
            staging = workspace.folder
        try:
            stem = staging / _STAGED_NAME
            exported = self._writeFormats(source, stem, onFormat)
            staged = [file.path for file in exported if file.path.exists()]
            if drawPictures is not None:
                pictures = staging / f"{_STAGED_NAME}{_PICTURES}"
                pictures.mkdir()
                drawPictures(pictures)
                staged += sorted(pictures.glob("*"))
            notes = [note for file in exported for note in file.notes]
            return self._publish(staging, staged, source.volumeFile), notes
        except OutputError as error:
            raise OutputError(self._inPlace(str(error), staging)) from error
        finally:
            workspace.close()
            if isNew:
                with suppress(OSError):  # it holds the results
                    self.folder.rmdir()

    def _inPlace(self, sentence: str, staging: Path) -> str:
        """Reword a sentence about a file that is made beside its place as one about its final place."""
        there = sentence.replace(str(staging), str(self.folder))
        return there.replace(f"'{_STAGED_NAME}", f"'{self.name}")

    def _writeFormats(self, source: ExportSource, stem: Path, onFormat: Optional[OnFormat]) -> List:
        exported: List = []
        for number, each in enumerate(self._formats):
            if onFormat is not None:
                onFormat(number, len(self._formats), each.title)
            exported += each.write(source, stem, each.ending)
        return exported

    def _publish(self, staging: Path, staged: List[Path], volumeFile: str) -> List[Path]:
        """Give the finished files their names.

        The first file claims the name for all of them, so that two cases that finish at the same moment
        cannot mix their files.
        """
        endings = [str(path.relative_to(staging))[len(_STAGED_NAME) :] for path in staged]
        with outputErrors(self.folder):
            self._chooseName(endings)
            self._spareVolume(endings, volumeFile)
            while not self._claim(staged[0], self._target(endings[0])):
                self._chooseName(endings)
            for source, ending in zip(staged[1:], endings[1:]):
                self._target(ending).parent.mkdir(exist_ok=True)
                PLATFORM.replace(source, self._target(ending))
        return [self._target(ending) for ending in endings]

    def _requirePossible(self, endings: Sequence[str]) -> None:
        """Refuse names that no file can have."""
        if printablePath(self.folder) != str(self.folder):
            raise OutputError(
                f"The name of '{printablePath(self.folder)}' is not UTF-8 text: choose another folder."
            )
        for ending in endings:
            with outputErrors(self._target(ending)), suppress(FileNotFoundError):
                os.lstat(self._target(ending))

    def _spareVolume(self, endings: Sequence[str], volumeFile: str) -> None:
        if volumeFile and any(_isSame(self._target(ending), Path(volumeFile)) for ending in endings):
            raise OutputError(
                f"'{volumeFile}' is the volume itself and is not overwritten: choose another folder or name."
            )

    def _claim(self, source: Path, target: Path) -> bool:
        if self._existing == "overwrite":
            PLATFORM.replace(source, target)
            return True
        return renameIfFree(source, target)

    def _target(self, ending: str) -> Path:
        return self.folder / f"{self.name}{ending}"

    def _chooseName(self, endings: Sequence[str]) -> None:
        """Refuse names that are taken, or count on."""
        names = (self._wanted if n == 1 else f"{self._wanted}-{n}" for n in count(1))
        for self.name in names:
            taken = (
                []
                if self._existing == "overwrite"
                else list(filter(os.path.lexists, map(self._target, endings)))
            )
            if not taken:
                return
            if self._existing == "refuse":
                raise OutputError(
                    f"{taken[0]} exists already: choose another folder, or overwrite or number it."
                )


def _isSame(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
