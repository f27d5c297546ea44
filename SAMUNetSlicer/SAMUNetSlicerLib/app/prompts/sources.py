"""Give volumes their prompts from files, markups or another segmentation instead of the user's clicks."""

from abc import ABC, abstractmethod
from itertools import count
from typing import Iterator, List, Optional, Sequence

from ...engine.windowing import AUTOMATIC, WindowSetting
from ...errors import PromptError
from ...scene.geometry import SlicePlane
from ...scene.prompts import PromptStore
from .fromFile import BoxPrompt, PlanePrompts, PointPrompt, PromptsFile, SegmentPrompts


class PromptSource(ABC):
    """Gives each volume its prompts."""

    @abstractmethod
    def promptsFor(self, volumeNode) -> PromptsFile:
        """Return the prompts for a volume.

        :raises UserError: there are none for this volume, or they cannot be used.
        """

    def steps(self, volumeNode) -> Iterator[bool]:
        """Yield False while there is more to do, then return what ``promptsFor`` does.

        For a caller who must not be held up; a source that looks at many slices yields after each.
        """
        yield False
        return self.promptsFor(volumeNode)


class SharedPrompts(PromptSource):
    """The same prompts for every volume."""

    def __init__(self, prompts: PromptsFile):
        self._prompts = prompts

    def promptsFor(self, volumeNode) -> PromptsFile:
        return self._prompts


class PromptsOfSegmentation(PromptSource):
    """The points and boxes that a user has given on one volume, at the same places of every other one."""

    def __init__(self, scene, segmentationNode, window: Optional[WindowSetting] = None):
        self._scene = scene
        self._segmentationNode = segmentationNode
        self._window = window or AUTOMATIC

    def promptsFor(self, volumeNode) -> PromptsFile:
        store = PromptStore(self._scene, self._segmentationNode)
        try:
            found = tuple(self._segments(store))
        finally:
            store.close()
        if not found:
            raise PromptError(
                f"'{self._segmentationNode.GetName()}' has no prompts: give some on its volume first."
            )
        return PromptsFile(found, self._window)

    def _segments(self, store: PromptStore):
        segmentation = self._segmentationNode.GetSegmentation()
        names = uniqueNames(
            [segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()]
        )
        for segmentId, name in zip(segmentation.GetSegmentIDs(), names):
            planes = tuple(
                _planePrompts(store.promptsFor(segmentId, plane), plane, name)
                for plane in store.planes(segmentId)
            )
            if planes:
                yield SegmentPrompts(name, planes, segmentation.GetSegment(segmentId).GetColor())


def uniqueNames(names: Sequence[str]) -> List[str]:
    """Make names unique: "Cyst", "Cyst 2", ..."""
    taken: List[str] = []
    for name in names:
        numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
        taken.append(next(each for each in numbered if each not in taken))
    return taken


def _planePrompts(records, plane: SlicePlane, name: str) -> PlanePrompts:
    height, width = plane.shape
    place = {
        "origin": plane.pixelToRAS([[(width - 1) / 2, (height - 1) / 2]])[0].tolist(),
        "normal": plane.normal.tolist(),
        "up": (-plane.planeToRAS[:3, 1]).tolist(),
    }
    points = tuple(
        PointPrompt(record.ras[0], "ras", record.kind == "positive")
        for record in records
        if record.kind != "box"
    )
    boxes = tuple(BoxPrompt(record.ras, "ras") for record in records if record.kind == "box")
    return PlanePrompts(place, points, boxes, f"'{name}'")
