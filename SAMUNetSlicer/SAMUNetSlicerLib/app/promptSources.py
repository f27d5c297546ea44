"""Where the prompts of a volume come from, if not from its user: files, markups, another segmentation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import List, Optional, Sequence, Tuple

import numpy as np

from ..engine.windowing import WindowSetting
from ..errors import InputError, PromptError
from ..scene.plane import SlicePlane
from ..scene.promptStore import PromptStore
from .promptsFile import BoxPrompt, PlanePrompts, PointPrompt, PromptsFile, SegmentPrompts

ORIENTATIONS = ("axial", "sagittal", "coronal")


@dataclass(frozen=True)
class SliceChoice:
    """How prompts that are not tied to slices are laid on them.

    ``orientation``: "axial", "sagittal" or "coronal": the volume's own slices nearest to it; ``count``: how
    many of the slices that a structure is on, spread evenly, None for every one; ``margin``: how far boxes
    around another segmentation reach beyond it on each side, as a share of their width and height;
    ``propagate``: carry the segment on from these slices; ``window``: see `PromptsFile`.
    """

    orientation: str = "axial"
    count: Optional[int] = None
    margin: float = 0.05
    propagate: bool = False
    window: WindowSetting = field(default_factory=WindowSetting)

    def __post_init__(self):
        if self.orientation not in ORIENTATIONS:
            raise InputError(f"'{self.orientation}' is not an orientation: use {', '.join(ORIENTATIONS)}.")
        if self.count is not None and self.count < 1:
            raise InputError("At least one slice of a structure must be prompted.")
        if not 0 <= self.margin <= 1:
            raise InputError("The margin of boxes is a share of their size, from 0 to 1.")

    def pick(self, slices: Sequence) -> list:
        """The middles of ``count`` equal parts of the slices, or all of them."""
        if self.count is None or self.count >= len(slices):
            return list(slices)
        return [slices[int((n + 0.5) * len(slices) / self.count)] for n in range(self.count)]

    def segment(self, name: str, planes: Sequence[PlanePrompts], color=None) -> SegmentPrompts:
        return SegmentPrompts(name, tuple(planes), color, propagation={} if self.propagate else None)


class PromptSource(ABC):
    """Gives each volume its prompts."""

    @abstractmethod
    def promptsFor(self, volumeNode) -> PromptsFile:
        """:raises UserError: there are none for this volume, or they cannot be used."""


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
        self._window = window or WindowSetting()

    def promptsFor(self, volumeNode) -> PromptsFile:
        store = PromptStore(self._scene, self._segmentationNode)
        try:
            found = tuple(self._segments(store))
        finally:
            store.close()
        if not found:
            raise PromptError(
                f"'{self._segmentationNode.GetName()}' has no prompts: give points or boxes on its volume first."
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
    """Names of which none comes twice: "Cyst", "Cyst 2", ..."""
    taken: List[str] = []
    for name in names:
        number, wanted = 2, name
        while name in taken:
            name, number = f"{wanted} {number}", number + 1
        taken.append(name)
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
