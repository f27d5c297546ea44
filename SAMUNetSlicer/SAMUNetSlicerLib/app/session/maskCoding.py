"""Masks as short texts, for JSON and segment tags."""

import base64
import binascii
import zlib
from typing import Optional

import numpy as np

from ...errors import InputError


def encodeMask(mask: Optional[np.ndarray]) -> Optional[str]:
    """Text of a bool mask (H, W): packed bits, deflated, base64; None for no mask or an empty one."""
    if mask is None or not mask.any():
        return None
    return base64.b64encode(zlib.compress(np.packbits(mask), 6)).decode("ascii")


def decodeMask(text: Optional[str], shape) -> np.ndarray:
    """The bool mask (H, W) of ``encodeMask``'s text; None gives an empty one.

    :raises InputError: the text is no mask of this shape.
    """
    count = shape[0] * shape[1]
    if text is None:
        return np.zeros(shape, bool)
    try:
        # One byte more than needed is asked for, so that a text that inflates without end is refused.
        packed = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), -(-count // 8) + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(f"A stored mask cannot be read ({error}).") from error
    if len(packed) != -(-count // 8):
        raise InputError(f"A stored mask does not have {shape[0]} x {shape[1]} pixels.")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool).reshape(shape)
