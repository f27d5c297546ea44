"""Pack and unpack the frames between the front end's process and the engine's process.

One frame is ``MAGIC | header length (uint32 LE) | JSON header | raw array bytes``.  The header carries
the kind, plain JSON fields and (name, dtype, shape) of each array, whose C-ordered little-endian bytes
follow in the same order.  Nothing is ever unpickled, so a damaged or hostile stream can at worst be
refused.
"""

import json
import math
import struct
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import numpy as np

MAGIC = b"\x93SUN"  # not ASCII: no text that a library prints contains it
MAX_HEADER_BYTES = 64 << 20
MAX_ARRAY_BYTES = 2 << 30
_PREFIX = struct.Struct("<4sI")


class FrameError(Exception):
    """The stream does not hold frames of this protocol; the connection cannot be used further."""


@dataclass(frozen=True, eq=False)
class Message:
    """Message of the protocol.

    ``kind`` names the operation or answer; ``fields`` is JSON; ``arrays``: bool, int or float.
    """

    kind: str
    fields: dict = field(default_factory=dict)
    arrays: Dict[str, np.ndarray] = field(default_factory=dict)


def pack(message: Message) -> List[memoryview]:
    """Return the frame of ``message`` as buffers to be written one after the other, without copying the
    arrays.
    """
    arrays = {name: _wire_array(array) for name, array in message.arrays.items()}
    layout = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    header = {"kind": message.kind, "fields": message.fields, "arrays": layout}
    encoded = json.dumps(header).encode()
    buffers = [memoryview(_PREFIX.pack(MAGIC, len(encoded)) + encoded)]
    return buffers + [array.reshape(-1).view(np.uint8).data for array in arrays.values() if array.size]


class FrameReader:
    """Turns chunks of a byte stream, cut anywhere, into messages.

    What comes before the first frame is skipped: a launcher or ``sitecustomize`` may print something
    before the engine has taken hold of its standard output.
    """

    def __init__(self):
        self._has_begun = False
        self._pending = bytearray()
        self._header: Optional[dict] = None
        self._needed = _PREFIX.size

    def feed(self, data) -> List[Message]:
        """Return the messages that ``data`` completes.

        :raises FrameError: when the bytes are not frames of this protocol.
        """
        self._pending += data
        messages: List[Message] = []
        if not self._has_begun and not self._skip_preamble():
            return messages
        while len(self._pending) >= self._needed:
            message = self._advance()
            if message is not None:
                messages.append(message)
        return messages

    def _skip_preamble(self) -> bool:
        start = self._pending.find(MAGIC)
        self._has_begun = start >= 0
        del self._pending[: start if self._has_begun else max(0, len(self._pending) - len(MAGIC) + 1)]
        return self._has_begun

    def _advance(self) -> Optional[Message]:
        if self._header is not None:
            return self._finish()
        magic, header_bytes = _PREFIX.unpack_from(self._pending)
        if magic != MAGIC or header_bytes > MAX_HEADER_BYTES:
            raise FrameError("The engine's stream is damaged: a frame does not start as it must")
        if len(self._pending) < _PREFIX.size + header_bytes:
            self._needed = _PREFIX.size + header_bytes
            return None
        self._header = _parse_header(bytes(self._pending[_PREFIX.size : _PREFIX.size + header_bytes]))
        del self._pending[: _PREFIX.size + header_bytes]
        self._needed = sum(_nbytes(dtype, shape) for _, dtype, shape in self._header["arrays"])
        return None

    def _finish(self) -> Message:
        header, self._header = self._header, None
        arrays, offset = {}, 0
        for name, dtype, shape in header["arrays"]:
            end = offset + _nbytes(dtype, shape)
            # A bytearray keeps the array writable: torch warns about read-only memory.
            arrays[name] = np.frombuffer(self._pending[offset:end], dtype).reshape(shape)
            offset = end
        del self._pending[:offset]
        self._needed = _PREFIX.size
        return Message(header["kind"], header["fields"], arrays)


def _wire_array(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, order="C")
    _check_dtype(array.dtype)
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _check_dtype(dtype: np.dtype) -> None:
    if dtype.kind not in "biuf":
        raise FrameError(f"Arrays of type {dtype} do not travel between processes")


def _parse_header(encoded: bytes) -> dict:
    try:
        header = json.loads(encoded)
        layout = [(str(name), np.dtype(dtype), tuple(shape)) for name, dtype, shape in header["arrays"]]
        kind, fields = header["kind"], header["fields"]
    except (ValueError, KeyError, TypeError) as error:
        raise FrameError(f"The engine's stream is damaged: unreadable header ({error})") from error
    for _, dtype, shape in layout:
        _check_dtype(dtype)
        if (
            any(not isinstance(side, int) or side < 0 for side in shape)
            or _nbytes(dtype, shape) > MAX_ARRAY_BYTES
        ):
            raise FrameError(f"The engine's stream is damaged: an array of shape {shape}")
    return {"kind": kind, "fields": fields, "arrays": layout}


def _nbytes(dtype: np.dtype, shape: tuple) -> int:
    return dtype.itemsize * math.prod(shape)
