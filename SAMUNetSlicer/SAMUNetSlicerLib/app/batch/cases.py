"""List the cases of a batch: the images in files and folders, and a name for each."""

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Collection, Iterator, List, Optional, Sequence, Tuple

from ...errors import InputError
from ..common import fileName, printablePath
from ..files import isDicom, seriesIn

ENDINGS = (
    *(".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
)
_DICOM_ENDINGS = (".dcm", ".ima")
# Names of label maps, which lie beside their images: what they end in, before the ending.
_LABELS = re.compile(r"([._-]seg|[._-]labels?|[._-]segmentation)$", re.IGNORECASE)
_NO_IMAGES = {"SEG", "RTDOSE", "PR"}


@dataclass(frozen=True)
class BatchCase:
    """One image: ``path`` of its file, or of its folder with the DICOM series ``seriesUID``.

    ``name``: unique in a batch, fit for a file name; ``relative``: where it lies below the folder that was
    given, without endings.
    """

    name: str
    path: str
    seriesUID: Optional[str] = None
    relative: str = ""

    def signature(self) -> Tuple:
        """Return a text that differs when a file of the image is written to: names, sizes and times of
        writing.
        """
        path = Path(self.path)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return (self.seriesUID, *(_state(file) for file in files if file.is_file()))


def findCases(inputs: Sequence[Path], without: Collection[Path] = ()) -> List[BatchCase]:
    """Return all images in files and folders, sub-folders included, in the order of their names.

    A folder of DICOM files is one case for each series.  A name is the path below the given folder with "-"
    between its parts.  In folders, hidden files and label maps (names that end in .seg, _seg, -label, ...)
    are passed over; given by themselves they are taken.

    :param without: files and folders that are passed over, such as the folder of the results.
    :raises InputError: nothing there, no images, or two images that would have the same name.
    """
    without = {path.resolve() for path in without}
    cases = [case for path in inputs for case in _casesOf(Path(path), without)]
    if not cases:
        places = ", ".join(map(str, inputs))
        raise InputError(f"There are no images in {places}: give image files or folders of them.")
    return _namedApart(list({(case.path, case.seriesUID): case for case in cases}.values()))


def stem(name: str) -> str:
    """Return a file name without the ending of an image."""
    ending = next((each for each in (*ENDINGS, *_DICOM_ENDINGS) if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)] if ending else name


def isImage(path: Path) -> bool:
    return path.name.lower().endswith(ENDINGS)


def _casesOf(path: Path, without: Collection[Path]) -> Iterator[BatchCase]:
    if not path.exists():
        raise InputError(f"There is no file or folder '{path}': check its name.")
    path = Path(os.path.abspath(path))  # a link keeps its own name
    if path.is_dir():
        yield from _casesBelow(path, path, without)
    else:
        yield _case(stem(path.name), path)


def _casesBelow(folder: Path, top: Path, without: Collection[Path]) -> Iterator[BatchCase]:
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"'{folder}' cannot be read: {error.strerror}.") from error
    files = [path for path in entries if path.is_file() and path.resolve() not in without]
    for path in files:
        if isImage(path) and not _LABELS.search(stem(path.name)):
            yield _case(str(path.relative_to(top).with_name(stem(path.name))), path)
    if any(not isImage(path) and isDicom(path) for path in files):
        yield from _seriesCases(folder, top)
    for path in entries:
        if path.is_dir() and path.resolve() not in without and not _leadsBack(path):
            yield from _casesBelow(path, top, without)


def _leadsBack(folder: Path) -> bool:
    """Tell whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.resolve() in [parent.resolve() for parent in folder.parents]


def _seriesCases(folder: Path, top: Path) -> Iterator[BatchCase]:
    relative = str(folder.relative_to(top)) if folder != top else folder.name
    if printablePath(folder) != str(folder):
        yield _case(relative, folder)  # cannot be looked into; that is said of the case
        return
    found = [series for series in seriesIn(folder) if series.modality not in _NO_IMAGES]
    numbers = Counter(series.number for series in found)
    for series in found:
        # A number that two series share, or none, tells nothing.
        tail = series.number if series.number and numbers[series.number] == 1 else series.uid
        yield _case(relative if len(found) == 1 else f"{relative}-{tail}", folder, series.uid)


def _case(relative: str, path: Path, seriesUID: Optional[str] = None) -> BatchCase:
    name = fileName("-".join(Path(relative).parts), isDistinct=True)
    return BatchCase(name, str(path), seriesUID, Path(relative).as_posix())


def _namedApart(cases: List[BatchCase]) -> List[BatchCase]:
    """Tell images that differ in nothing but their endings apart by these."""
    counts = Counter(case.name.lower() for case in cases)
    cases = [
        replace(case, name=f"{case.name}{Path(case.path).name[len(stem(Path(case.path).name)) :]}")
        if counts[case.name.lower()] > 1
        else case
        for case in cases
    ]
    known = {}
    for case in cases:
        other = known.setdefault(case.name.lower(), case)
        if other is not case:
            raise InputError(
                f"'{other.path}' and '{case.path}' would both be the case '{case.name}': rename one of them."
            )
    return sorted(cases, key=lambda case: case.name)


def _state(file: Path) -> Tuple[str, int, int]:
    status = file.stat()
    return file.name, status.st_size, status.st_mtime_ns
