"""Damage that image readers pass over: they fill what is missing with zeros and report success.

ITK reads a NIfTI file that was cut in half, a JPEG that stops in the middle, or compressed voxels with a
flipped bit without an error, so bytes are counted, and their checksums compared, before it reads them.
"""

import gzip
import math
import warnings
import zlib
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

from ...errors import InputError

_LONGEST_LINE = 1 << 16
# MetaIO reads NaN in these as 0.
_META_IMAGE_GEOMETRY = ("offset", "position", "origin", "transformmatrix", "rotation", "orientation")


class VoxelData(NamedTuple):
    """Voxels from byte ``start`` of ``path``; ``compressed``: as a zlib or gzip stream."""

    path: Path
    start: int
    compressed: bool


def locateNrrd(path: Path) -> Optional[VoxelData]:
    """Voxels of a .nrrd or .nhdr file; None for one file per slice, or an encoding that is no byte stream.

    :raises ValueError: a field of the header is not what the format says.
    """
    fields, end = _fields(path, ":", lambda name, line: not line.strip())
    dataFile = fields.get("data file", fields.get("datafile"))
    encoding = fields.get("encoding", "raw").lower()
    skips = int(fields.get("byte skip", fields.get("byteskip", 0))), int(fields.get("line skip", 0))
    if encoding not in {"raw", "gzip", "gz"} or _severalFiles(dataFile) or skips[0] < 0 or skips[1]:
        return None
    compressed = encoding != "raw"
    if compressed and skips[0]:
        return None
    if dataFile is None:
        return VoxelData(path, end + skips[0], compressed)
    return VoxelData(path.parent / dataFile, skips[0], compressed)


def locateMetaImage(path: Path) -> Optional[VoxelData]:
    """Voxels of a .mha or .mhd file; None for one file per slice.

    :raises ValueError: a field of the header is not what the format says, or its place is not a number.
    """
    fields, end = _fields(path, "=", lambda name, line: name == "elementdatafile")
    if any("nan" in fields.get(name, "").lower() for name in _META_IMAGE_GEOMETRY):
        raise ValueError("NaN in the geometry")
    dataFile = fields.get("elementdatafile", "LOCAL")
    if _severalFiles(dataFile):
        return None
    compressed = fields.get("compresseddata", "false").lower() in {"true", "1"}
    if dataFile.upper() == "LOCAL":
        return VoxelData(path, end, compressed)
    return VoxelData(path.parent / dataFile, max(int(fields.get("headersize", 0)), 0), compressed)


def _severalFiles(dataFile: Optional[str]) -> bool:
    return dataFile is not None and (dataFile.upper().startswith("LIST") or "%" in dataFile)


def _fields(path: Path, separator: str, isLast) -> Tuple[Dict[str, str], int]:
    """Header fields, names in lower case, up to the line for which ``isLast(name, line)``, and its end."""
    fields: Dict[str, str] = {}
    with open(path, "rb") as file:
        for raw in iter(lambda: file.readline(_LONGEST_LINE), b""):
            line = raw.decode("utf-8", "replace")
            name, _, value = line.partition(separator)
            fields[name.strip().lower()] = value.strip()
            if isLast(name.strip().lower(), line):
                break
        return fields, file.tell()


_CHUNK = 1 << 22
_LOCATE = {".mha": locateMetaImage, ".mhd": locateMetaImage, ".nrrd": locateNrrd, ".nhdr": locateNrrd}
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}


def requireComplete(path: Path, reader) -> None:
    """Check that a volume's file holds every byte that its header promises.

    :param reader: SimpleITK.ImageFileReader that has read the header (``ReadImageInformation``).
    :raises InputError: bytes are missing or damaged.
    """
    suffix = path.suffix.lower() if path.suffix.lower() != ".gz" else Path(path.stem).suffix.lower()
    try:
        if suffix == ".nii":
            _require(_uncompressedSize(path) >= _niftiSize(reader))
        elif suffix in _LOCATE:
            data = _LOCATE[suffix](path)
            _require(data is None or _storedSize(data) >= _voxelBytes(reader))
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise damaged(path) from error


def requireCompletePicture(path: Path) -> None:
    """Check that every page of a picture can be decoded to its end; other files pass.

    :raises InputError: pixels are missing or damaged.
    """
    from PIL import Image

    if path.suffix.lower() not in _PICTURES:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="Truncated File Read")
        try:
            _decode(path)
        except Image.DecompressionBombError:
            return  # larger than Pillow decodes
        except (EOFError, OSError, SyntaxError, ValueError, UserWarning) as error:
            raise damaged(path) from error


def damaged(path: Path) -> InputError:
    """The one sentence for a file whose content cannot be trusted."""
    return InputError(f"'{path}' is damaged or incomplete: copy or export it again from its source.")


def _decode(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            picture.load()


def _require(condition: bool) -> None:
    if not condition:
        raise EOFError


def _uncompressedSize(path: Path) -> int:
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if not compressed:
        return path.stat().st_size
    with gzip.open(path) as stream:  # reading to the end compares the checksum
        return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))


def _niftiSize(reader) -> int:
    lengths = [int(reader.GetMetaData(f"dim[{n}]")) for n in range(1, int(reader.GetMetaData("dim[0]")) + 1)]
    voxels = math.prod(lengths) * int(reader.GetMetaData("bitpix")) // 8
    return int(float(reader.GetMetaData("vox_offset"))) + voxels


def _voxelBytes(reader) -> int:
    import SimpleITK as sitk

    components = reader.GetNumberOfComponents()
    voxel = sitk.Image([1, 1], reader.GetPixelID(), components)
    return math.prod(reader.GetSize()) * components * voxel.GetSizeOfPixelComponent()


def _storedSize(data: VoxelData) -> int:
    if not data.compressed:
        return data.path.stat().st_size - data.start
    inflater, size = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32), 0
    with open(data.path, "rb") as file:
        file.seek(data.start)
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            size += len(inflater.decompress(chunk))
    _require(inflater.eof)  # the stream's checksum was compared
    return size
