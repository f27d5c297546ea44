"""Show the place under the mouse in the other views while the left button is held."""

from typing import Callable

import slicer

from ...scene.observers import Observers

# After the view's own displayable managers (0): their handles come first.
_AFTER_THE_VIEW = -0.5


class Pointer:
    """Calls ``onPoint(ras)`` while the left button is down in a view; only while ``isOn``."""

    def __init__(self, interactor, sliceNode, onPoint: Callable):
        self.isOn = False
        self._interactor, self._sliceNode, self._onPoint = interactor, sliceNode, onPoint
        self._isDown = False
        self._observers = Observers()
        for event, method in (
            ("LeftButtonPressEvent", self._onPress),
            ("MouseMoveEvent", self._onMove),
            ("LeftButtonReleaseEvent", self._onRelease),
        ):
            self._observers.addFilter(interactor, event, method, _AFTER_THE_VIEW)

    def close(self) -> None:
        self._observers.close()

    def _onPress(self, *_) -> bool:
        interactor = self._interactor
        hasModifier = interactor.GetControlKey() or interactor.GetShiftKey() or interactor.GetAltKey()
        self._isDown = self.isOn and not hasModifier
        return self._onMove()

    def _onMove(self, *_) -> bool:
        if self._isDown:
            self._onPoint(self._ras())
        return self._isDown

    def _onRelease(self, *_) -> bool:
        wasDown, self._isDown = self._isDown, False
        return wasDown

    def _ras(self):
        xyz = [0.0, 0.0, 0.0]
        convert = slicer.vtkMRMLAbstractSliceViewDisplayableManager.ConvertDeviceToXYZ
        convert(self._interactor, self._sliceNode, *self._interactor.GetEventPosition(), xyz)
        return self._sliceNode.GetXYToRAS().MultiplyPoint((*xyz, 1.0))[:3]
