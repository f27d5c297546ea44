"""Find the DICOM images that a volume was read from, and where each lies in the patient."""

from pathlib import Path
from typing import Any, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from ...errors import InputError
from ...scene.export import LPS_TO_RAS
from ...scene.geometry import SlicePlane, dimensions, ijkToRAS, mapPoints, ownIJKToRAS, parentToWorld

_OFF_GRID = 0.1  # of a voxel: what decimal text in the headers leaves of a position


class SourceFrame(NamedTuple):
    """Frame of a DICOM image.

    ``plane``: pixels of the frame in the world; ``image``: index into ``SourceImages.datasets``;
    ``number``: of the frame in its image, from 1.
    """

    plane: SlicePlane
    image: int
    number: int


class SourceImages(NamedTuple):
    """DICOM images that a volume was read from.

    ``datasets``: pydicom datasets without pixels; ``frames``: in the order of the volume's slices.
    """

    datasets: list
    frames: List[SourceFrame]


def readSourceImages(source, volumeNode) -> SourceImages:
    """Find the images of one series that show a volume.

    :param source: folder (without sub-folders), file, or a list of files.
    :raises InputError: pydicom is missing, there are no DICOM images, or none that the volume was read from.
    """
    datasets = _readHeaders(_files(source))
    series = _seriesOnVolume(datasets, volumeNode)
    if series is None:
        raise InputError(
            f"'{volumeNode.GetName()}' was not read from the DICOM series in '{_name(source)}', or its "
            "images have no place in the patient: name the series that was segmented."
        )
    return series


def requirePydicom() -> Tuple[Any, Any]:
    """Import and return the modules highdicom and pydicom.

    :raises InputError: the packages for DICOM SEG are not installed.
    """
    try:
        import highdicom
        import pydicom
    except ImportError as error:
        raise InputError(
            "DICOM Segmentation needs the package highdicom: pip install highdicom (inside Slicer: "
            "slicer.util.pip_install('highdicom') in the Python console)."
        ) from error
    return highdicom, pydicom


def _files(source) -> List[Path]:
    if isinstance(source, (list, tuple)):
        return [Path(each) for each in source]
    path = Path(source)
    if not path.exists():
        raise InputError(f"The DICOM series '{path}' does not exist: check the path.")
    return [path] if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())


def _name(source) -> str:
    return str(Path(source[0]).parent if isinstance(source, (list, tuple)) and source else source)


def _readHeaders(files: Iterable[Path]) -> list:
    _, pydicom = requirePydicom()
    found = []
    for file in files:
        try:
            found.append(pydicom.dcmread(file, stop_before_pixels=True))
        except (pydicom.errors.InvalidDicomError, OSError, EOFError):
            continue  # notes, indexes and the like lie in such folders, too
    return [each for each in found if "Rows" in each and "SOPInstanceUID" in each]


def _seriesOnVolume(datasets: Sequence, volumeNode):
    """Return the first series that has a frame for every slice of the volume; None if there is none."""
    for uid in dict.fromkeys(each.SeriesInstanceUID for each in datasets):
        series = [each for each in datasets if each.SeriesInstanceUID == uid]
        frames = _framesOnVolume(series, volumeNode) or _frameWithoutPlace(series, volumeNode)
        if frames:
            return SourceImages(series, frames)
    return None


def _framesOnVolume(series: list, volumeNode) -> List[SourceFrame]:
    ownToWorld = parentToWorld(volumeNode)
    toIJK = np.linalg.inv(ownIJKToRAS(volumeNode)) @ LPS_TO_RAS
    size, found = np.array(dimensions(volumeNode)), []
    for index, dataset in enumerate(series):
        for number, pixelToLPS in enumerate(_placements(dataset), 1):
            shape = (int(dataset.Rows), int(dataset.Columns))
            corners = mapPoints(toIJK @ pixelToLPS, [[0, 0, 0], [shape[1] - 1, shape[0] - 1, 0]])
            isOff = np.abs(corners - np.rint(corners)).max() > _OFF_GRID
            if isOff or (np.rint(corners) < 0).any() or (np.rint(corners) >= size).any():
                continue
            plane = _plane(ownToWorld @ LPS_TO_RAS @ pixelToLPS, shape)
            found.append((np.rint(corners[0]).tolist()[::-1], SourceFrame(plane, index, number)))
    covered = sum(frame.plane.shape[0] * frame.plane.shape[1] for _, frame in found)
    return [frame for _, frame in sorted(found, key=lambda each: each[0])] if covered == size.prod() else []


def _frameWithoutPlace(series: list, volumeNode) -> List[SourceFrame]:
    """Return the frame of a picture that has no place in the patient, such as an X-ray: it is the whole
    volume.
    """
    dataset = series[0]
    shape = (int(dataset.Rows), int(dataset.Columns))
    isPicture = len(series) == 1 and int(dataset.get("NumberOfFrames", 1)) == 1 and not _placements(dataset)
    if not isPicture or dimensions(volumeNode) != (*shape[::-1], 1):
        return []
    return [SourceFrame(_plane(ijkToRAS(volumeNode), shape), 0, 1)]


def _plane(pixelToRAS: np.ndarray, shape) -> SlicePlane:
    across = pixelToRAS[:3, 2]
    if across[np.abs(across).argmax()] < 0:
        pixelToRAS = pixelToRAS @ np.diag([1.0, 1.0, -1.0, 1.0])
    return SlicePlane(pixelToRAS, shape, None, None, float(np.linalg.norm(across)))


def _placements(dataset) -> List[np.ndarray]:
    """Return (4, 4) from pixel (column, row, 0) of each frame to LPS mm; empty if the image has no place."""
    if "ImagePositionPatient" in dataset and "ImageOrientationPatient" in dataset:
        return [_placement(dataset, dataset, dataset)]
    shared = dataset.get("SharedFunctionalGroupsSequence", [None])[0]
    found = []
    for frame in dataset.get("PerFrameFunctionalGroupsSequence", []):
        parts = [
            _group(name, frame, shared)
            for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        ]
        if any(part is None for part in parts):
            return []
        found.append(_placement(*parts))
    return found


def _group(name: str, frame, shared):
    for place in (frame, shared):
        if place is not None and name in place:
            return place[name].value[0]
    return None


def _placement(position, orientation, measures) -> np.ndarray:
    rows, columns = np.reshape(np.array(orientation.ImageOrientationPatient, float), (2, 3))
    betweenRows, betweenColumns = (float(each) for each in measures.PixelSpacing)
    result = np.eye(4)
    thickness = float(getattr(measures, "SliceThickness", None) or 1.0)
    result[:3, 0], result[:3, 1] = rows * betweenColumns, columns * betweenRows
    result[:3, 2] = np.cross(rows, columns) * thickness
    result[:3, 3] = np.array(position.ImagePositionPatient, float)
    return result
