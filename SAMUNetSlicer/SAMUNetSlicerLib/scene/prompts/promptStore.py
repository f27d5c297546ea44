"""Add, move, remove and find the prompts of a segmentation, and report their changes."""

import uuid
from typing import Callable, ContextManager, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from ...errors import InputError, PromptError
from ...events import Signal
from ..geometry import SlicePlane
from ..segments import requireSegment
from .promptDisplay import stylePrompts
from .promptMarkups import (
    KIND,
    SEGMENT,
    PromptPlace,
    addPoint,
    describe,
    makePromptNode,
    movePrompt,
    placeBox,
    recordsOf,
    removePrompt,
)
from .promptRecord import Point, PromptMetadata, PromptRecord
from .promptWatcher import PromptWatcher


class PromptStore:
    """Points and boxes of the segments of one segmentation.

    They live in markups nodes, so that they are saved with the scene, shown in the views and moved with the
    mouse; the store finds those of a scene that was loaded.  They go with their segment.  A prompt that is
    dragged off its slice stays in the store but applies to no slice until it is dragged back.

    ``changed(segmentId, plane)``: prompts of a slice were added, moved or removed, by the store's methods or
    by the user; many times during a drag.
    ``placementPlane``: called when the user has placed a point with the mouse in one of the store's lists;
    returns the slice on which that happened, or None if there is none.
    """

    def __init__(
        self,
        scene,
        segmentationNode,
        placementPlane: Optional[Callable[[], Optional[SlicePlane]]] = None,
    ):
        self.changed = Signal("changed")
        self.placementPlane = placementPlane
        self._scene = scene
        self._segmentationNode = segmentationNode
        self._watcher = PromptWatcher(scene, segmentationNode, self.changed.emit, self._placed)

    def close(self) -> None:
        """Stop listening, which VTK needs to be told; prompts stay in the scene."""
        self._watcher.close()

    def addPoint(self, segmentId: str, kind: str, ras: Sequence[float], plane: SlicePlane) -> PromptRecord:
        """Put a point on a slice.

        :param kind: "positive" or "negative".
        :param ras: world point (3,) in mm.
        :raises InputError: the segmentation or the segment is gone.
        :raises PromptError: unknown kind, or a point that is not three finite numbers.
        """
        if kind not in ("positive", "negative"):
            raise PromptError(f"'{kind}' is not a kind of point: use positive or negative.")
        return self._insertNew(segmentId, kind, [ras], plane)

    def addBox(
        self, segmentId: str, corner: Sequence[float], opposite: Sequence[float], plane: SlicePlane
    ) -> PromptRecord:
        """Put a box on a slice, its edges along the rows and columns of pixels.

        :param corner, opposite: two opposite corners, world points (3,) in mm.
        :raises InputError: the segmentation or the segment is gone.
        :raises PromptError: a corner is not three finite numbers.
        """
        return self._insertNew(segmentId, "box", [corner, opposite], plane)

    def move(self, promptId: str, *ras: Sequence[float]) -> PromptRecord:
        """Move a point, or both corners of a box.

        :raises PromptError: there is no such prompt, or the points do not fit its kind.
        """
        record, place = self._find(promptId)
        points = _checkedPoints(ras, len(record.ras))
        with self._watcher.oneChange(place.node):
            movePrompt(place, points, record.plane)
        return self._watcher.records[place.node][promptId]

    def remove(self, promptId: str) -> None:
        """Remove a prompt.

        :raises PromptError: there is no such prompt.
        """
        _, place = self._find(promptId)
        removePrompt(self._scene, place)

    def clear(self, segmentId: str, plane: Optional[SlicePlane] = None) -> None:
        """Remove all prompts of a segment, or only those that apply to a slice."""
        for record in self.prompts(segmentId) if plane is None else self.promptsFor(segmentId, plane):
            self.remove(record.id)

    def prompts(self, segmentId: str) -> List[PromptRecord]:
        """Return all prompts of a segment in the order in which they were given."""
        own = (record for record in self._watcher.all() if record.segmentId == segmentId)
        return sorted(own, key=lambda record: record.order)

    def promptsFor(self, segmentId: str, plane: SlicePlane) -> List[PromptRecord]:
        """Return the prompts that apply to a slice: same orientation, and no further from it than half a
        slice.
        """
        return [record for record in self.prompts(segmentId) if record.appliesTo(plane)]

    def planes(self, segmentId: str) -> List[SlicePlane]:
        """Return the slices on which prompts of a segment were given, in the order of their first prompts."""
        return list({record.plane.signature(): record.plane for record in self.prompts(segmentId)}.values())

    def restore(self, segmentId: str, records: Iterable[PromptRecord]) -> None:
        """Make the prompts of a segment exactly these, without emitting ``changed``.

        :param records: as ``prompts`` returned them earlier.
        :raises InputError: the segmentation or the segment is gone.
        """
        wanted = {record.id: record for record in records}
        with self.silently():
            for record in self.prompts(segmentId):
                if record.id in wanted and record.sameAs(wanted[record.id]):
                    del wanted[record.id]
                else:
                    self.remove(record.id)
            for record in wanted.values():
                self._insert(record)

    def silently(self) -> ContextManager:
        """Change prompts without emitting ``changed``."""
        return self._watcher.silently()

    def _insertNew(self, segmentId: str, kind: str, ras: List, plane: SlicePlane) -> PromptRecord:
        points = _checkedPoints(ras, len(ras))
        order = self._watcher.nextOrder
        return self._insert(PromptRecord(uuid.uuid4().hex, kind, points, plane, order, segmentId))

    def _insert(self, record: PromptRecord) -> PromptRecord:
        if not self._scene.IsNodePresent(self._segmentationNode):
            raise InputError("The segmentation is no longer in the scene: choose another one.")
        requireSegment(self._segmentationNode, record.segmentId)
        metadata = PromptMetadata(record.id, record.order, record.plane)
        node = self._nodeFor(record)
        with self._watcher.oneChange(node):
            if record.kind == "box":
                placeBox(node, record.ras, record.plane)
                describe(PromptPlace(node, None), metadata)
            else:
                addPoint(node, record.ras[0], metadata)
        return self._watcher.records[node][record.id]

    def _nodeFor(self, record: PromptRecord):
        """Return the segment's list for points of one orientation, as views show lists; a new node for a
        box.
        """
        wanted = (record.kind, record.segmentId)
        for node, records in self._watcher.records.items() if record.kind != "box" else ():
            isWanted = (node.GetAttribute(KIND), node.GetAttribute(SEGMENT)) == wanted
            if isWanted and all(record.hasOrientationOf(other) for other in records.values()):
                return node
        node = makePromptNode(self._scene, self._segmentationNode, record.segmentId, record.kind)
        stylePrompts(node)
        self._watcher.watch(node)
        return node

    def _find(self, promptId: str) -> Tuple[PromptRecord, PromptPlace]:
        for node, records in self._watcher.records.items():
            if promptId in records:
                return next(found for found in recordsOf(node) if found[0].id == promptId)
        raise PromptError("The prompt is no longer there: it was removed meanwhile.")

    def _placed(self) -> Optional[SlicePlane]:
        return self.placementPlane() if self.placementPlane is not None else None


def _checkedPoints(points: Sequence, count: int) -> Tuple[Point, ...]:
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array([])
    if array.shape != (count, 3) or not np.isfinite(array).all():
        raise PromptError(f"The prompt needs {count} point(s) of three finite numbers each (R, A, S).")
    return tuple(map(tuple, array.tolist()))
