"""Hold what a session works on: a volume, a segmentation, and how masks get from the one into the other."""

from typing import Callable, Iterator, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import slicer
import vtk

from ...engine.windowing import AUTOMATIC, WindowSetting
from ...errors import InputError
from ...events import Signal
from ...scene.geometry import SlicePlane
from ...scene.history import History
from ...scene.observers import Observers
from ...scene.prompts import PromptStore, promptNodes, removePromptNode
from ...scene.segments import POLICIES, Change, SegmentWriter, newSegment
from .provenance import ProvenanceTags
from .sliceImages import SliceImages, WindowChoice, resolveWindow


class Target(NamedTuple):
    """One segment on one slice: what a prompt belongs to and what a mask is predicted for."""

    segmentId: str
    plane: SlicePlane

    @property
    def key(self) -> Tuple[str, str]:
        """Return a key that is equal for the same segment on the same slice."""
        return self.segmentId, self.plane.signature()


class Workspace:
    """The nodes in use; ``prompts``, ``provenance`` and ``history`` are those of the segmentation.

    ``windowChoice``: how intensities become gray levels; ``policy``: towards other segments, see
    `SegmentWriter.writeMask`.

    ``promptsChanged(segmentId, plane)``: see `PromptStore`; of whichever segmentation is in use.

    :param placementPlane: see `PromptStore`.
    """

    def __init__(self, scene, placementPlane: Callable[[], Optional[SlicePlane]]):
        self.scene = scene
        self.writer = SegmentWriter(scene)
        self.images = SliceImages()
        self.volumeNode = None
        self.segmentationNode = None
        self.prompts: Optional[PromptStore] = None
        self.provenance: Optional[ProvenanceTags] = None
        self.history: Optional[History] = None
        self.windowChoice: WindowChoice = AUTOMATIC
        self.policy = POLICIES[0]
        self.promptsChanged = Signal("promptsChanged")
        self._placementPlane = placementPlane

    def useVolume(self, volumeNode) -> None:
        self.volumeNode = volumeNode
        self.images.clear()

    def useSegmentation(self, segmentationNode) -> None:
        """Work on another segmentation, or on none; prompts and masks of the one before stay in the scene."""
        if self.prompts is not None:
            self.prompts.close()
        self.segmentationNode = segmentationNode
        self.prompts = self.provenance = self.history = None
        if segmentationNode is not None:
            self.prompts = PromptStore(self.scene, segmentationNode, self._placementPlane)
            self.prompts.changed.connect(self.promptsChanged.emit)
            self.provenance = ProvenanceTags(segmentationNode)
            self.history = History(segmentationNode, self.writer, self.prompts)

    def removePromptsOf(self, node) -> None:
        """Let the prompts leave the scene with the segmentation in use; of None nothing is removed."""
        if node is not None and node is self.segmentationNode:
            for promptNode in promptNodes(self.scene, node):
                removePromptNode(self.scene, promptNode)

    def addSegmentation(self):
        """Add an empty segmentation for the volume, moving with it, to the scene."""
        volumeNode = self.requireVolume()
        name = f"{volumeNode.GetName()} segmentation"
        node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.CreateDefaultDisplayNodes()
        # The transform first: the geometry is taken over relative to it.
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        return node

    def addSegment(self, name: str, color, terminology) -> str:
        """Add an empty segment, see `segments.newSegment`; without a name it is numbered."""
        node = self.requireSegmentation()
        name = name or f"Segment_{node.GetSegmentation().GetNumberOfSegments() + 1}"
        return newSegment(node, name, color, terminology)

    def window(self) -> WindowSetting:
        """Return the window in force now."""
        return resolveWindow(self.requireVolume(), self.windowChoice)

    def requireVolume(self):
        """Return the chosen volume.

        :raises InputError: no volume is chosen, or it is gone.
        """
        if self.volumeNode is None or not self.scene.IsNodePresent(self.volumeNode):
            raise InputError("There is no volume to segment: choose one.")
        return self.volumeNode

    def requireSegmentation(self):
        """Return the chosen segmentation.

        :raises InputError: no segmentation is chosen, or it is gone.
        """
        if self.segmentationNode is None or not self.scene.IsNodePresent(self.segmentationNode):
            raise InputError("There is no segmentation to write to: choose one or make a new one.")
        return self.segmentationNode

    def requirePrompts(self) -> PromptStore:
        """Return the prompts of the chosen segmentation.

        :raises InputError: no segmentation is chosen, or it is gone.
        """
        self.requireSegmentation()
        return self.prompts

    def hasSegment(self, segmentId: Optional[str]) -> bool:
        if self.segmentationNode is None or segmentId is None:
            return False
        return self.segmentationNode.GetSegmentation().GetSegment(segmentId) is not None

    def segmentColor(self, segmentId: Optional[str]) -> Tuple[float, float, float]:
        """Return (r, g, b) in [0, 1] of a segment, white without one."""
        if not self.hasSegment(segmentId):
            return (1.0, 1.0, 1.0)
        return self.segmentationNode.GetSegmentation().GetSegment(segmentId).GetColor()

    def readMask(self, target: Target) -> np.ndarray:
        """Return the segment on the slice as it is now, bool (H, W)."""
        return self.writer.readMask(self.segmentationNode, target.segmentId, target.plane)

    def writeMask(self, target: Target, mask: np.ndarray) -> Change:
        """Make a slice of a segment exactly this mask, as the policy towards other segments allows.

        :param mask: (H, W) bool.
        :raises InputError: a node or the segment is gone.
        """
        return self.writer.writeMask(
            self.segmentationNode, *target, mask, self.volumeNode, policy=self.policy
        )

    def writeMasks(
        self, segmentId: str, masks: Sequence[Tuple[SlicePlane, np.ndarray]], kept: Sequence[SlicePlane]
    ) -> Iterator[Optional[Change]]:
        """Make parallel slices of a segment exactly these masks, see `SegmentWriter.writeMasks`.

        :raises InputError: a node or the segment is gone.
        """
        return self.writer.writeMasks(
            self.segmentationNode, segmentId, masks, self.volumeNode, policy=self.policy, kept=kept
        )


class SceneWatch:
    """Listens to a scene and, once told, to one segmentation.  ``close`` it: VTK keeps the callbacks.

    :param onRemoved: called with a node just before it leaves the scene, and without one before all leave.
    :param onSegmentRemoved: called after a segment has left the watched segmentation.
    :param onSaving: called before the scene is saved.
    """

    def __init__(
        self,
        scene,
        onRemoved: Callable,
        onSegmentRemoved: Callable[[], None],
        onSaving: Callable[[], None],
    ):
        self._onRemoved = onRemoved
        self._onSaving = onSaving
        self._onSegmentRemoved = onSegmentRemoved
        self._sceneObservers, self._segmentationObservers = Observers(), Observers()
        self._sceneObservers.add(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._onNode)
        self._sceneObservers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, self._onClosing)
        self._sceneObservers.add(scene, slicer.vtkMRMLScene.StartSaveEvent, self._onStartSave)

    def watchSegmentation(self, segmentationNode) -> None:
        """Listen to this segmentation (or none) in place of the one before."""
        self._segmentationObservers.close()
        if segmentationNode is not None:
            self._segmentationObservers.add(
                segmentationNode, slicer.vtkSegmentation.SegmentRemoved, self._onSegment
            )

    def close(self) -> None:
        self._sceneObservers.close()
        self._segmentationObservers.close()

    def _onStartSave(self, *_) -> None:
        self._onSaving()

    def _onClosing(self, *_) -> None:
        self._onRemoved()

    def _onSegment(self, *_) -> None:
        self._onSegmentRemoved()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNode(self, _scene, _event, node) -> None:
        self._onRemoved(node)
