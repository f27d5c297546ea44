"""Say on which slice the next correction helps most."""

from dataclasses import dataclass
from typing import Collection, Dict, List, Optional

import numpy as np

from ...engine.overlap import dice
from ...scene.geometry import SlicePlane
from ..session import SegmentationSession, SliceRecord
from .review import UnseenSlices, unseenSlices

# How much of a slice is expected to be wrong: what is always wrong, and what each sign adds at its worst.
_ALWAYS, _DISAGREEMENT, _DOUBT, _CHANGE, _DISTANCE = 0.05, 0.35, 0.2, 0.25, 0.1
_FAR = 20  # slices from the next one that the user has seen: farther is not worse

# A structure that ends with as large a slice as it has anywhere has probably been cut off.
_CUT_OFF = 0.5


@dataclass(frozen=True, eq=False)
class SliceSuggestion:
    """Slice to look at.

    ``wrongPixels``: how many of its pixels are expected to be wrong; ``isBeyondEnd``: it is the one after the
    last slice that the segment is on, where the structure may go on.
    """

    plane: SlicePlane
    wrongPixels: float
    isBeyondEnd: bool = False


def suggestSlice(
    session: SegmentationSession, segmentId: Optional[str] = None, skipped: Collection[str] = ()
) -> Optional[SliceSuggestion]:
    """Return the slice on which a correction is expected to help most, None if there is nothing to correct.

    :param segmentId: the chosen segment if None.
    :param skipped: signatures of planes that were looked at and found right.
    """
    expected = (each for each in expectedErrors(session, segmentId) if each.plane.signature() not in skipped)
    return next(expected, None)


def expectedErrors(session: SegmentationSession, segmentId: Optional[str] = None) -> List[SliceSuggestion]:
    """Rank the slices that nobody has looked at, and those beyond the ends, by how much may be wrong there.

    What is expected comes from the agreement of the network with what was learned about the segment, from the
    network's confidence, the change from the neighboring slices, the distance to a slice that the user has
    seen, and the area: a large slice a little wrong weighs more than a small one that is all wrong.
    """
    unseen = unseenSlices(session, segmentId)
    if unseen is None:
        return []
    masks = {step: mask for step, mask in unseen.masks.items() if mask.any()}
    found = [
        _expected(unseen, step, record, masks) for step, record in unseen.records.items() if step in masks
    ]
    return sorted([*found, *_beyondEnds(unseen, masks)], key=lambda each: -each.wrongPixels)


def _expected(
    unseen: UnseenSlices, step: int, record: SliceRecord, masks: Dict[int, np.ndarray]
) -> SliceSuggestion:
    mask = masks[step]
    confidence = 1.0 if record.confidence is None else record.confidence
    agreement = (record.origin or {}).get("agreement")
    neighbors = [masks[near] for near in (step - 1, step + 1) if near in masks]
    likeness = [dice(mask, other) for other in neighbors if other.shape == mask.shape]
    seen = [abs(step - other) for other in unseen.masks if other not in unseen.records]
    share = (
        _ALWAYS
        + _DISAGREEMENT * (1 - (confidence if agreement is None else agreement))
        + _DOUBT * (1 - confidence)
        + _CHANGE * (1 - min(likeness, default=1.0))
        + _DISTANCE * min(min(seen, default=_FAR), _FAR) / _FAR
    )
    return SliceSuggestion(unseen.stack.plane(step), share * np.count_nonzero(mask))


def _beyondEnds(unseen: UnseenSlices, masks: Dict[int, np.ndarray]) -> List[SliceSuggestion]:
    """Return the slices after the first and the last of the segment, unless it tapers off or the user has
    seen its end."""
    if not masks:
        return []
    largest = max(np.count_nonzero(mask) for mask in masks.values())
    found = []
    for step, beyond in ((min(masks), min(masks) - 1), (max(masks), max(masks) + 1)):
        isInside = unseen.stack.first <= beyond <= unseen.stack.last
        if isInside and step in unseen.records and beyond not in unseen.masks:
            area = np.count_nonzero(masks[step])
            wrong = _CUT_OFF * area * area / largest
            found.append(SliceSuggestion(unseen.stack.plane(beyond), wrong, isBeyondEnd=True))
    return found
