"""Record one prompt of a user: what it is, where it is, and on which slice it was given."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Optional, Tuple

import numpy as np

from ...errors import InputError
from ..geometry import SlicePlane

KINDS = ("positive", "negative", "box")

Point = Tuple[float, float, float]

# Two planes count as one orientation if their normals are within half a degree: what the user sees as one.
_SAME_ORIENTATION = float(np.cos(np.radians(0.5)))

# Closer than this, in mm, two points are one: a box's corners come back from its node with rounding.
_SAME_PLACE = 1e-6

# Within this part of a slice a prompt counts as exactly between two slices.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class PromptRecord:
    """A prompt as it is in the scene now.

    ``id``: unique, kept when the prompt is moved, undone or saved;
    ``kind``: "positive", "negative" or "box";
    ``ras``: world points in mm, one for a point, two opposite corners for a box;
    ``plane``: the slice that it was given on;
    ``order``: prompts of a segment in the order in which they were given, gaps where some were removed;
    ``segmentId``: the segment that it belongs to.
    """

    id: str
    kind: str
    ras: Tuple[Point, ...]
    plane: SlicePlane
    order: int
    segmentId: str

    def appliesTo(self, plane: SlicePlane) -> bool:
        """Tell whether the slice has the same orientation and the prompt lies within half a slice of it."""
        if not sameOrientation(self.plane.normal, plane.normal):
            return False
        slices = self._slicesFrom(plane)
        if not _isHalf(slices):
            return abs(slices) < 0.5
        # Exactly between two slices: the one it was given on, else the one on the side of the normal.
        if _isHalf(self._slicesFrom(self.plane)):
            return plane.signature() == self.plane.signature()
        return slices < 0

    def hasOrientationOf(self, other: "PromptRecord") -> bool:
        """Tell whether both were given on slices of one orientation."""
        return sameOrientation(self.plane.normal, other.plane.normal)

    def _slicesFrom(self, plane: SlicePlane) -> float:
        return float(plane.rasToPixel(self.ras)[1].mean()) / plane.thickness

    def sameAs(self, other: "PromptRecord") -> bool:
        """Tell whether nothing about the prompts differs."""
        if self._key() != other._key() or not self.isAt(other.ras):
            return False
        return self.plane is other.plane or self.plane.signature() == other.plane.signature()

    def isAt(self, ras) -> bool:
        """Tell whether these are its world points."""
        return np.shape(ras) == np.shape(self.ras) and np.allclose(self.ras, ras, rtol=0, atol=_SAME_PLACE)

    def _key(self):
        return self.id, self.kind, self.order, self.segmentId


def sameOrientation(normal: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether slices with these unit normals (3,) look alike, from whichever side."""
    return bool(abs(normal @ other) >= _SAME_ORIENTATION)


def _isHalf(slices: float) -> bool:
    return abs(abs(slices) - 0.5) <= _ROUNDING


class PromptMetadata(NamedTuple):
    """Metadata that a control point or a box cannot hold by itself; stored in the scene as JSON."""

    id: str
    order: int
    plane: SlicePlane

    def toText(self) -> str:
        return json.dumps({"id": self.id, "order": self.order, "plane": self.plane.toDict()})


@lru_cache(maxsize=4096)
def metadataFromText(text: str) -> Optional[PromptMetadata]:
    """Parse the metadata of a prompt of ours, None for anybody else's text."""
    try:
        values = json.loads(text)
        return PromptMetadata(str(values["id"]), int(values["order"]), SlicePlane.fromDict(values["plane"]))
    except (ValueError, TypeError, KeyError, InputError):
        return None
