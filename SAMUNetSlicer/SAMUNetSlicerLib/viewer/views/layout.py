"""Choose which views the page shows, and what is drawn on all of them."""

import slicer

from .browserViews import COLORS, BrowserViews


class Layout:
    """Follows ``maximized`` (name of a view, or None for all four), ``hasCrosshair`` and ``hasSliceLines`` of
    the page's state.

    :param applicationLogic: of the scene, turns slice lines on in all views.
    """

    def __init__(self, state, views: BrowserViews, scene, applicationLogic):
        self._state, self._views = state, views
        self._crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        self._applicationLogic = applicationLogic
        state.update({"maximized": None, "hasCrosshair": False, "hasSliceLines": False})
        state.change("maximized")(lambda **_: self._onMaximized())
        state.change("hasCrosshair")(lambda **_: self._onCrosshair())
        state.change("hasSliceLines")(lambda **_: self._onSliceLines())
        self._onMaximized()
        self._onCrosshair()

    def toggle(self, name: str) -> None:
        """Show a view alone, or all of them again."""
        self._state.maximized = None if self._state.maximized else name

    def fit(self, name: str) -> None:
        self._views[name].fit()

    def point(self, ras, fromView: str) -> None:
        """Show a place in all views but the one it was pointed at in."""
        self._crosshair.SetCrosshairRAS(*ras)
        self._state.hasCrosshair = True
        self._views.jumpTo(ras, exceptFor=fromView)

    def _onMaximized(self) -> None:
        self._views.show([self._state.maximized] if self._state.maximized else list(COLORS))

    def _onCrosshair(self) -> None:
        modes = slicer.vtkMRMLCrosshairNode
        isOn = self._state.hasCrosshair
        self._crosshair.SetCrosshairMode(modes.ShowBasic if isOn else modes.NoCrosshair)

    def _onSliceLines(self) -> None:
        # Not the interactive lines: Slicer 5.11 loses those that end at the border of a view.
        logic = self._applicationLogic
        isOn = bool(self._state.hasSliceLines)
        logic.SetIntersectingSlicesEnabled(logic.IntersectingSlicesVisibility, isOn)
