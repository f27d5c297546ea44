"""Image files of any kind, read with SimpleITK and refused with one sentence if they cannot be trusted."""

from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import numpy as np

from ...errors import InputError
from .dicomSeries import haveDifferentTypes, seriesFiles
from .imageIntegrity import damaged, requireComplete, requireCompletePicture


def readImage(path: Path, seriesUID: Optional[str] = None):
    """Read an image file, or a series out of a folder of DICOM files.

    :return: three-dimensional SimpleITK image with one value per voxel, or 3 or 4 color components of an
        integer type; a picture becomes a single slice.  Spacings are positive, the directions hold any flip.
    :raises InputError: nothing there, not readable, empty, damaged, not an image, a time series, complex or
        vector values, or a geometry with NaN.
    """
    path = Path(path)
    try:
        _requireContent(path)
        with _quietReaders():
            image = _readFolder(path, seriesUID) if path.is_dir() else _readFile(path)
    except PermissionError as error:
        raise InputError(f"'{path}' may not be read by this user: ask for permission or copy it.") from error
    return _asVolume(image, path)


def _requireContent(path: Path) -> None:
    if not path.exists():
        raise InputError(f"There is no file or folder '{path}': check its name.")
    if path.is_dir():
        next(path.iterdir(), None)  # raises without permission; GDCM would find no images
        return
    if not path.is_file():
        raise InputError(f"'{path}' is not a regular file: give an image file or a folder of DICOM files.")
    with path.open("rb") as file:
        if not file.read(1):
            raise InputError(f"'{path}' is empty (0 bytes): copy or export it again from its source.")


@contextmanager
def _quietReaders():
    """ITK's warnings would reach the terminal although what matters in them becomes an error here."""
    import SimpleITK as sitk

    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _readFile(path: Path):
    import SimpleITK as sitk

    requireCompletePicture(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, str(error)) from error
    if len(reader.GetSize()) > 3 and max(reader.GetSize()[3:]) > 1:
        raise InputError(
            f"'{path}' holds {reader.GetSize()[3]} volumes over time: save one of them as its own file."
        )
    requireComplete(path, reader)
    try:
        return reader.Execute()
    except MemoryError as error:
        raise InputError(
            f"'{path}' does not fit into this computer's memory: crop or resample it."
        ) from error
    except RuntimeError as error:
        raise damaged(path) from error


def _unreadable(path: Path, reason: str) -> InputError:
    if "orthonormal" in reason:
        return InputError(f"The voxel axes of '{path}' are sheared: resample it to perpendicular axes first.")
    return InputError(
        f"'{path}' is damaged or not an image: give a NRRD, NIfTI, MetaImage, DICOM, PNG, JPEG or TIFF file."
    )


def _readFolder(folder: Path, seriesUID: Optional[str]):
    import SimpleITK as sitk

    files = seriesFiles(folder, seriesUID)
    if len(files) == 1:
        return _readFile(Path(files[0]))
    reader = sitk.ImageSeriesReader()
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
    kind, components = image.GetPixelIDTypeAsString(), image.GetNumberOfComponentsPerPixel()
    if "complex" in kind or components not in {1, 3, 4} or (components > 1 and "integer" not in kind):
        raise InputError(
            f"'{path}' holds {components} {'complex ' if 'complex' in kind else ''}values per voxel that are "
            "no color: give a volume with one value per voxel, or a color image."
        )
    return image
