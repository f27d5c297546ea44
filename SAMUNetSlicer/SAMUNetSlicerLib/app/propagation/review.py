"""Rank the slices of a propagated segment by how much they need a look."""

from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ...engine.overlap import dice
from ...scene.geometry import PlaneStack, SlicePlane
from ..session import SegmentationSession, SegmentProvenance, SliceRecord

# What counts as certainly wrong, for each sign on its own; half of it is worth a word.
_WORST_CONFIDENCE, _WORST_DICE, _WORST_RATIO = 0.5, 0.5, 2.0
_WORTH_A_WORD = 0.5


@dataclass(frozen=True, eq=False)
class SliceReview:
    """Slice of a propagated segment to look at.

    ``score``: in [0, 1], 1 for a slice that is surely wrong; ``reasons``: what speaks against it, as short
    sentences, none if nothing does.
    """

    plane: SlicePlane
    score: float
    reasons: Tuple[str, ...]


class UnseenSlices(NamedTuple):
    """Slices of a stack by their steps.

    ``records``: of those that nobody has looked at; ``masks``: of all that are known, as they were written.
    """

    stack: PlaneStack
    records: Dict[int, SliceRecord]
    masks: Dict[int, np.ndarray]


def reviewSlices(session: SegmentationSession, segmentId: Optional[str] = None) -> List[SliceReview]:
    """Rank the slices that were propagated, filled or prompted by a region, the worst first.

    A slice is as bad as the worst of three signs: the network's confidence, the Dice with its neighbors, and
    the jump of the area between them.  Slices that the user has prompted or accepted since are not listed;
    their neighbors are compared with them.

    :param segmentId: the chosen segment if None; without one, or without such slices, the list is empty.
    """
    seen = unseenSlices(session, segmentId)
    if seen is None:
        return []
    stack, records, masks = seen
    reviews = [_review(stack, step, record, masks) for step, record in records.items() if step in masks]
    return sorted(reviews, key=lambda review: -review.score)


def unseenSlices(session: SegmentationSession, segmentId: Optional[str] = None) -> Optional[UnseenSlices]:
    """Find the slices that were made without anybody looking at them; None if there are none.

    :param segmentId: the chosen segment if None.
    """
    workspace, segmentId = session.workspace, segmentId or session.segmentId
    if session.volumeNode is None or not workspace.hasSegment(segmentId):
        return None
    provenance = workspace.provenance.of(segmentId)
    made = [record for record in provenance.records() if _isToReview(provenance, record)]
    if not made:
        return None
    stack = PlaneStack(made[-1].slicePlane(), session.volumeNode)
    steps = {stack.stepOf(record.slicePlane()): record for record in made}
    return UnseenSlices(stack, steps, _masks(provenance, stack))


def _isToReview(provenance: SegmentProvenance, record: SliceRecord) -> bool:
    """Tell whether a slice was made without anybody looking at it, and not replaced or accepted since."""
    if not record.isPropagated:
        return False
    current = provenance.record(record.slicePlane().signature())
    return current is not None and current.sequence == record.sequence


def _masks(provenance: SegmentProvenance, stack: PlaneStack) -> Dict[int, np.ndarray]:
    """Return the mask that the last write has left on each slice, by step."""
    masks = {}
    for record in provenance.records():
        step = stack.stepOf(record.slicePlane())
        if step is not None and record.written is not None:
            masks[step] = record.content().written
    return masks


def _review(stack: PlaneStack, step: int, record: SliceRecord, masks: Dict[int, np.ndarray]) -> SliceReview:
    mask = masks[step]
    neighbors = [masks[near] for near in (step - 1, step + 1) if near in masks]
    neighbors = [each for each in neighbors if each.shape == mask.shape]
    signs = [_confidenceSign(record.confidence)]
    if neighbors:
        signs += [_diceSign(mask, neighbors), _areaSign(mask, neighbors)]
    reasons = tuple(reason for badness, reason in signs if badness >= _WORTH_A_WORD)
    return SliceReview(stack.plane(step), max(badness for badness, _ in signs), reasons)


def _confidenceSign(confidence: Optional[float]) -> Tuple[float, str]:
    if confidence is None:
        return 0.0, ""
    return _share(1 - confidence, 1 - _WORST_CONFIDENCE), f"confidence {confidence:.2f}"


def _diceSign(mask: np.ndarray, neighbors: List[np.ndarray]) -> Tuple[float, str]:
    least = min(dice(mask, other) for other in neighbors)
    return _share(1 - least, 1 - _WORST_DICE), f"Dice {least:.2f} with its neighbor"


def _areaSign(mask: np.ndarray, neighbors: List[np.ndarray]) -> Tuple[float, str]:
    area = np.count_nonzero(mask)
    ratios = [area / np.count_nonzero(other) for other in neighbors]
    ratio = max(ratios, key=lambda value: abs(np.log(value)))
    return _share(abs(np.log(ratio)), np.log(_WORST_RATIO)), f"area {ratio:.0%} of its neighbor's"


def _share(value: float, worst: float) -> float:
    return float(min(1.0, value / worst))
