"""Damage that image readers pass over: they fill what is missing with zeros and report success.

ITK reads a NIfTI file that was cut in half, a JPEG that stops in the middle, or compressed voxels with a
flipped bit without an error, so bytes are counted, and their checksums compared, before it reads them.
"""

import gzip
import sys
import warnings
import zlib
from pathlib import Path
from typing import Iterator, Optional

from ...errors import InputError
from .volumeHeaders import VoxelData, readHeader

_CHUNK = 1 << 22
_SPARE = 1 << 20  # bytes that a compressed stream may have beyond its voxels
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
_PICTURE_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")


def requireSound(path: Path) -> None:
    """Check that a volume's header makes sense and that every byte it promises is there; other files pass.

    :raises InputError: the header is not what its format says, or bytes are missing or damaged.
    """
    try:
        header = readHeader(path)
        if header is not None and header.data is not None:
            _require(_storedSize(header.data, header.size) >= header.size)
    except PermissionError:
        raise
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise damaged(path) from error


def pictureFormat(path: Path) -> Optional[str]:
    """Check that every page of a picture can be decoded to its end; other files pass.

    :return: "PNG", "JPEG", "BMP" or "TIFF" by what the file holds, whatever its name says; None for a file
        whose name is not that of a picture, or that is larger than Pillow decodes.
    :raises InputError: pixels are missing or damaged.
    """
    from PIL import Image

    if path.suffix.lower() not in _PICTURES:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="Truncated File Read")
        try:
            return _decode(path)
        except Image.DecompressionBombError:
            return None
        except PermissionError:
            raise
        except Exception as error:  # arbitrary bytes make a decoder stumble in any way
            raise damaged(path) from error


def damaged(path: Path) -> InputError:
    """Return the one error for a file whose content cannot be trusted."""
    return InputError(f"'{path}' is damaged or incomplete: copy or export it again from its source.")


def _decode(path: Path) -> str:
    from PIL import Image

    # Other formats, which Pillow would try as well, may start programs or read other files.
    with Image.open(path, formats=_PICTURE_FORMATS) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            picture.load()
        return "JPEG" if picture.format == "MPO" else picture.format


def _require(condition: bool) -> None:
    if not condition:
        raise EOFError


def _storedSize(data: VoxelData, promised: int) -> int:
    """Return the bytes from the voxels' start on; a compressed stream is read to its end, and its checksum
    compared.
    """
    if not data.compressed:
        return data.path.stat().st_size - data.start
    with open(data.path, "rb") as file:
        if data.isWhole:
            with gzip.open(file) as stream:
                return _count(iter(lambda: stream.read(_CHUNK), b""), data.start + promised) - data.start
        file.seek(data.start)
        return inflatedSize(file, promised, data.length)


def inflatedSize(file, promised: int, length: Optional[int] = None, wbits: int = zlib.MAX_WBITS | 32) -> int:
    """Count the bytes of a compressed stream, a little at a time: few bytes may stand for very many.

    :param file: open at the stream's start.
    :param promised: bytes that it should have; few more are let pass.
    :param length: of the stream in the file, to its end by default.
    :raises EOFError: the stream stops early, or has many more bytes than promised.
    :raises zlib.error: it is damaged.
    """
    return _count(_inflated(file, sys.maxsize if length is None else length, wbits), promised)


def _inflated(file, left: int, wbits: int) -> Iterator[bytes]:
    inflater, data = zlib.decompressobj(wbits), b""
    while not inflater.eof:  # at its end the stream's checksum has been compared
        if not data:
            data = file.read(min(_CHUNK, left))
            left -= len(data)
        _require(bool(data))
        yield inflater.decompress(data, _CHUNK)
        data = inflater.unconsumed_tail


def _count(chunks: Iterator[bytes], promised: int) -> int:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        _require(size <= promised + _SPARE)
    return size
