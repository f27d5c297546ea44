"""Follow the slices that the user looks at: prompts go there, and slices near them are encoded ahead."""

import time
from typing import Dict, Optional

import slicer
import vtk

from ...errors import UserError
from ...events import Signal
from ...scene.geometry import SlicePlane, planeFromSliceNode, volumeSignature
from ...scene.observers import Observers
from ...scene.sceneNodes import nodesOfClass
from .session import SegmentationSession

# Scrolling passes slices faster than they can be encoded: wait until it ends, seconds.
_SCROLLING_ENDS_AFTER = 0.3


class ViewFollower:
    """Follows all slice views that the layout shows; the view that was used last sets the session's slice.

    A view is used when the mouse moves over it, and when it is scrolled or turned while the mouse is in none.
    Slices around all shown ones are encoded in idle time, those of the used view first.

        follower = ViewFollower(session)  # when the front end is entered
        follower.planeChanged.connect(lambda sliceNode, plane: ...)
        follower.plane(sliceNode)  # the volume's slice that a view shows
        follower.use(sliceNode)  # only in front ends without Slicer's crosshair node
        follower.close()  # when it is left: nothing is encoded any more

    ``planeChanged(sliceNode, SlicePlane or None)``: a shown view shows another slice of the volume, or none.

    :param isPrefetching: False encodes nothing ahead; may be set later.
    """

    def __init__(self, session: SegmentationSession, isPrefetching: bool = True, clock=time.monotonic):
        self.planeChanged = Signal("planeChanged")
        self._isPrefetching = isPrefetching
        self._session = session
        self._clock = clock
        self._planes: Dict[object, Optional[SlicePlane]] = {}
        self._usedNode = None
        self._isChanged = True
        self._volumeState: Optional[tuple] = None
        self._wanted: Optional[tuple] = None
        self._prefetchAt: Optional[float] = None
        self._observers = Observers()
        self._observe(session.workspace.scene)
        session.polled.connect(self._update)
        session.statusChanged.connect(self._onSession)
        session.engineChanged.connect(self._onSession)
        self._update()

    @property
    def isPrefetching(self) -> bool:
        return self._isPrefetching

    @isPrefetching.setter
    def isPrefetching(self, isOn: bool) -> None:
        self._isPrefetching = isOn
        self._wanted, self._isChanged = None, True

    @property
    def usedNode(self):
        """Return the slice node that was used last, None if there is no slice view."""
        return self._usedNode

    def plane(self, sliceNode) -> Optional[SlicePlane]:
        """Return the slice of the volume that a view shows now, None if it shows none."""
        try:
            return planeFromSliceNode(sliceNode, self._session.workspace.requireVolume())
        except UserError:
            return None

    def use(self, sliceNode) -> None:
        """Say that the user works in this view."""
        if sliceNode is not self._usedNode:
            self._usedNode = sliceNode
            self._isChanged = True

    def close(self) -> None:
        """Stop following and encoding ahead.  May be called twice."""
        self._observers.close()
        self._session.polled.disconnect(self._update)
        self._session.statusChanged.disconnect(self._onSession)
        self._session.engineChanged.disconnect(self._onSession)
        self._session.stopPrefetching()
        self._planes.clear()

    def _observe(self, scene) -> None:
        add = self._observers.add
        add(scene, slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)
        add(scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)
        for className in ("vtkMRMLSliceNode", "vtkMRMLCrosshairNode"):
            for node in nodesOfClass(scene, className):
                self._follow(node)

    def _follow(self, node) -> None:
        if node.IsA("vtkMRMLSliceNode"):
            self._observers.add(node, vtk.vtkCommand.ModifiedEvent, self._onView)
            self._planes[node] = None
            self._isChanged = True
        elif node.IsA("vtkMRMLCrosshairNode"):
            self._observers.add(node, node.CursorPositionModifiedEvent, self._onCursor)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _scene, _event, node) -> None:
        self._follow(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, _scene, _event, node) -> None:
        if self._planes.pop(node, self) is not self:
            self._observers.drop(node)
            self._isChanged = True

    def _onView(self, node, _event) -> None:
        self._isChanged = True
        if not self._isMouseInView():
            self._usedNode = node

    def _onCursor(self, crosshairNode, _event) -> None:
        sliceNode = crosshairNode.GetCursorPositionXYZ([0.0, 0.0, 0.0])
        if sliceNode is not None:
            self.use(sliceNode)

    def _isMouseInView(self) -> bool:
        crosshair = self._session.workspace.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        return crosshair is not None and crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0]) is not None

    def _onSession(self, *_) -> None:
        self._isChanged = True

    def _update(self) -> None:
        """Do once for each poll what the views' many events ask for."""
        state = self._stateOfVolume()
        if self._isChanged or state != self._volumeState:
            self._isChanged, self._volumeState = False, state
            self._findPlanes()
            self._setPlane()
            self._planPrefetch()
        if self._prefetchAt is not None and self._clock() >= self._prefetchAt:
            self._prefetch()

    def _stateOfVolume(self) -> Optional[tuple]:
        """Return what the images depend on besides the planes, None while there is nothing to encode."""
        try:
            volumeNode = self._session.workspace.requireVolume()
            return volumeSignature(volumeNode), self._session.workspace.window()
        except UserError:
            return None

    def _findPlanes(self) -> None:
        for node, known in self._planes.items():
            plane = self.plane(node) if node.IsViewVisibleInLayout() else None
            if _signature(plane) != _signature(known):
                self._planes[node] = plane
                self.planeChanged.emit(node, plane)
        if self._usedNode not in self._planes or not self._usedNode.IsViewVisibleInLayout():
            self._usedNode = next((node for node, plane in self._planes.items() if plane is not None), None)

    def _setPlane(self) -> None:
        plane = self._planes.get(self._usedNode)
        if _signature(plane) != _signature(self._session.plane):
            self._session.setPlane(plane)
            self._isChanged = False

    def _planPrefetch(self) -> None:
        signatures = tuple(_signature(plane) for plane in self._shown())
        wanted = (self._volumeState, signatures, self._session.segmentationNode, self._session.engine.status)
        if wanted != self._wanted:
            self._wanted = wanted
            self._session.stopPrefetching()
            self._prefetchAt = self._clock() + _SCROLLING_ENDS_AFTER

    def _prefetch(self) -> None:
        shown = self._shown()
        if not shown or not self._isPrefetching or self._session.engine.status is None:
            self._prefetchAt = None
        elif not self._session.isBusy:
            self._prefetchAt = None
            self._session.prefetch(*shown)

    def _shown(self) -> list:
        """Return the planes of all shown views, that of the used one first."""
        order = sorted(self._planes, key=lambda node: node is not self._usedNode)
        return [self._planes[node] for node in order if self._planes[node] is not None]


def _signature(plane: Optional[SlicePlane]) -> Optional[str]:
    return None if plane is None else plane.signature()
