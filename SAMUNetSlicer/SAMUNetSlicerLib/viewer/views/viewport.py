"""Draw one of Slicer's slice views here and send it to the page as pictures."""

import slicer
import vtk

from ...events import Signal
from ...scene.observers import Observers

# While something moves, a coarser picture arrives sooner.
_MOVING_QUALITY, _STILL_QUALITY = 70, 95


class Viewport:
    """A slice view and how the volume fits into it.

    ``changed(viewport)``: another slice, orientation, field of view or size.

    :param view: `trame_slicer.views.SliceView`.
    :param adapter: what sends its pictures, `trame_rca.utils.RcaViewAdapter`.
    """

    def __init__(self, name: str, view, adapter):
        self.changed = Signal("view changed")
        self.name, self.view, self.adapter = name, view, adapter
        self.node = view.get_view_node()
        self._isFitted = False
        self._isFitting = False
        # Smoothing costs ten times as much as drawing where no GPU does it.
        view.render_window().SetMultiSamples(0)
        adapter.update_quality(_MOVING_QUALITY, _STILL_QUALITY)
        view.set_ruler(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
        self._observers = Observers()
        self._observers.add(view.interactor(), vtk.vtkCommand.WindowResizeEvent, self._onResized)
        self._observers.add(self.node, vtk.vtkCommand.ModifiedEvent, self._onNode)

    @property
    def isShown(self) -> bool:
        return bool(self.node.IsViewVisibleInLayout())

    def setShown(self, isShown: bool) -> None:
        """Have the view in the layout or not; what is not there is not drawn."""
        self.view.set_mapped_in_layout(isShown)
        self.view.set_render_blocked(not isShown)

    def setVolume(self, volumeNode) -> None:
        """Show a volume along its own axes."""
        self.view.set_background_volume_id(volumeNode.GetID())
        self.view.reset_view()
        self.fit()

    def fit(self) -> None:
        """Show all of the volume; that stays so when the view's size changes, until the user zooms."""
        self._isFitting = True
        self.view.fit_view_to_content()
        self._isFitting, self._isFitted = False, True
        self.view.schedule_render()

    def close(self) -> None:
        self._observers.close()
        self.view.set_background_volume_id(None)
        self.view.finalize()

    def _onResized(self, *_) -> None:
        if self._isFitted:
            self.fit()

    def _onNode(self, *_) -> None:
        self.changed.emit(self)
