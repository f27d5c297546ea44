"""Choose which volume is segmented, and into which segmentation."""

from typing import Iterator

import slicer
import vtk

from ...app.session import SegmentationSession
from ...scene.observers import Observers
from ...scene.sceneNodes import nodesOfClass
from ..parts import StatusLine


class NodesSection:
    """Keeps the two node selectors and the session the same, whichever changes first."""

    def __init__(self, ui, session: SegmentationSession, status: StatusLine):
        self._ui, self._session, self._status = ui, session, status
        self._isHeld = self._isWatching = self._isExpecting = False
        self._worked = session.volumeNode
        self._observers = Observers()
        self._observers.add(session.workspace.scene, slicer.vtkMRMLScene.NodeAddedEvent, self._onAdded)
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onVolume)
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onSegmentation)
        session.statusChanged.connect(self.refresh)

    def watch(self, isShown: bool) -> None:
        """Choose the volume that slice views show, now and later when one is loaded; or stop that."""
        self._isWatching = self._isExpecting = isShown
        self.tick()

    def tick(self) -> None:
        """Choose a volume that was loaded, once slice views show it; does nothing where one is chosen."""
        if not self._isExpecting or self._isHeld:
            return
        if self._session.volumeNode is None:
            shown = next(_shownVolumes(self._session.workspace.scene), None)
            if shown is None:
                return
            self._ui.volumeSelector.setCurrentNode(shown)
        self._isExpecting = False

    def close(self) -> None:
        self._observers.close()

    def hold(self) -> None:
        """Believe the selectors no more: while a scene is imported they have no rows, and then new ones."""
        self._isHeld = True

    def release(self) -> None:
        """Let the selectors show again what is worked on, and believe them."""
        self.refresh()
        self._isHeld = False

    def refresh(self) -> None:
        session, ui = self._session, self._ui
        if session.volumeNode is not self._worked:
            self._worked = session.volumeNode
            self._status.say("")  # what was said was about another volume
        _show(ui.volumeSelector, session.volumeNode)
        _show(ui.segmentationSelector, session.segmentationNode)
        ui.sampleButton.visible = session.volumeNode is None

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onAdded(self, _scene, _event, node) -> None:
        if node.IsA("vtkMRMLVolumeNode"):
            self._isExpecting = self._isWatching

    def _onVolume(self, node) -> None:
        if not self._isHeld and node is not self._session.volumeNode:
            # Setting the same one again would forget undo steps and the shown slice.
            self._status.attempt(self._session.setVolume, node)
            if node is not None and node not in _shownVolumes(self._session.workspace.scene):
                slicer.util.setSliceViewerLayers(background=node, fit=True)

    def _onSegmentation(self, node) -> None:
        if not self._isHeld and node is not self._session.segmentationNode:
            self._status.attempt(self._session.setSegmentation, node)


def _shownVolumes(scene) -> Iterator:
    """Return the volumes in the background of slice views."""
    for view in nodesOfClass(scene, "vtkMRMLSliceCompositeNode"):
        if view.GetBackgroundVolumeID():
            yield scene.GetNodeByID(view.GetBackgroundVolumeID())


def _show(selector, node) -> None:
    if selector.currentNode() is not node:
        selector.setCurrentNode(node)
