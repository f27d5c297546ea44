"""Parse the headers of NRRD, MetaImage and NIfTI files strictly, or refuse them.

ITK's readers pass over what they do not understand and put a 1 in the place of a spacing that is not a
number.  Here a value that is not what its format says makes the whole header unusable.
"""

import gzip
import math
import re
import struct
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

_LONGEST_LINE = 1 << 26  # the provenance of a large segmentation is one line of its .seg.nrrd

_NRRD_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32"), 4),
    **dict.fromkeys(("uint32_t", "float"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), 8),
    **dict.fromkeys(("signed long long int", "ulonglong", "unsigned long long", "uint64", "uint64_t"), 8),
    **dict.fromkeys(("unsigned long long int", "double"), 8),
}
_NRRD_SYNONYMS = {"centers": "centerings"}
_NRRD_NOWHERE_IN_SPACE = re.compile(
    r"(list|point|vector|covariant-vector|normal|stub|scalar|complex|.*color|.*-(vector|matrix|gradient|normal)|"
    r"quaternion|none)"
)

_META_TYPES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR", "MET_ASCII_CHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_LONG", "MET_ULONG", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}
_META_ORIGINS = ("Offset", "Position", "Origin")
_META_DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")
_META_SPACINGS = ("ElementSpacing", "ElementSize")

# Bytes of a voxel by NIfTI's data type codes.
_NIFTI_TYPES = {2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
_NIFTI_TYPES.update({1536: 16, 1792: 16, 2048: 32, 2304: 4})


class _NiftiLayout(NamedTuple):
    """Size of a NIfTI header in bytes, and format and place of its dim, datatype, pixdim, vox_offset and
    scl_slope with scl_inter."""

    size: int
    order: str
    places: Tuple[Tuple[str, int], ...]

    def read(self, header: bytes) -> Tuple:
        lengths, code, spacings, offset, scale = (
            struct.unpack_from(self.order + kind, header, place) for kind, place in self.places
        )
        return lengths, code[0], spacings, offset[0], scale


_NIFTI_1 = (("8h", 40), ("h", 70), ("8f", 76), ("f", 108), ("2f", 112))
_NIFTI_2 = (("8q", 16), ("h", 12), ("8d", 104), ("q", 168), ("2d", 176))
# By the first bytes, which are the header's size in the byte order of the file.
_NIFTI_LAYOUTS = {
    struct.pack(order + "i", size): _NiftiLayout(size, order, places)
    for order in "<>"
    for size, places in ((348, _NIFTI_1), (540, _NIFTI_2))
}


class VoxelData(NamedTuple):
    """Voxels from byte ``start`` of ``path`` on, or only in ``length`` bytes from there.

    ``compressed``: as a zlib or gzip stream; ``isWhole``: the compressed stream is the whole file.
    """

    path: Path
    start: int
    compressed: bool
    length: Optional[int] = None
    isWhole: bool = False


class VolumeHeader(NamedTuple):
    """Header of a volume file.

    ``data``: where the voxels are, None if in one file per slice or not as bytes; ``size``: of the voxels
    in bytes, uncompressed; ``fields``: what the header says, by the names of its format.
    """

    data: Optional[VoxelData]
    size: int
    fields: Dict[str, str]


def readHeader(path: Path) -> Optional[VolumeHeader]:
    """Read the header of a .nrrd, .nhdr, .mha, .mhd, .nii, .nii.gz or .hdr file; None for any other name.

    :raises ValueError: a value is not what the format says, or the place of the volume is not a number.
    :raises OSError, EOFError, zlib.error: the file cannot be read to the header's end.
    """
    ending = path.suffix.lower() if path.suffix.lower() != ".gz" else Path(path.stem).suffix.lower()
    reader = _READERS.get(ending)
    return None if reader is None else reader(path)


def nrrdHeader(path: Path) -> VolumeHeader:
    """Read the header of a .nrrd or .nhdr file, see ``readHeader``."""
    fields, end = _nrrdFields(path)
    lengths = _integers(fields["sizes"], int(fields["dimension"]))
    size = _product(lengths) * _known(_NRRD_TYPES, fields["type"].lower())
    _requireNrrdPlace(fields, len(lengths))
    encoding = fields.get("encoding", "raw").lower()
    byteSkip, lineSkip = (int(fields.get(name, 0)) for name in ("byteskip", "lineskip"))
    _require(byteSkip >= -1 and lineSkip >= 0)
    name, compressed = fields.get("datafile"), encoding in {"gzip", "gz"}
    isStream = encoding in {"raw", "gzip", "gz"} and not lineSkip and byteSkip >= 0
    if not isStream or (compressed and byteSkip) or _meansSeveral(name):
        return VolumeHeader(None, size, fields)
    place = (path, end) if name is None else (path.parent / name, 0)
    return VolumeHeader(VoxelData(place[0], place[1] + byteSkip, compressed), size, fields)


def _nrrdFields(path: Path) -> Tuple[Dict[str, str], int]:
    lines, end = _lines(path, lambda line: not line or _beginsList(line))
    _require(bool(lines) and re.fullmatch(r"NRRD000\d", lines[0]) is not None)
    fields: Dict[str, str] = {}
    for line in lines[1:]:
        name, separator, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        name = name.lower().replace(" ", "")
        name = _NRRD_SYNONYMS.get(name, name)
        _require(separator == ":" and name not in fields)
        fields[name] = value.strip()
    missing = {"type", "dimension", "sizes"} - fields.keys()
    _require(not missing)
    return fields, end


def _beginsList(line: str) -> bool:
    return line.lower().replace(" ", "").startswith("datafile:list")


def _requireNrrdPlace(fields: Dict[str, str], dimension: int) -> None:
    kinds = fields.get("kinds", "").lower().split()
    _require(len(kinds) in {0, dimension})
    spacings = [float(text) for text in fields.get("spacings", "").split()]
    _require(len(spacings) in {0, dimension})
    for spacing, kind in zip(spacings, kinds or [""] * dimension):
        isInSpace = not _NRRD_NOWHERE_IN_SPACE.fullmatch(kind) if kind else dimension <= 3
        _require((math.isfinite(spacing) and spacing != 0) or (math.isnan(spacing) and not isInSpace))
    for text in re.findall(r"\([^)]*\)", fields.get("spacedirections", "")):
        _require(any(_vector(text)))
    if "spaceorigin" in fields:
        _vector(fields["spaceorigin"])


def _vector(text: str) -> List[float]:
    _require(text[:1] + text[-1:] == "()")
    return _numbers(text[1:-1].split(","))


def metaImageHeader(path: Path) -> VolumeHeader:
    """Read the header of a .mha or .mhd file, see ``readHeader``."""
    lines, end = _lines(path, lambda line: re.match(r"ElementDataFile\s*[=:]", line) is not None)
    fields: Dict[str, str] = {}
    for line in filter(None, lines):
        name, separator, value = _partition(line)
        _require(bool(separator) and name not in fields)
        fields[name] = value
    axes = int(fields["NDims"]) if "NDims" in fields else 0
    _require("ElementDataFile" in fields and 1 <= axes <= 4)
    lengths = _integers(fields.get("DimSize", ""), axes)
    voxel = _known(_META_TYPES, fields.get("ElementType", ""))
    size = _product(lengths) * voxel * _integers(fields.get("ElementNumberOfChannels", "1"), 1)[0]
    _requireMetaPlace(fields, axes)
    name = fields["ElementDataFile"]
    if not _isTrue(fields, "BinaryData", "True") or _meansSeveral(name):
        return VolumeHeader(None, size, fields)
    compressed, headerSize = _isTrue(fields, "CompressedData", "False"), int(fields.get("HeaderSize", 0))
    if name.upper() == "LOCAL":
        _require(headerSize in {0, -1})
        place, start = path, end
    else:
        place = path.parent / name
        # -1 stands for the last bytes of the file.
        start = headerSize if headerSize >= 0 else max(place.stat().st_size - size, 0)
    stored = int(fields.get("CompressedDataSize", 0)) if compressed else 0
    return VolumeHeader(VoxelData(place, start, compressed, stored or None), size, fields)


def _partition(line: str) -> Tuple[str, str, str]:
    found = re.match(r"([^=:]*)([=:])(.*)", line)
    return (line, "", "") if found is None else (found[1].strip(), found[2], found[3].strip())


def _requireMetaPlace(fields: Dict[str, str], axes: int) -> None:
    for names, count in ((_META_ORIGINS, axes), (_META_DIRECTIONS, axes * axes), (_META_SPACINGS, axes)):
        for name in names:
            values = _numbers(fields[name].split()) if name in fields else [1.0] * count
            _require(len(values) == count and (names is not _META_SPACINGS or min(values) > 0))


def _isTrue(fields: Dict[str, str], name: str, default: str) -> bool:
    text = fields.get(name, default).lower()
    _require(text in {"true", "false", "t", "f", "1", "0"})
    return text in {"true", "t", "1"}


def niftiHeader(path: Path) -> VolumeHeader:
    """Read the header of a .nii, .nii.gz or .hdr file, see ``readHeader``."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if compressed else open(path, "rb") as file:
        header = file.read(540)
    _require(header[:4] in _NIFTI_LAYOUTS and len(header) >= _NIFTI_LAYOUTS[header[:4]].size)
    layout = _NIFTI_LAYOUTS[header[:4]]
    lengths, code, spacings, offset, (slope, intercept) = layout.read(header)
    count = lengths[0]
    _require(1 <= count <= 7 and min(lengths[1 : count + 1]) > 0 and math.isfinite(offset) and offset >= 0)
    for length, spacing in zip(lengths[1:4], spacings[1 : min(count, 3) + 1]):
        # Nobody misses the thickness of a picture.
        _require(math.isfinite(spacing) and (spacing > 0 or (spacing == 0 and length == 1)))
    # A slope of 0, or none that is a number, means that the values are as they are stored.
    _require(not math.isinf(slope) and (slope == 0 or math.isnan(slope) or math.isfinite(intercept)))
    size = _product(lengths[1 : count + 1]) * _known(_NIFTI_TYPES, code)
    if path.suffix.lower() == ".hdr":
        return VolumeHeader(VoxelData(path.with_suffix(".img"), int(offset), False), size, {})
    return VolumeHeader(VoxelData(path, max(int(offset), 348), compressed, isWhole=True), size, {})


_READERS: Dict[str, Callable[[Path], VolumeHeader]] = {
    ".nrrd": nrrdHeader,
    ".nhdr": nrrdHeader,
    ".mha": metaImageHeader,
    ".mhd": metaImageHeader,
    ".nii": niftiHeader,
    ".hdr": niftiHeader,
}


def _lines(path: Path, isLast: Callable[[str], bool]) -> Tuple[List[str], int]:
    """Return the lines up to and with the first one for which ``isLast``, or the last, and where they end."""
    lines: List[str] = []
    with open(path, "rb") as file:
        for raw in iter(lambda: file.readline(_LONGEST_LINE), b""):
            _require(len(raw) < _LONGEST_LINE)
            lines.append(raw.decode("utf-8", "replace").strip())
            if isLast(lines[-1]):
                break
        return ([line for line in lines if line], file.tell())


def _meansSeveral(dataFile: Optional[str]) -> bool:
    return dataFile is not None and (dataFile.upper().startswith("LIST") or "%" in dataFile)


def _integers(text: str, count: int) -> List[int]:
    values = [int(each) for each in text.split()]
    _require(len(values) == count and all(each > 0 for each in values))
    return values


def _numbers(texts: Sequence[str]) -> List[float]:
    values = [float(each) for each in texts]
    _require(bool(values) and all(map(math.isfinite, values)))
    return values


def _known(sizes: Dict, name) -> int:
    _require(name in sizes)
    return sizes[name]


def _product(lengths: Sequence[int]) -> int:
    return math.prod(lengths)


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError("the header is not what its format says")
