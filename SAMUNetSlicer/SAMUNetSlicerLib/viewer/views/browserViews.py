"""Show the four slice views of the page."""

from typing import Callable, Dict, Iterable

import slicer
from trame_slicer.rca_view.rca_view_factory import RemoteSliceViewFactory
from trame_slicer.views import ViewLayoutDefinition

from ...app.files import SceneHost
from .viewport import Viewport

# The names and colors of Slicer's own views.
COLORS = {"Red": "#F34A33", "Yellow": "#EFD64D", "Green": "#6DAD4A", "Oblique": "#B58CE6"}
TITLES = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal", "Oblique": "Oblique"}

_FRAMES_PER_SECOND = 25.0
_SECONDS_BETWEEN_EVENTS = 0.015


class BrowserViews:
    """Axial, sagittal, coronal and oblique view of one scene.

    :param fillPane: called with (name) where the elements over a view's picture are to be made.
    """

    def __init__(self, server, host: SceneHost, fillPane: Callable[[str], None]):
        self.volumeNode = None
        self._host = host
        _addCrosshair(host.scene)
        self._factory = RemoteSliceViewFactory(
            server,
            target_fps=_FRAMES_PER_SECOND,
            rca_event_throttle_s=_SECONDS_BETWEEN_EVENTS,
            populate_view_ui_f=lambda _server, _viewId, view: fillPane(view.name),
        )
        self._viewports: Dict[str, Viewport] = {name: self._make(name) for name in COLORS}

    def __iter__(self):
        return iter(self._viewports.values())

    def __getitem__(self, name: str) -> Viewport:
        return self._viewports[name]

    def show(self, names: Iterable[str]) -> None:
        """Have these views in the layout, and no other."""
        for viewport in self:
            viewport.setShown(viewport.name in names)

    def setVolume(self, volumeNode) -> None:
        self.volumeNode = volumeNode
        for viewport in self:
            viewport.setVolume(volumeNode)

    def jumpTo(self, ras, exceptFor: str = "") -> None:
        """Scroll the views to the slices through a world point."""
        for viewport in self:
            if viewport.name != exceptFor:
                viewport.node.JumpSliceByOffsetting(*ras)

    def close(self) -> None:
        for viewport in self:
            viewport.close()

    def _make(self, name: str) -> Viewport:
        orientation = "Axial" if name == "Oblique" else TITLES[name]
        definition = ViewLayoutDefinition.slice_view(orientation, label=name, color=COLORS[name])
        view = self._factory.create_view(definition, self._host.scene, self._host.applicationLogic)
        return Viewport(name, view, self._factory.get_factory_view(name).view_adapter)


def _addCrosshair(scene) -> None:
    node = slicer.vtkMRMLCrosshairNode()
    node.SetCrosshairName("default")
    scene.AddNode(node)
