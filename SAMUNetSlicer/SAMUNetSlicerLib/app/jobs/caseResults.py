"""Collect the results of a segmented volume for its record."""

from types import MappingProxyType
from typing import Dict, List, Mapping, Sequence, Tuple

from ...scene.segments import measureSegments
from .caseRecord import SegmentResult, SliceResult, least
from .promptRun import SegmentedSlice


def confidences(slices: Sequence[SegmentedSlice]) -> Dict[str, float]:
    """Return the least confidence of any slice, by segment ID: a segment is as sure as its worst slice."""
    worst: Dict[str, float] = {}
    for each in slices:
        if each.report.confidence is not None:
            worst[each.segmentId] = min(worst.get(each.segmentId, 1.0), each.report.confidence)
    return worst


def sliceResults(
    slices: Sequence[SegmentedSlice], pictures: Mapping[int, str] = MappingProxyType({})
) -> Tuple[SliceResult, ...]:
    """Return the results of the slices.

    :param pictures: file of the picture by the number of its slice.
    """
    return tuple(
        SliceResult(
            each.name,
            each.place,
            each.prompts.plane.axis,
            each.prompts.plane.index,
            each.report.confidence,
            each.pixels,
            each.isPropagated,
            tuple(each.report.notes),
            pictures.get(number, ""),
        )
        for number, each in enumerate(slices)
    )


def segmentResults(
    segmentationNode, volumeNode, slices: Sequence[SegmentedSlice]
) -> Tuple[SegmentResult, ...]:
    """Return the results of the segments.

    :raises InputError: see ``measureSegments``.
    """
    bySegment: Dict[str, List[SegmentedSlice]] = {}
    for each in slices:
        bySegment.setdefault(each.segmentId, []).append(each)
    measured = measureSegments(segmentationNode, volumeNode, list(bySegment))
    return tuple(
        SegmentResult(
            each.name,
            each.voxels,
            each.volumeMl,
            least(one.report.confidence for one in bySegment[each.segmentId]),
            len(bySegment[each.segmentId]),
        )
        for each in measured
    )
