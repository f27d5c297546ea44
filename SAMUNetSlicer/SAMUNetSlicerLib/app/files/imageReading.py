"""Read image files of any kind with SimpleITK, and refuse with one sentence what cannot be trusted."""

from pathlib import Path
from typing import Optional

import numpy as np

from ...errors import InputError
from ..common import requireUtf8
from .dicomSeries import DICOM_READER, haveDifferentTypes, requireSoundImage, seriesFiles
from .imageIntegrity import damaged, pictureFormat, requireSound
from .quietLibraries import quietLibraries

_READERS = {
    **dict.fromkeys((".nrrd", ".nhdr"), "NrrdImageIO"),
    **dict.fromkeys((".mha", ".mhd"), "MetaImageIO"),
    **dict.fromkeys((".nii", ".gz", ".hdr", ".img"), "NiftiImageIO"),
    **dict.fromkeys((".jpg", ".jpeg"), "JPEGImageIO"),
    **dict.fromkeys((".tif", ".tiff"), "TIFFImageIO"),
    ".png": "PNGImageIO",
    ".bmp": "BMPImageIO",
}
# Axes of unit length are perpendicular if their products are below this: decimal text is not exact.
_SHEAR = 1e-3


def readImage(path: Path, seriesUID: Optional[str] = None):
    """Read an image file, or a series out of a folder of DICOM files.

    :return: three-dimensional SimpleITK image with one value per voxel, or 3 or 4 color components of an
        integer type; a picture becomes a single slice.  Spacings are positive, the directions hold any flip.
    :raises InputError: nothing there, not readable, empty, damaged, not an image, a time series, complex or
        vector values, or a geometry with NaN.
    """
    path = Path(path)
    isFolder = _isFolder(path)
    if not isFolder:
        requireFile(path)
    try:
        with quietLibraries():
            image = _readFolder(path, seriesUID) if isFolder else _readFile(path)
    except PermissionError as error:
        raise _forbidden(path) from error
    return _asVolume(image, path)


def requireFile(path: Path) -> None:
    """Check that there is a file with something in it.

    :raises InputError: there is none, it is empty, may not be read, or readers cannot be given its name.
    """
    requireUtf8(path)
    try:
        if not path.is_file():
            path.stat()
            raise InputError(
                f"'{path}' is not a regular file: give an image file or a folder of DICOM files."
            )
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"'{path}' is empty (0 bytes): copy or export it again from its source.")
    except PermissionError as error:
        raise _forbidden(path) from error
    except OSError as error:
        raise InputError(f"There is no file or folder '{path}': check its name.") from error


def _forbidden(path: Path) -> InputError:
    return InputError(f"'{path}' may not be read by this user: ask for permission or copy it.")


def _isFolder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # as for a name that is too long


def readHeader(path: Path):
    """Read a file's header with ITK, after it was found to be sound.

    :return: SimpleITK.ImageFileReader, with which the image can be read.
    :raises InputError: the file is damaged, or no image.
    """
    import SimpleITK as sitk

    requireSound(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_readerOf(path))
    if reader.GetImageIO() == DICOM_READER:
        requireSoundImage(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, str(error)) from error
    return reader


def _readFile(path: Path):
    reader = readHeader(path)
    if len(reader.GetSize()) > 3 and max(reader.GetSize()[3:]) > 1:
        raise InputError(
            f"'{path}' holds {reader.GetSize()[3]} volumes over time: save one of them as its own file."
        )
    try:
        return reader.Execute()
    except MemoryError as error:
        raise InputError(
            f"'{path}' does not fit into this computer's memory: crop or resample it."
        ) from error
    except RuntimeError as error:
        raise damaged(path) from error


def _readerOf(path: Path) -> str:
    """Return the ITK reader that a file is for.

    ITK would ask all that it has, and among the others are formats that may refer to any file.
    """
    picture = pictureFormat(path)
    return f"{picture}ImageIO" if picture else _READERS.get(path.suffix.lower(), DICOM_READER)


def _unreadable(path: Path, reason: str) -> InputError:
    if "orthonormal" in reason:
        return _sheared(path)
    return InputError(
        f"'{path}' is damaged or not an image: give a NRRD, NIfTI, MetaImage, DICOM, PNG, JPEG or TIFF file."
    )


def _sheared(path: Path) -> InputError:
    return InputError(f"The voxel axes of '{path}' are sheared: resample it to perpendicular axes first.")


def _readFolder(folder: Path, seriesUID: Optional[str]):
    import SimpleITK as sitk

    requireUtf8(folder)
    next(folder.iterdir(), None)  # raises without permission; GDCM would find no images
    files = seriesFiles(folder, seriesUID)
    if len(files) == 1:
        return _readFile(Path(files[0]))
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO(DICOM_READER)
    reader.SetFileNames(files)
    if haveDifferentTypes(files):
        reader.SetOutputPixelType(sitk.sitkFloat64)
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise damaged(folder) from error


def _asVolume(image, path: Path):
    import SimpleITK as sitk

    while image.GetDimension() > 3:
        image = image[..., 0]
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    geometry = (*image.GetSpacing(), *image.GetOrigin(), *image.GetDirection())
    if not np.isfinite(geometry).all():
        raise InputError(f"The position of '{path}' in space is not a number (NaN): correct its header.")
    directions = np.reshape(image.GetDirection(), (3, 3))
    if np.abs(directions.T @ directions - np.eye(3)).max() > _SHEAR:
        raise _sheared(path)
    kind, components = image.GetPixelIDTypeAsString(), image.GetNumberOfComponentsPerPixel()
    if "complex" in kind or components not in {1, 3, 4} or (components > 1 and "integer" not in kind):
        raise InputError(
            f"'{path}' holds {components} {'complex ' if 'complex' in kind else ''}values per voxel that are "
            "no color: give a volume with one value per voxel, or a color image."
        )
    return image
