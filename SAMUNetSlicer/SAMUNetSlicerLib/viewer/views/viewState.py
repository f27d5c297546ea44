"""Write over each view of the page: which slice, which way up, which window."""

import numpy as np

from ...scene.geometry import displayWindow, matrixToArray
from ...scene.views import orientationLetters
from .browserViews import BrowserViews
from .viewport import Viewport


def paneKey(name: str) -> str:
    """Name of the state of one view: {"letters", "position", "low", "high", "step"}."""
    return f"pane{name}"


def offsetKey(name: str) -> str:
    """Name of the state that is the offset of the view's slice in mm, written by both sides."""
    return f"offset{name}"


class ViewState:
    """Keeps the page's texts and sliders up to date, once for each poll; ``windowText``: window and level."""

    def __init__(self, state, views: BrowserViews):
        self._state, self._views = state, views
        self._changed = set(views)
        for viewport in views:
            state[paneKey(viewport.name)], state[offsetKey(viewport.name)] = {}, 0.0
            viewport.changed.connect(self._changed.add)
            state.change(offsetKey(viewport.name))(lambda viewport=viewport, **_: self._onSlider(viewport))

    def refreshAll(self) -> None:
        self._changed.update(self._views)

    def tick(self) -> None:
        self._state.windowText = _windowText(self._views)
        for viewport in self._changed:
            self._update(viewport)
        self._changed.clear()

    def _update(self, viewport: Viewport) -> None:
        view, state = viewport.view, self._state
        low, high = view.get_slice_range()
        state[offsetKey(viewport.name)] = round(view.get_slice_value(), 3)
        state[paneKey(viewport.name)] = {
            "letters": _letters(viewport.node),
            "position": _position(viewport),
            "low": round(low, 3),
            "high": round(high, 3),
            "step": round(view.get_slice_step(), 4),
        }

    def _onSlider(self, viewport: Viewport) -> None:
        offset = float(self._state[offsetKey(viewport.name)])
        if abs(offset - viewport.view.get_slice_value()) > 1e-3:
            viewport.view.set_slice_value(offset)


def _letters(sliceNode) -> dict:
    """Return letters like `orientationLetters`; a view's y axis points up, a picture's down."""
    sliceToRAS = matrixToArray(sliceNode.GetSliceToRAS())
    return orientationLetters(sliceToRAS @ np.diag([1.0, -1.0, 1.0, 1.0]))


def _windowText(views: BrowserViews) -> str:
    volumeNode = views.volumeNode
    if volumeNode is None or volumeNode.GetDisplayNode() is None:
        return ""
    lower, upper = displayWindow(volumeNode)
    return f"W {upper - lower:.5g}  L {(lower + upper) / 2:.5g}"


def _position(viewport: Viewport) -> str:
    return f"{viewport.view.get_slice_value():.1f} mm"
