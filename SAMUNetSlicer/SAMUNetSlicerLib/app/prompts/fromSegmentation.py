"""Turn a rough segmentation into box prompts."""

from abc import ABC, abstractmethod
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from ...errors import InputError, PromptError
from ...scene.geometry import SlicePlane, extractSlice, insideVolume, voxelArray
from ...scene.segments import SegmentWriter
from .fromFile import BoxPrompt, PromptsFile, SegmentPrompts
from .sliceChoice import SliceChoice
from .sliceCuts import SlicesOf, partBoxes
from .sources import PromptSource, uniqueNames

# More different values are an image and no label map.
_MOST_LABELS = 4096


class Structure(NamedTuple):
    """Structure of a rough segmentation.

    ``color``: (r, g, b) in [0, 1], None if it has none.
    """

    name: str
    color: Optional[Tuple[float, float, float]]


class CoarseSegments(ABC):
    """The structures of a segmentation, wherever it comes from."""

    structures: Dict[object, Structure]

    @abstractmethod
    def masks(self, plane: SlicePlane) -> Iterator[Tuple[object, np.ndarray]]:
        """Yield (key of a structure, bool (H, W)) for those that are on a slice."""


class SegmentsOfNode(CoarseSegments):
    """Of a segmentation node, or only some of its segments."""

    def __init__(self, segmentationNode, segmentIds=None):
        segmentation = segmentationNode.GetSegmentation()
        ids = list(segmentation.GetSegmentIDs() if segmentIds is None else segmentIds)
        segments = [segmentation.GetSegment(each) for each in ids]
        names = uniqueNames([segment.GetName() for segment in segments])
        colors = [tuple(segment.GetColor()) for segment in segments]
        self.structures = {each: Structure(*known) for each, known in zip(ids, zip(names, colors))}
        self._node = segmentationNode
        self._writer = SegmentWriter(segmentationNode.GetScene())

    def masks(self, plane: SlicePlane) -> Iterator[Tuple[object, np.ndarray]]:
        for segmentId in self.structures:
            mask = self._writer.readMask(self._node, segmentId, plane)
            if mask.any():
                yield segmentId, mask


class SegmentsOfLabels(CoarseSegments):
    """Of a label volume: each value but 0 is a structure.

    :raises InputError: its values are no labels.
    """

    def __init__(self, labelNode):
        voxels = voxelArray(labelNode)
        values = np.unique(voxels)
        if voxels.ndim > 3 or len(values) > _MOST_LABELS or (values != np.rint(values)).any():
            raise InputError(f"'{labelNode.GetName()}' is not a label map: its voxels are not a few labels.")
        self.structures = {int(value): Structure(f"Label {int(value)}", None) for value in values if value}
        self._node = labelNode

    def masks(self, plane: SlicePlane) -> Iterator[Tuple[object, np.ndarray]]:
        found = extractSlice(self._node, plane, interpolate=False)
        labels = np.where(insideVolume(self._node, plane), found, 0)
        for value in np.unique(labels):
            if value:
                yield int(value), labels == value


class SegmentsOfMasks(CoarseSegments):
    """Of volumes that hold one structure each, of the volume's name: whatever is not 0."""

    def __init__(self, maskNodes):
        self._nodes = list(maskNodes)
        names = uniqueNames([node.GetName() for node in self._nodes])
        self.structures = {number: Structure(name, None) for number, name in enumerate(names)}

    def masks(self, plane: SlicePlane) -> Iterator[Tuple[object, np.ndarray]]:
        for number, node in enumerate(self._nodes):
            found = extractSlice(node, plane, interpolate=False)
            mask = insideVolume(node, plane) & (found != 0)
            if mask.any():
                yield number, mask


class CoarsePrompts(PromptSource):
    """A box around every connected part of each structure, on every slice that it is on or on some."""

    def __init__(self, segments: CoarseSegments, choice: SliceChoice):
        self._segments = segments
        self._choice = choice

    def promptsFor(self, volumeNode) -> PromptsFile:
        steps = self.steps(volumeNode)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def steps(self, volumeNode) -> Iterator[bool]:
        slices = SlicesOf.nearestTo(volumeNode, self._choice.orientation)
        boxes: Dict[object, Dict[int, List[BoxPrompt]]] = {key: {} for key in self._segments.structures}
        for index in range(slices.count):
            plane = slices.plane(index)
            for key, mask in self._segments.masks(plane):
                boxes[key][index] = partBoxes(mask, plane, self._choice.margin)
                yield False
            yield False
        segments = [self._segment(slices, key, found) for key, found in boxes.items() if found]
        if not segments:
            raise PromptError(
                f"The segmentation holds nothing on '{volumeNode.GetName()}': give one of the same patient."
            )
        return PromptsFile(tuple(segments), self._choice.window)

    def _segment(self, slices: SlicesOf, key, boxes: Dict[int, List[BoxPrompt]]) -> SegmentPrompts:
        name, color = self._segments.structures[key]
        chosen = self._choice.pick(sorted(boxes))
        entries = [slices.entry(index, boxes=boxes[index], where=f"'{name}'") for index in chosen]
        return self._choice.segment(name, entries, color)
