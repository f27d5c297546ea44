"""Follow which prompts the scene holds, whatever anybody does to their nodes."""

import uuid
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, Optional

import slicer
import vtk

from ..geometry import SlicePlane
from ..observers import Observers
from .promptDisplay import PromptDisplay
from .promptMarkups import (
    SEGMENT,
    belongsTo,
    describe,
    placesWithoutMetadata,
    promptNodes,
    recordsOf,
    removePromptNode,
)
from .promptRecord import PromptMetadata, PromptRecord

_NODE_EVENTS = ("PointModifiedEvent", "PointPositionDefinedEvent", "PointRemovedEvent")

Records = Dict[str, PromptRecord]


class PromptWatcher:
    """Keeps the records of a segmentation's prompt nodes up to date, and what is drawn of them.

    :param report: called with (segmentId, plane) once for each slice whose prompts an event has changed.
    :param placementPlane: called when a point was placed with the mouse; the slice it was placed on, or None.
    """

    def __init__(
        self,
        scene,
        segmentationNode,
        report: Callable[[str, SlicePlane], None],
        placementPlane: Callable[[], Optional[SlicePlane]],
    ):
        self.records: Dict[object, Records] = {}
        self.nextOrder = 0
        self._scene = scene
        self._segmentationNode = segmentationNode
        self._report = report
        self._placementPlane = placementPlane
        self._display = PromptDisplay(scene, segmentationNode)
        self._silent = 0
        self._isEditing = False
        self._observers = Observers()
        self._observe()
        with self.silently():
            self._findNodes()

    def close(self) -> None:
        self._observers.close()
        self._display.close()
        self.records.clear()

    def all(self) -> Iterator[PromptRecord]:
        return (record for records in self.records.values() for record in records.values())

    def watch(self, node) -> None:
        """Follow a node of the segmentation."""
        if node not in self.records:
            for event in _NODE_EVENTS:
                self._observers.add(node, getattr(node, event), self._onPoints)
        self._refresh(node)

    @contextmanager
    def silently(self):
        """Follow changes without reporting them."""
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1

    @contextmanager
    def oneChange(self, node):
        """Take several calls on a node for one change."""
        self._isEditing = True
        try:
            yield
        finally:
            self._isEditing = False
            self._refresh(node)

    def _observe(self) -> None:
        add = self._observers.add
        add(self._segmentationNode, slicer.vtkSegmentation.SegmentRemoved, self._onSegmentRemoved)
        add(self._scene, slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)
        add(self._scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)
        add(self._scene, slicer.vtkMRMLScene.EndImportEvent, self._onImported)

    def _findNodes(self) -> None:
        for node in promptNodes(self._scene, self._segmentationNode):
            self.watch(node)

    def _refresh(self, node) -> None:
        self._assignPlaced(node)
        before = self.records.get(node, {})
        after = {record.id: _kept(before, record) for record, _ in recordsOf(node)}
        self.records[node] = after
        self._display.show(node, after.values())
        self.nextOrder = max([self.nextOrder, *(record.order + 1 for record in after.values())])
        self._reportDifference(before, after)

    def _assignPlaced(self, node) -> None:
        """Give points that were placed with the mouse the slice on which that happened."""
        places = placesWithoutMetadata(node)
        plane = self._placementPlane() if places else None
        if plane is None:
            return
        self._isEditing = True
        for place, ras in places:
            _, distance = plane.rasToPixel([ras])
            if abs(distance[0]) <= plane.thickness / 2:
                describe(place, PromptMetadata(uuid.uuid4().hex, self.nextOrder, plane))
                self.nextOrder += 1
        self._isEditing = False

    def _reportDifference(self, before: Records, after: Records) -> None:
        if self._silent:
            return
        changed = {}
        for promptId in {**before, **after}:
            old, new = before.get(promptId), after.get(promptId)
            if old is not new:
                record = new or old
                changed[record.segmentId, record.plane.signature()] = record
        for record in changed.values():
            self._report(record.segmentId, record.plane)

    def _onPoints(self, node, _event) -> None:
        if not self._isEditing and node in self.records:
            self._refresh(node)

    def _onSegmentRemoved(self, *_) -> None:
        segmentation = self._segmentationNode.GetSegmentation()
        with self.silently():
            for node in list(self.records):
                if segmentation.GetSegment(node.GetAttribute(SEGMENT)) is None:
                    removePromptNode(self._scene, node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _scene, _event, node) -> None:
        if not self._scene.IsImporting() and belongsTo(node, self._segmentationNode):
            self.watch(node)

    def _onImported(self, *_) -> None:
        self._findNodes()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, _scene, _event, node) -> None:
        if node is self._segmentationNode:
            self._onSegmentationRemoved()
        elif node in self.records:
            self._observers.drop(node)
            self._display.forget(node)
            removed = self.records.pop(node)
            if not self._scene.IsClosing():
                self._reportDifference(removed, {})

    def _onSegmentationRemoved(self) -> None:
        nodes = [] if self._scene.IsClosing() else list(self.records)
        self.close()
        for node in nodes:
            removePromptNode(self._scene, node)


def _kept(before: Records, record: PromptRecord) -> PromptRecord:
    """Return the record known already if nothing has changed: undo steps hold many, which are then the
    same.
    """
    known = before.get(record.id)
    return known if known is not None and known.sameAs(record) else record
