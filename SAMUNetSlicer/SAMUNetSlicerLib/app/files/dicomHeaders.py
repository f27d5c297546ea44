"""Read DICOM headers that can be trusted: complete, made of numbers, and of one kind in a series.

ITK puts a 1 in the place of a spacing that is no number, and zeros or whatever lies in memory in the place
of pixels that are missing.  pydicom checks what describes the pixels; places in the patient are checked here.
"""

import copy
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ...errors import InputError
from .imageIntegrity import inflatedSize

_SAME = {
    "Rows": "size",
    "Columns": "size",
    "NumberOfFrames": "number of frames",
    "SamplesPerPixel": "samples per pixel",
    "PhotometricInterpretation": "photometric interpretation",
    "BitsAllocated": "bits",
    "BitsStored": "bits",
    "HighBit": "bits",
    "PixelRepresentation": "sign of the pixels",
}
_OWN_RESCALE = {"PT", "NM", "MR"}  # modalities in which every slice may have its own scale
_GRAY = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
_FRAME_GROUPS = (
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "PixelValueTransformationSequence",
)
_SAME_NUMBER = 1e-3  # relative difference up to which two decimal texts mean one spacing
_UNIT = 1e-2  # how far row and column directions may be from perpendicular unit vectors
_DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST_INFLATED = 1 << 31


class ImageHeader(NamedTuple):
    """Header of a DICOM image.

    ``position``: of the first pixel, ``directions``: of rows and columns (2, 3), LPS mm; ``spacing``:
    between rows and between columns, mm; None where the file says nothing.  ``rescale``: slope, intercept.
    """

    file: str
    traits: Dict[str, Any]
    modality: str
    position: Optional[np.ndarray]
    directions: Optional[np.ndarray]
    spacing: Optional[np.ndarray]
    rescale: Sequence[float]


def readImageHeader(file: str) -> ImageHeader:
    """Read the header of a DICOM image and check it against the file's pixels.

    :raises InputError: what is there is damaged, incomplete or contradicts itself; the sentence names it.
    """
    return _header(_read(file), file)


def readFrames(file: str) -> List[ImageHeader]:
    """Read the header of each frame of a DICOM image, as of an image of its own.

    :return: one for an image that is no stack of frames, or whose frames have no places of their own.
    :raises InputError: see ``readImageHeader``.
    """
    dataset = _read(file)
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if not any("PlanePositionSequence" in frame for frame in frames):
        return [_header(dataset, file)]
    if len(frames) != int(dataset.get("NumberOfFrames", 1)):
        raise _wrong(file, "it does not say where each of its frames lies")
    shared = dataset.get("SharedFunctionalGroupsSequence") or [None]
    return [_header(_flattened(dataset, frame, shared[0]), file) for frame in frames]


def _flattened(dataset, frame, shared):
    """Return an image's data with those of one of its frames, in the form of an image of one frame."""
    flat = copy.copy(dataset)
    for group in _FRAME_GROUPS:
        for place in (shared, frame):
            if place is not None and place.get(group):
                flat.update(place[group].value[0])
    return flat


def _header(dataset, file: str) -> ImageHeader:
    position = _numbers(dataset, "ImagePositionPatient", 3, file)
    directions = _numbers(dataset, "ImageOrientationPatient", 6, file)
    if directions is not None:
        directions = directions.reshape(2, 3)
        if np.abs(directions @ directions.T - np.eye(2)).max() > _UNIT:
            raise _wrong(file, "its ImageOrientationPatient is not a pair of perpendicular directions")
    spacing = _numbers(dataset, "PixelSpacing", 2, file)
    if spacing is not None and spacing.min() <= 0:
        raise _wrong(file, "its PixelSpacing is not positive")
    for name in ("SliceThickness", "SpacingBetweenSlices"):
        _numbers(dataset, name, 1, file)
    slope, intercept = (_numbers(dataset, f"Rescale{name}", 1, file) for name in ("Slope", "Intercept"))
    if slope is not None and slope[0] == 0:
        raise _wrong(file, "its RescaleSlope is 0")
    rescale = (1.0 if slope is None else slope[0], 0.0 if intercept is None else intercept[0])
    traits = {name: dataset.get(name) for name in _SAME}
    traits["NumberOfFrames"] = int(traits["NumberOfFrames"] or 1)
    modality = str(dataset.get("Modality", ""))
    return ImageHeader(file, traits, modality, position, directions, spacing, rescale)


def requireWhole(file: str) -> None:
    """Check that no element of a DICOM file claims more bytes than the file has.

    GDCM makes room for all of them before it reads what is there, which takes minutes.

    :raises InputError: one does, or the file cannot be taken apart.
    """
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _requireInflatable(file)
            elements = pydicom.dcmread(file, stop_before_pixels=True).elements()
            isWhole = all(len(each.value or b"") == each.length for each in elements if _hasLength(each))
    except PermissionError:
        raise
    except Exception as error:  # arbitrary bytes make a parser stumble in any way
        raise _wrong(file) from error
    if not isWhole:
        raise _wrong(file)


def _hasLength(element) -> bool:
    """Tell whether an element is as it was read, in bytes whose number was given before them."""
    return getattr(element, "is_raw", False) and element.length != 0xFFFFFFFF


def requireOneKind(headers: Sequence[ImageHeader]) -> None:
    """Check that the images of a series can be the slices of one volume.

    :raises InputError: names the first file that differs from most others, and in what.
    """
    for name, what in _SAME.items():
        _requireSame(headers, [header.traits[name] for header in headers], what)
    for name in ("position", "directions", "spacing"):
        lacking = next((header.file for header in headers if getattr(header, name) is None), None)
        if lacking is not None:
            raise _wrong(lacking, f"it has no {_PLACE[name]}")
    _requireSame(headers, [_rounded(header.spacing) for header in headers], "pixel spacing")
    if headers[0].modality not in _OWN_RESCALE:
        _requireSame(headers, [tuple(header.rescale) for header in headers], "rescale slope or intercept")


_PLACE = {
    "position": "position in the patient (ImagePositionPatient)",
    "directions": "orientation in the patient (ImageOrientationPatient)",
    "spacing": "PixelSpacing",
}


def _read(file: str):
    import pydicom
    from pydicom.pixels.decoders.base import DecodeRunner

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values that are checked here
            _requireInflatable(file)
            dataset = pydicom.dcmread(file, force=True)
            syntax = dataset.file_meta.get("TransferSyntaxUID", pydicom.uid.ImplicitVRLittleEndian)
            runner = DecodeRunner(syntax)
            runner.set_source(dataset)
            runner.validate()
    except PermissionError:
        raise
    except Exception as error:  # arbitrary bytes make a parser stumble in any way
        raise _wrong(file) from error
    isGray = str(dataset.PhotometricInterpretation) in _GRAY
    if isGray != (dataset.SamplesPerPixel == 1):
        raise _wrong(file, "its SamplesPerPixel and PhotometricInterpretation contradict each other")
    return dataset


def _requireInflatable(file: str) -> None:
    """Require that a deflated file has a sensible size: pydicom would inflate it at once, whatever becomes of
    it.
    """
    from pydicom.filereader import read_file_meta_info

    with open(file, "rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return
        meta = read_file_meta_info(file)
        if meta.get("TransferSyntaxUID") == _DEFLATED:
            stream.seek(132 + 12 + meta.FileMetaInformationGroupLength)
            inflatedSize(stream, _MOST_INFLATED, wbits=-15)


def _numbers(dataset, name: str, count: int, file: str) -> Optional[np.ndarray]:
    """Return the ``count`` numbers of an element, None if it is not there or empty."""
    if name not in dataset:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = dataset[name].value
            if value is None or (isinstance(value, str) and not value.strip()):
                return None
            found = np.atleast_1d(np.asarray(value, dtype=float))
    except Exception as error:  # as above: what pydicom raises depends on the bytes
        raise _wrong(file, f"its {name} is not a number") from error
    if found.shape != (count,) or not np.isfinite(found).all():
        raise _wrong(file, f"its {name} is not {'a number' if count == 1 else f'{count} numbers'}")
    return found


def _requireSame(headers: Sequence[ImageHeader], values: List, what: str) -> None:
    usual, count = Counter(values).most_common(1)[0]
    if count == len(values):
        return
    odd = next(header.file for header, value in zip(headers, values) if value != usual)
    raise _wrong(odd, f"its {what} differs from that of the other images")


def _rounded(spacing: np.ndarray):
    return tuple(np.rint(np.log(spacing) / _SAME_NUMBER).astype(int).tolist())


def _wrong(file: str, what: str = "") -> InputError:
    if not what:
        return InputError(f"'{file}' is damaged or incomplete: copy or export the series again.")
    return InputError(f"'{Path(file)}' does not fit into a volume, {what}: copy or export the series again.")
