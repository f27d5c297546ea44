"""Where the voxels of a file with a text header (NRRD, MetaImage) lie, and how they are stored."""

from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

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
