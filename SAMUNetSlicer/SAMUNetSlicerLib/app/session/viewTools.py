"""Turn what the mouse does in slice views into prompts of a session."""

from dataclasses import dataclass
from typing import Callable, Dict, Optional, Sequence

import slicer

from ...errors import UserError
from ...events import Signal
from ...scene.geometry import SlicePlane, planeFromSliceNode
from ...scene.observers import Observers
from ...scene.prompts import hoveredBox
from ...scene.views import RAS, TOOLS, SliceMouse, ViewOutline
from .hoverPreview import HoverPreview, Place
from .session import SegmentationSession
from .viewFollower import ViewFollower

_BEFORE_THE_VIEW = 0.5


@dataclass(eq=False)
class _View:
    mouse: SliceMouse
    observers: Observers
    outline: Optional[ViewOutline] = None


class ViewTools:
    """One tool for all attached slice views; points and boxes go to the chosen segment of the session.

        tools = ViewTools(session, ViewFollower(session))
        for view in sliceViews:  # Slicer's qMRMLSliceView, or anything else that shows a slice node
            tools.attach(view.interactor(), view.mrmlSliceNode(), view.scheduleRender)
        tools.tool = "positive"  # "negative", "box", or None: the mouse is Slicer's alone
        tools.preview.isEnabled = True  # outlines under the mouse; by default only with a GPU
        ...
        tools.close()

    A click makes a positive point, with Ctrl or Alt a negative one; a drag makes a box; see `SliceMouse`.
    Delete over a box's corner removes the box, as it does with points.  What cannot be placed is said by the
    session's ``error``.

    ``toolChanged(tool)``: also when the user takes up a mouse mode of Slicer, which ends the tool.
    """

    def __init__(self, session: SegmentationSession, follower: ViewFollower):
        self.toolChanged = Signal("toolChanged")
        self.preview = HoverPreview(session)
        self._session = session
        self._follower = follower
        self._tool: Optional[str] = None
        self._views: Dict[object, _View] = {}
        self._observers = Observers()
        self._interaction = session.workspace.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
        if self._interaction is not None:
            event = self._interaction.InteractionModeChangedEvent
            self._observers.add(self._interaction, event, self._onMouseMode)

    @property
    def tool(self) -> Optional[str]:
        """Return the tool in use, one of `TOOLS`, None while the mouse is not ours."""
        return self._tool

    @tool.setter
    def tool(self, tool: Optional[str]) -> None:
        if tool not in (None, *TOOLS):
            raise ValueError(f"'{tool}' is not a tool: use {', '.join(TOOLS)} or None.")
        if tool is not None and self._interaction is not None:
            # Placing markups and window/level take every press before us.
            self._interaction.SwitchToViewTransformMode()
        if tool != self._tool:
            self._tool = tool
            for view in self._views.values():
                view.mouse.tool = tool
            self.toolChanged.emit(tool)

    def attach(self, interactor, sliceNode, requestRender: Optional[Callable[[], None]] = None) -> None:
        """Work in a slice view; attaching a view of the same slice node again replaces it.

        :param interactor, sliceNode, requestRender: see `SliceMouse`.
        """
        self.detach(sliceNode)
        mouse = SliceMouse(
            interactor,
            sliceNode,
            lambda ras, isPositive: self._onPoint(sliceNode, ras, isPositive),
            lambda corners: self._onBox(sliceNode, corners),
            lambda ras: self._onHover(sliceNode, ras),
            requestRender,
        )
        mouse.tool = self._tool
        self._views[sliceNode] = _View(mouse, Observers())
        self._views[sliceNode].observers.addFilter(interactor, "KeyPressEvent", self._onKey, _BEFORE_THE_VIEW)

    def detach(self, sliceNode) -> None:
        """Leave a view alone; nothing happens if it is not attached."""
        view = self._views.pop(sliceNode, None)
        if view is not None:
            self.preview.hover(None)
            view.observers.close()
            view.mouse.close()
            if view.outline is not None:
                view.outline.close()

    def cancel(self) -> None:
        """Give up a box that is being dragged, as Escape does."""
        for view in self._views.values():
            view.mouse.cancel()

    def close(self) -> None:
        """Leave all views alone.  May be called twice."""
        self.tool = None
        for sliceNode in list(self._views):
            self.detach(sliceNode)
        self.preview.close()
        self._observers.close()

    def _onPoint(self, sliceNode, ras: RAS, isPositive: bool) -> None:
        def add(plane: SlicePlane) -> None:
            self._session.addPoint(ras, isPositive, plane)

        self._place(sliceNode, add)

    def _onBox(self, sliceNode, corners: Sequence[RAS]) -> None:
        def add(plane: SlicePlane) -> None:
            # The image may lie askew in the view: its box is the one around what was dragged.
            pixels, _ = plane.rasToPixel(corners)
            self._session.addBox(pixels.min(axis=0), pixels.max(axis=0), plane)

        self._place(sliceNode, add)

    def _place(self, sliceNode, add: Callable[[SlicePlane], None]) -> None:
        self._follower.use(sliceNode)
        try:
            plane = planeFromSliceNode(sliceNode, self._session.workspace.requireVolume())
            self._session.setPlane(plane)
            add(plane)
        except UserError as error:
            self._session.error.emit(error)

    def _onHover(self, sliceNode, ras: Optional[RAS]) -> None:
        view = self._views[sliceNode]
        view.mouse.color = self._session.workspace.segmentColor(self._session.segmentId)
        self._session.holdPrefetching()
        if ras is not None:
            self._follower.use(sliceNode)
        self.preview.hover(self._hovered(view, ras))

    def _hovered(self, view: _View, ras: Optional[RAS]) -> Optional[Place]:
        if ras is None or self._tool == "box" or not self.preview.isActive:
            return None
        plane = self._follower.plane(view.mouse.sliceNode)
        if plane is None or not plane.contains(plane.rasToPixel([ras])[0])[0]:
            return None
        if view.outline is None:
            mouse = view.mouse
            view.outline = ViewOutline(mouse.renderer(), mouse.sliceNode, mouse.requestRender)
        return Place(plane, ras, self._tool != "negative", view.outline)

    def _onKey(self, interactor, _event) -> bool:
        workspace = self._session.workspace
        if interactor.GetKeySym() not in ("Delete", "BackSpace") or workspace.segmentationNode is None:
            return False
        promptId = hoveredBox(workspace.scene, workspace.segmentationNode)
        if promptId is None:
            return False
        self._session.removePrompt(promptId)
        return True

    def _onMouseMode(self, node, _event) -> None:
        if node.GetCurrentInteractionMode() != slicer.vtkMRMLInteractionNode.ViewTransform:
            self.tool = None
