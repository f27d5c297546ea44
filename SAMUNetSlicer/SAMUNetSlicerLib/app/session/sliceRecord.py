"""Record how the mask of one segment on one plane came to be: enough to make the identical mask again."""

import base64
import binascii
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass
from typing import Optional, Sequence, Tuple

import numpy as np

from ...engine.types import Prompts
from ...errors import InputError
from ...scene.geometry import SlicePlane
from ...scene.prompts import PromptRecord
from .pixelOrigins import PixelOrigins

PROPAGATION_METHODS = ("propagate", "fill", "region", "consensus")


@dataclass(frozen=True)
class SliceRecord:
    """JSON-ready; masks are texts of `encodeMask`, None where empty.

    ``plane``: `SlicePlane.toDict`; ``prompts``: id, kind and RAS position in mm of each, in their order;
    ``points``: [[x, y, label], ...] and ``boxes``: [[x0, y0, x1, y1], ...] in pixels of the plane;
    ``window``: `WindowSetting.to_dict` with the limits that were in force; ``image``:
    digest of the 8-bit image; ``model``, ``versions``, ``confidence``, ``notes``: of the prediction, empty
    when the user removed all prompts; ``policy``: towards other segments; ``sequence``: order of writing
    within the segmentation; ``time``: UTC, ISO 8601.

    ``origin``: None for a slice that the user prompted; "method": "mask" for a mask that the user gave as a
    prompt; else how a propagation made it: "method", and "neighbor" and "key", the signatures of the slices
    that it was made from; "learned", what was known of the segment's look (`SegmentProvenance.learned`), and
    "beside", the neighbor's mask on this slice; "agreement", of the network with it.

    ``mask``: what was to be written; ``written``: the slice as it was afterwards, which differs where
    other segments were protected and by resampling on oblique planes; ``added``, ``removed``, ``start``,
    ``base``: see `PixelOrigins`.
    """

    plane: dict
    prompts: Tuple[dict, ...] = ()
    points: Tuple = ()
    boxes: Tuple = ()
    window: Optional[dict] = None
    image: str = ""
    model: Optional[dict] = None
    versions: Optional[dict] = None
    confidence: Optional[float] = None
    notes: Tuple[str, ...] = ()
    policy: str = "protectAll"
    sequence: int = 0
    time: str = ""
    origin: Optional[dict] = None
    mask: Optional[str] = None
    written: Optional[str] = None
    added: Optional[str] = None
    removed: Optional[str] = None
    start: Optional[str] = None
    base: Optional[str] = None

    @property
    def shape(self) -> Tuple[int, int]:
        return tuple(self.plane["shape"])

    @property
    def isPropagated(self) -> bool:
        """Tell whether the slice was made from others or from a region, without anybody looking at it."""
        return self.origin is not None and self.origin["method"] in PROPAGATION_METHODS

    def slicePlane(self) -> SlicePlane:
        return SlicePlane.fromDict(self.plane)

    def content(self) -> PixelOrigins:
        """Return the masks by which hand edits are found and kept.

        A prompt on a slice whose mask was given or made by a propagation corrects what is there.
        """
        written, added, removed = (
            decodeMask(text, self.shape) for text in (self.written, self.added, self.removed)
        )
        if self.origin is not None:
            carried = written if written.any() else None
            return PixelOrigins(written, added, removed, start=carried, base=carried)
        start, base = (text and decodeMask(text, self.shape) for text in (self.start, self.base))
        return PixelOrigins(written, added, removed, start, base)

    def networkPrompts(self) -> Prompts:
        """Return the network's input besides the image."""
        points = np.array(self.points, np.float32).reshape(-1, 3)
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4)
        start = None if self.start is None else decodeMask(self.start, self.shape)
        return Prompts(points[:, :2].copy(), points[:, 2].astype(np.int64), boxes, start)

    def toJson(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def fromDict(cls, values: dict) -> "SliceRecord":
        """Read what ``toDict`` has written.

        :raises InputError: these are not the values of a record.
        """
        try:
            record = cls(**values)
            record.slicePlane()
        except (TypeError, KeyError) as error:
            raise InputError(f"A stored slice record cannot be read ({error}).") from error
        return record


def imageDigest(image: np.ndarray) -> str:
    """Return a short text that differs between images of different size or pixels."""
    return hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).hexdigest()


def maskFields(mask: np.ndarray, content: PixelOrigins) -> dict:
    """Return the mask fields of a record."""
    return {
        "mask": encodeMask(mask),
        "written": encodeMask(content.written),
        "added": encodeMask(content.added),
        "removed": encodeMask(content.removed),
        "start": encodeMask(content.start),
        "base": encodeMask(content.base),
    }


def promptFields(records: Sequence[PromptRecord], prompts: Prompts) -> dict:
    """Return the prompt fields of a record."""
    points = np.column_stack([prompts.points, prompts.labels]).astype(float)
    return {
        "prompts": [{"id": record.id, "kind": record.kind, "ras": record.ras} for record in records],
        "points": points.tolist(),
        "boxes": prompts.boxes.astype(float).tolist(),
    }


def encodeMask(mask: Optional[np.ndarray]) -> Optional[str]:
    """Encode a bool mask (H, W) as text: packed bits, deflated, base64; None for no mask or an empty one."""
    if mask is None or not mask.any():
        return None
    return base64.b64encode(zlib.compress(np.packbits(mask), 6)).decode("ascii")


def decodeMask(text: Optional[str], shape) -> np.ndarray:
    """Decode the text of ``encodeMask`` to a bool mask (H, W); None gives an empty one.

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
