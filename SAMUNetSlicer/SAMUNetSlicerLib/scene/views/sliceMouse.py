"""Turn the mouse on a slice view into prompts: a click is a point, a drag is a box."""

from dataclasses import dataclass
from typing import Callable, Optional, Sequence, Tuple

import numpy as np
import slicer

from ..observers import Observers
from .viewOutline import ViewOutline, pixelScale

TOOLS = ("positive", "negative", "box")

RAS = Tuple[float, float, float]
_Pixel = Tuple[int, int]

# Between Segment Editor effects (1), which go before us, and the displayable managers of the view (0).
_BEFORE_THE_VIEW = 0.5
_AFTER_THE_VIEW = -0.5

# A press and release no further apart than this are a click, in logical pixels.
_CLICK_TOLERANCE = 4.0

_WHITE = (1.0, 1.0, 1.0)


@dataclass
class _Gesture:
    """From press to release.

    ``isClickOnly``: a drag belongs to the view; ``isIgnored``: nothing comes of it.
    """

    start: _Pixel
    isPositive: bool = True
    isDrag: bool = False
    isClickOnly: bool = False
    isIgnored: bool = False


class SliceMouse:
    """Watches the left button on one slice view and calls back with world positions; nothing else is taken.

    Presses on markups, slice intersections and other things that the view's displayable managers react to
    remain theirs, and so do placing of markups, window/level mode, wheel, right and middle button, and Shift.
    With Ctrl or Alt a click is negative whatever the tool; Ctrl and drag still blends layers.  Escape gives
    up a box.  A double click counts as one click and does not maximize the view.

        mouse = SliceMouse(view.interactor(), sliceNode, onPoint, onBox, requestRender=view.scheduleRender)
        mouse.tool = "positive"  # or "negative", "box"; None: the mouse is Slicer's alone
        mouse.color = segment.GetColor()  # of the box that is being dragged
        ...
        mouse.close()

    ``onPoint(ras, isPositive)``: (R, A, S) in mm where the button went down;
    ``onBox(corners)``: four world points around the dragged rectangle;
    ``onHover(ras)``: the mouse moves over the view with no button down; None when that ends.

    Most front ends use `app.sliceTools`, which makes prompts of a session of these.

    :param interactor: vtkRenderWindowInteractor of the view.
    :param sliceNode: vtkMRMLSliceNode that the view shows.
    :param requestRender: draws the view soon; by default it is drawn at once.
    """

    def __init__(
        self,
        interactor,
        sliceNode,
        onPoint: Callable[[RAS, bool], None],
        onBox: Callable[[Sequence[RAS]], None],
        onHover: Optional[Callable[[Optional[RAS]], None]] = None,
        requestRender: Optional[Callable[[], None]] = None,
    ):
        self.sliceNode = sliceNode
        self.interactor = interactor
        self.requestRender = requestRender or interactor.Render
        self.color = _WHITE
        self._onPoint, self._onBox, self._onHover = onPoint, onBox, onHover
        self._tool: Optional[str] = None
        self._gesture: Optional[_Gesture] = None
        self._lastClick: Optional[_Pixel] = None
        self._isHeld = self._isHovering = False
        self._band: Optional[ViewOutline] = None
        self._observers = Observers()
        self._observe()

    @property
    def tool(self) -> Optional[str]:
        """Return one of ``TOOLS``, None while the mouse is not ours."""
        return self._tool

    @tool.setter
    def tool(self, tool: Optional[str]) -> None:
        self.cancel()
        self._endHover()
        self._tool = tool

    @property
    def isDragging(self) -> bool:
        """Tell whether a box is being drawn."""
        return self._gesture is not None and self._gesture.isDrag

    def cancel(self) -> None:
        """Give up the box that is being drawn; the rest of the drag does nothing."""
        if self._gesture is not None:
            self._gesture = _Gesture(self._gesture.start, isIgnored=True)
        self._removeBand()

    def close(self) -> None:
        """Leave the view alone.  May be called twice."""
        self._observers.close()
        self._removeBand()
        self._gesture, self._tool = None, None

    def renderer(self):
        """Return the renderer under the mouse."""
        return self.interactor.FindPokedRenderer(*self.interactor.GetEventPosition())

    def _observe(self) -> None:
        def add(event, method, priority=_BEFORE_THE_VIEW):
            self._observers.addFilter(self.interactor, event, method, priority)

        add("LeftButtonPressEvent", self._onPress)
        add("LeftButtonPressEvent", self._onFreePress, _AFTER_THE_VIEW)
        add("LeftButtonDoubleClickEvent", self._onDoubleClick)
        add("MouseMoveEvent", self._onMove)
        add("LeftButtonReleaseEvent", self._onRelease)
        add("KeyPressEvent", self._onKey)
        add("LeaveEvent", self._onLeave)
        for button in ("Middle", "Right"):
            add(f"{button}ButtonPressEvent", self._onOtherPress)
            add(f"{button}ButtonReleaseEvent", self._onOtherRelease)

    def _onPress(self, *_) -> bool:
        """See each press first, but take only those that mean a negative point."""
        self._hold()
        if self._tool is None or not self._isNegativeModifier():
            return False
        self._gesture = _Gesture(self._position(), isPositive=False, isClickOnly=True)
        return True

    def _onFreePress(self, *_) -> bool:
        """Take a press that nothing in the view has reacted to."""
        if self._tool is None or self._modifiers() != (0, 0, 0):
            return False
        self._gesture = _Gesture(self._position(), isPositive=self._tool != "negative")
        return True

    def _onDoubleClick(self, *_) -> bool:
        # Windows send it in place of the second press.
        self._hold()
        if self._tool is None or self._lastClick is None or self._isFar(self._lastClick):
            return False
        self._gesture = _Gesture(self._position(), isIgnored=True)
        return True

    def _onMove(self, *_) -> bool:
        gesture = self._gesture
        if gesture is None:
            self._hover()
            return False
        if gesture.isIgnored:
            return True
        if not gesture.isDrag and self._isFar(gesture.start):
            if gesture.isClickOnly:
                self._giveToTheView(gesture)
                return False
            gesture.isDrag = True
        if gesture.isDrag:
            self._showBand(gesture)
        return True

    def _onRelease(self, *_) -> bool:
        gesture, self._gesture = self._gesture, None
        self._isHeld = False
        if gesture is None:
            return False
        self._removeBand()
        if gesture.isDrag:
            self._onBox(self._corners(gesture))
        elif not gesture.isIgnored and (self._tool != "box" or gesture.isClickOnly):
            self._lastClick = gesture.start
            self._onPoint(self._ras(gesture.start), gesture.isPositive)
        return True

    def _onKey(self, *_) -> bool:
        if self.interactor.GetKeySym() != "Escape" or not self.isDragging:
            return False
        self.cancel()
        return True

    def _onLeave(self, *_) -> None:
        self._endHover()

    def _onOtherPress(self, *_) -> None:
        self._hold()

    def _onOtherRelease(self, *_) -> None:
        self._isHeld = False

    def _hold(self) -> None:
        self._isHeld = True
        self._endHover()

    def _hover(self) -> None:
        if self._onHover is not None and self._tool is not None and not self._isHeld:
            self._isHovering = True
            self._onHover(self._ras(self._position()))

    def _endHover(self) -> None:
        if self._isHovering:
            self._isHovering = False
            self._onHover(None)

    def _giveToTheView(self, gesture: _Gesture) -> None:
        """Let the view have the press after all, and the moves that follow it."""
        tool, self._tool, self._gesture = self._tool, None, None
        position = self._position()
        self.interactor.SetEventPosition(*gesture.start)
        self.interactor.InvokeEvent("LeftButtonPressEvent")
        self.interactor.SetEventPosition(*position)
        self._tool = tool

    def _showBand(self, gesture: _Gesture) -> None:
        if self._band is None:
            self._band = ViewOutline(self.renderer(), self.sliceNode, self.requestRender)
        self._band.show([self._corners(gesture)], self.color)

    def _removeBand(self) -> None:
        if self._band is not None:
            self._band.clear()
            self._band.close()
            self._band = None

    def _corners(self, gesture: _Gesture) -> Sequence[RAS]:
        (x0, y0), (x1, y1) = gesture.start, self._position()
        return [self._ras(corner) for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]

    def _ras(self, position: _Pixel) -> RAS:
        xyz = [0.0, 0.0, 0.0]
        manager = slicer.vtkMRMLAbstractSliceViewDisplayableManager
        manager.ConvertDeviceToXYZ(self.interactor, self.sliceNode, *position, xyz)
        return self.sliceNode.GetXYToRAS().MultiplyPoint((*xyz, 1.0))[:3]

    def _position(self) -> _Pixel:
        return self.interactor.GetEventPosition()

    def _isFar(self, position: _Pixel) -> bool:
        away = np.hypot(*np.subtract(position, self._position()))
        return bool(away > _CLICK_TOLERANCE * pixelScale(self.interactor.GetRenderWindow()))

    def _modifiers(self) -> Tuple[int, int, int]:
        interactor = self.interactor
        return interactor.GetControlKey(), interactor.GetAltKey(), interactor.GetShiftKey()

    def _isNegativeModifier(self) -> bool:
        # Ctrl and Alt together rotate slice intersections.
        control, alt, shift = self._modifiers()
        return bool(control) != bool(alt) and not shift
