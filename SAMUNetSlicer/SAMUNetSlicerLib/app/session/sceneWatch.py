"""Says when something that a session works on disappears, before anybody uses it again."""

from typing import Callable

import slicer
import vtk

from ...scene.observers import Observers


class SceneWatch:
    """Listens to a scene and, once told, to one segmentation.  ``close`` it: VTK keeps the callbacks.

    :param onRemoved: called with a node just before it leaves the scene, and without one before all leave.
    :param onSegmentRemoved: called after a segment has left the watched segmentation.
    """

    def __init__(self, scene, onRemoved: Callable, onSegmentRemoved: Callable[[], None]):
        self._onRemoved = onRemoved
        self._onSegmentRemoved = onSegmentRemoved
        self._sceneObservers, self._segmentationObservers = Observers(), Observers()
        self._sceneObservers.add(scene, slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._onNode)
        self._sceneObservers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, self._onClosing)

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

    def _onClosing(self, *_) -> None:
        self._onRemoved()

    def _onSegment(self, *_) -> None:
        self._onSegmentRemoved()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNode(self, _scene, _event, node) -> None:
        self._onRemoved(node)
