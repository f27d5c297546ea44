"""Find one DICOM series in a folder, its images in order and evenly spaced."""

from pathlib import Path
from typing import List, NamedTuple, Optional

import numpy as np

from ...errors import InputError
from .dicomHeaders import ImageHeader, readFrames, readImageHeader, requireOneKind, requireWhole

# Positions are stored as decimal text: they are even if no gap differs by more than this part of it.
_UNEVEN = 0.02


DICOM_READER = "GDCMImageIO"


def seriesFiles(folder: Path, seriesUID: Optional[str] = None) -> List[str]:
    """Return the files of a series in the order of their slices.

    :param seriesUID: Series Instance UID; needed only if the folder (without its sub-folders) holds several.
    :raises InputError: no DICOM images, several series to choose from, an unknown one, or slices that are
        missing, repeated or tilted, so that they do not stack to a volume.
    """

    found = _seriesIDs(folder)
    if not found:
        raise InputError(
            f"'{folder}' contains no DICOM images: give an image file or a folder of one series."
        )
    if seriesUID is None and len(found) > 1:
        raise InputError(
            f"'{folder}' holds several series, choose one by seriesUID: {_listing(folder, found)}."
        )
    if seriesUID is not None and seriesUID not in found:
        raise InputError(f"'{folder}' has no series '{seriesUID}', it holds: {_listing(folder, found)}.")
    files = _files(folder, seriesUID or found[0])
    _requireAllReadable(folder, files, found)
    _requireEvenStack(folder, [readImageHeader(file) for file in files])
    return files


def requireSoundImage(file: Path) -> None:
    """Check a DICOM image, and that its frames, if they have places, are the slices of one volume.

    :raises InputError: it is damaged, or its frames do not stack to a volume.
    """
    _requireEvenStack(file, readFrames(str(file)))


def haveDifferentTypes(files: List[str]) -> bool:
    """Tell whether the values of some slices are fractions and those of others are not.

    In PET every slice has its own rescale slope; ITK would round all slices to the type of the first one.
    """
    return len({_header(file).GetPixelID() for file in files}) > 1


class Series(NamedTuple):
    """A series of images in a folder; ``number`` and ``modality`` as in its files, "" if they say nothing."""

    uid: str
    number: str
    modality: str


def seriesIn(folder: Path) -> List[Series]:
    """Return the series of DICOM images in a folder without its sub-folders, by their numbers."""

    found = []
    for uid in _seriesIDs(folder):
        header = _header(_files(folder, uid)[0])
        tags = (_tag(header, tag) for tag in ("0020|0011", "0008|0060"))
        found.append(Series(uid, *tags))
    return sorted(found, key=lambda series: (len(series.number), series.number, series.uid))


def isDicom(file: Path) -> bool:
    """Tell whether a file begins as DICOM files do; one that cannot be read does not."""
    try:
        with open(file, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _tag(header, tag: str) -> str:
    return header.GetMetaData(tag).strip() if header.HasMetaDataKey(tag) else ""


def _seriesIDs(folder: Path) -> List[str]:
    import SimpleITK as sitk

    for file in sorted(folder.iterdir()):
        if file.is_file() and isDicom(file):
            requireWhole(str(file))
    try:
        return list(sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)))
    except RuntimeError as error:
        raise InputError(
            f"'{folder}' holds a damaged DICOM image: copy or export the series again."
        ) from error


def _files(folder: Path, seriesUID: str) -> List[str]:
    import SimpleITK as sitk

    return list(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), seriesUID))


def _listing(folder: Path, found) -> str:
    return "; ".join(_description(uid, _files(folder, uid)) for uid in found)


def _description(uid: str, files: List[str]) -> str:
    header = _header(files[0])
    tags = [_tag(header, tag) for tag in ("0008|0060", "0008|103e")]
    return f"{uid} ({', '.join([*filter(None, tags), f'{len(files)} images'])})"


def _requireAllReadable(folder: Path, files: List[str], found) -> None:
    """Require that all images can be read: GDCM leaves damaged ones out without a word, and a volume would
    end early.
    """
    listed = {Path(file).name for uid in found for file in _files(folder, uid)}
    kind, suffix = _storageClass(Path(files[0])), Path(files[0]).suffix
    for file in sorted(folder.iterdir()):
        if file.name in listed or not file.is_file():
            continue
        if (kind and _storageClass(file) == kind) or (file.suffix == suffix and file.stat().st_size == 0):
            raise InputError(f"'{file}' is damaged or incomplete: copy or export the series again.")


def _storageClass(file: Path) -> bytes:
    """Media storage SOP class UID (0002,0002) of a DICOM file, empty if there is none."""
    with open(file, "rb") as stream:
        start = stream.read(1024)
    tag = start.find(b"\x02\x00\x02\x00UI", 132) if start[128:132] == b"DICM" else -1
    return start[tag + 8 : tag + 8 + int.from_bytes(start[tag + 6 : tag + 8], "little")] if tag > 0 else b""


def _header(file: str):
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.SetImageIO(DICOM_READER)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"'{file}' is damaged or incomplete: copy or export the series again.") from error
    return reader


def _requireEvenStack(folder: Path, headers: List[ImageHeader]) -> None:
    if len(headers) == 1:
        return
    requireOneKind(headers)
    first = headers[0].directions
    if any(np.abs(header.directions - first).max() > 1e-3 for header in headers):
        raise InputError(f"The images in '{folder}' are not parallel: load one of the files.")
    steps = np.diff([header.position for header in headers], axis=0)
    normal = np.cross(*first)
    gaps = steps @ normal
    _requireEvenGaps(folder, np.abs(gaps))
    drift = np.abs(steps - np.outer(gaps, normal)).max() * len(steps)
    if drift > 0.5 * np.abs(gaps).max():
        raise InputError(
            f"The images in '{folder}' are sheared by a tilted gantry: resample the series first."
        )


def _requireEvenGaps(folder: Path, gaps: np.ndarray) -> None:
    usual = float(np.median(gaps))
    if gaps.min() < 1e-3 * max(usual, 1e-3):
        raise InputError(f"'{folder}' has several images at one position, as over time: separate them first.")
    worst = int(np.argmax(np.abs(gaps - usual)))
    if abs(gaps[worst] - usual) > _UNEVEN * usual:
        raise InputError(
            f"The series in '{folder}' is not evenly spaced: {gaps[worst]:.2f} mm instead of {usual:.2f} mm "
            f"after image {worst + 1}; add the missing images."
        )
