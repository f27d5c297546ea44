"""Slicer's slice views while the module is shown: prompt tools, shown slices, preview."""

import contextlib
from typing import Callable, Optional

import slicer

from ...app.session import SegmentationSession, ViewFollower, ViewTools
from ...events import Signal


class SliceViews:
    """Works between ``enter`` and ``exit``; in another module mouse and views are that module's.

    ``toolChanged(tool)``: also when the user takes a mouse mode of Slicer instead.
    """

    def __init__(self, session: SegmentationSession):
        self.toolChanged = Signal("toolChanged")
        self.isPrefetching = True
        self.isPreviewing: Optional[bool] = None
        self._session = session
        self._manager = None
        self._follower: Optional[ViewFollower] = None
        self._tools: Optional[ViewTools] = None

    def enter(self) -> None:
        if self._tools is not None:
            return
        self._follower = ViewFollower(self._session, self.isPrefetching)
        self._tools = ViewTools(self._session, self._follower)
        self._tools.preview.isEnabled = self.isPreviewing
        self._tools.toolChanged.connect(self.toolChanged.emit)
        self._manager = slicer.app.layoutManager()  # None without a main window
        if self._manager is not None:
            self._attach()
            self._manager.connect("layoutChanged(int)", self._attach)

    def exit(self) -> None:
        """Leave the views; may be called twice."""
        if self._tools is None:
            return
        manager, tools, follower = self._manager, self._tools, self._follower
        self._tools = self._follower = self._manager = None
        tools.close()
        follower.close()
        if manager is not None:
            manager.disconnect("layoutChanged(int)", self._attach)

    def setTool(self, tool: Optional[str]) -> None:
        """Choose the tool: one of `scene.sliceMouse.TOOLS`, or None."""
        if self._tools is not None:
            self._tools.tool = tool

    def setPrefetching(self, isOn: bool) -> None:
        """Encode slices around the shown ones in idle time, or only those that are clicked on."""
        self.isPrefetching = isOn
        if self._follower is not None:
            self._follower.isPrefetching = isOn
        if not isOn:
            self._session.stopPrefetching()

    def setPreviewing(self, isOn: Optional[bool]) -> None:
        """Show what a click would do; None means where the network is quick enough."""
        self.isPreviewing = isOn
        if self._tools is not None:
            self._tools.preview.isEnabled = isOn

    def _attach(self) -> None:
        for name in self._manager.sliceViewNames():
            widget = self._manager.sliceWidget(name)
            view = widget.sliceView()
            self._tools.attach(view.interactor(), widget.mrmlSliceNode(), renderLater(view))


def renderLater(view) -> Callable[[], None]:
    """Return a function that draws a view soon; nothing happens once Qt has deleted it, as a layout does with
    its views.
    """

    def render() -> None:
        with contextlib.suppress(ValueError):  # by which PythonQt says that it is gone
            view.scheduleRender()

    return render
