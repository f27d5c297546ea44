"""Write files from strangers anew from what was understood: their headers could name other files."""

import re
import shutil
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

from ...atomicFiles import replaceFile
from ...errors import InputError
from .imageIntegrity import damaged
from .volumeHeaders import VolumeHeader, VoxelData, metaImageHeader, nrrdHeader

# How NRRD spells the fields that say what the voxels are and where they lie; all others are left out.
_NRRD = {
    "type": "type",
    "dimension": "dimension",
    "space": "space",
    "spacedimension": "space dimension",
    "sizes": "sizes",
    "spacings": "spacings",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "spacedirections": "space directions",
    "centerings": "centerings",
    "kinds": "kinds",
    "endian": "endian",
    "encoding": "encoding",
    "spaceorigin": "space origin",
}
_META_IMAGE = (
    "NDims",
    "BinaryData",
    "BinaryDataByteOrderMSB",
    "ElementByteOrderMSB",
    "CompressedData",
    "CompressedDataSize",
    "TransformMatrix",
    "Rotation",
    "Orientation",
    "Offset",
    "Position",
    "Origin",
    "ElementSpacing",
    "ElementSize",
    "DimSize",
    "ElementNumberOfChannels",
    "ElementType",
)
_VALUE = re.compile(r"[A-Za-z0-9 (),.+?_-]*")


def makeSelfContained(path: Path) -> None:
    """Give a .nrrd or .mha file a new header, which has all its voxels in the file itself.

    What ITK's parsers make of the old header does not matter then: they never see it.  Other files, whose
    formats cannot name files, stay as they are.

    :raises InputError: the header cannot be understood, or has voxels in other files or in another form.
    :raises OSError: the file cannot be written.
    """
    if path.suffix.lower() not in _REWRITERS:
        return
    read, lines = _REWRITERS[path.suffix.lower()]
    try:
        header = read(path)
        if header.data is None or header.data.path != path:
            raise InputError(
                "The file refers to voxels in other files, or holds them as text: save it as one file with "
                "raw or gzip encoding and upload that."
            )
        text = "\n".join([*lines(header), ""])
    except ValueError as error:
        raise damaged(path) from error
    replaceFile(path, lambda temporary: _write(temporary, text.encode("ascii"), header.data), isDurable=False)


def _write(path: Path, header: bytes, data: VoxelData) -> None:
    with open(data.path, "rb") as source, open(path, "xb") as target:
        target.write(header)
        source.seek(data.start)
        shutil.copyfileobj(source, target, 1 << 20)


def _nrrdLines(header: VolumeHeader) -> List[str]:
    named = [f"{_NRRD[name]}: {value}" for name, value in _kept(header.fields, _NRRD)]
    return ["NRRD0005", *named, ""]


def _metaImageLines(header: VolumeHeader) -> List[str]:
    named = [f"{name} = {value}" for name, value in _kept(header.fields, _META_IMAGE)]
    return ["ObjectType = Image", *named, "ElementDataFile = LOCAL"]


_REWRITERS = {".nrrd": (nrrdHeader, _nrrdLines), ".mha": (metaImageHeader, _metaImageLines)}


def _kept(fields: Dict[str, str], names: Iterable[str]) -> List[Tuple[str, str]]:
    """Yield (name, value) of the fields that are kept, in the order of ``names``, which the formats
    demand.
    """
    found = [(name, fields[name]) for name in names if name in fields]
    if not all(_VALUE.fullmatch(value) for _, value in found):
        raise ValueError("a value that no field can have")
    return found
