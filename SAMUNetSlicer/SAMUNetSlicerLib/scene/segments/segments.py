"""Handle segments as the user knows them: name, color, meaning, lock and progress."""

from dataclasses import dataclass
from typing import Optional, Sequence

import slicer
import vtk

from ...errors import InputError
from .segmentLayers import requireSegment

LOCKED_TAG = "SAMUNet.Locked"

# Far apart in hue and light on both gray images and dark views; the first ones are the easiest to tell apart.
_COLORS = (
    (0.90, 0.30, 0.24),
    (0.20, 0.63, 0.86),
    (0.95, 0.77, 0.06),
    (0.18, 0.80, 0.44),
    (0.68, 0.40, 0.88),
    (1.00, 0.55, 0.10),
    (0.10, 0.74, 0.74),
    (0.93, 0.51, 0.72),
)

_STATUSES = ("notstarted", "inprogress", "completed", "flagged")
_CATEGORY_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"
_SEPARATORS = frozenset("~^|&")


@dataclass(frozen=True)
class Code:
    """A coded concept of a terminology, such as SCT 10200004 Liver.

    :raises InputError: a part holds one of ``~ ^ | &``, which separate the parts in the scene.
    """

    scheme: str
    value: str
    meaning: str

    def __post_init__(self):
        for part in (self.scheme, self.value, self.meaning):
            if _SEPARATORS & set(part):
                raise InputError(f"The code '{part}' must not contain any of ~ ^ | &.")

    def __str__(self) -> str:
        return f"{self.scheme}^{self.value}^{self.meaning}"


@dataclass(frozen=True)
class Terminology:
    """Meaning of a segment, as DICOM Segmentation and Slicer code it.

    ``category``: SegmentedPropertyCategory, ``type``: SegmentedPropertyType with its modifier (such as
    left or right); ``region``: AnatomicRegion, where it is, with its modifier.
    """

    category: Code
    type: Code
    typeModifier: Optional[Code] = None
    region: Optional[Code] = None
    regionModifier: Optional[Code] = None

    def __str__(self) -> str:
        """Return the text of a segment's terminology tag, as vtkSlicerTerminologiesModuleLogic serializes
        it.
        """
        nothing = "^^"
        return "~".join(
            (
                _CATEGORY_CONTEXT,
                str(self.category),
                str(self.type),
                str(self.typeModifier or nothing),
                _REGION_CONTEXT,
                str(self.region or nothing),
                str(self.regionModifier or nothing),
            )
        )

    @classmethod
    def parse(cls, text: str) -> "Optional[Terminology]":
        """Parse the terminology in a segment's tag, None if there is none, or no category and type in it."""
        parts = [*(text or "").split("~"), *[""] * 7]
        codes = [_parseCode(parts[index]) for index in (1, 2, 3, 5, 6)]
        return cls(*codes) if codes[0] and codes[1] else None


def _parseCode(text: str) -> Optional[Code]:
    parts = text.split("^")
    return Code(*parts) if len(parts) == 3 and all(parts) else None


TISSUE = Terminology(Code("SCT", "85756007", "Tissue"), Code("SCT", "85756007", "Tissue"))


def terminologyOf(segmentationNode, segmentId: str) -> Terminology:
    """Return what a segment is said to be; `TISSUE`, as Slicer takes it to be, where nothing is said.

    :raises InputError: the segment is gone.
    """
    tag = segmentTag(segmentationNode, segmentId, slicer.vtkSegment.GetTerminologyEntryTagName())
    return Terminology.parse(tag) or TISSUE


def newSegment(
    segmentationNode,
    name: str,
    color: Optional[Sequence[float]] = None,
    terminology: Optional[Terminology] = None,
) -> str:
    """Add an empty segment at the end.

    :param name: as shown; need not be unique.
    :param color: (r, g, b) in [0, 1]; by default one that no segment has yet.
    :return: its segment ID.
    """
    segmentation = segmentationNode.GetSegmentation()
    color = _unusedColor(segmentation) if color is None else tuple(map(float, color))
    segmentId = segmentation.AddEmptySegment("", name, color)
    if terminology is not None:
        tag = slicer.vtkSegment.GetTerminologyEntryTagName()
        segmentation.GetSegment(segmentId).SetTag(tag, str(terminology))
    return segmentId


def _unusedColor(segmentation):
    ids = segmentation.GetSegmentIDs()
    used = {tuple(segmentation.GetSegment(segmentId).GetColor()) for segmentId in ids}
    return next((color for color in _COLORS if color not in used), _COLORS[len(ids) % len(_COLORS)])


def segmentTag(segmentationNode, segmentId: str, tag: str) -> Optional[str]:
    """Return the text of a tag, None if the segment has none.

    :raises InputError: the segment is gone.
    """
    segment = requireSegment(segmentationNode, segmentId)
    value = vtk.reference("")
    return str(value) if segment.GetTag(tag, value) else None


def setLocked(segmentationNode, segmentId: str, locked: bool) -> None:
    """Lock a segment: with the policy "protectLocked" no other segment takes its voxels."""
    requireSegment(segmentationNode, segmentId).SetTag(LOCKED_TAG, "1" if locked else "0")


def isLocked(segmentationNode, segmentId: str) -> bool:
    return segmentTag(segmentationNode, segmentId, LOCKED_TAG) == "1"


def status(segmentationNode, segmentId: str) -> str:
    """Return one of "notstarted", "inprogress", "completed", "flagged", as in the Segment Editor."""
    segment = requireSegment(segmentationNode, segmentId)
    number = slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentStatus(segment)
    return _STATUSES[max(number, 0)]  # -1 where a file holds a status that Slicer does not know


def setStatus(segmentationNode, segmentId: str, value: str) -> None:
    """Set the progress of a segment.

    :raises InputError: the segment is gone, or there is no such status.
    """
    if value not in _STATUSES:
        raise InputError(f"'{value}' is not a segment status: use {', '.join(_STATUSES)}.")
    segment = requireSegment(segmentationNode, segmentId)
    slicer.vtkSlicerSegmentationsModuleLogic.SetSegmentStatus(segment, _STATUSES.index(value))


def markStarted(segmentationNode, segmentId: str) -> None:
    """Set a segment that is not started to in progress, as Slicer's own editor does on the first edit."""
    if status(segmentationNode, segmentId) == "notstarted":
        setStatus(segmentationNode, segmentId, "inprogress")
