"""Define what the left mouse button does in the views."""

import slicer

from ...app.session import SegmentationSession, ViewFollower, ViewTools
from ...scene.views import TOOLS
from .browserViews import BrowserViews
from .layout import Layout
from .pointer import Pointer

NAVIGATE, WINDOW = "navigate", "window"


class Tools:
    """One of ``NAVIGATE``: a click shows its place in all views; ``WINDOW``: a drag changes window and level;
    "positive", "negative" and "box": prompts, see `ViewTools`.

    The page's state has it as ``tool``.
    """

    def __init__(
        self, state, session: SegmentationSession, views: BrowserViews, layout: Layout, interactionNode
    ):
        self._state, self._layout, self._interaction = state, layout, interactionNode
        self.follower = ViewFollower(session)
        self.prompts = ViewTools(session, self.follower)
        self._pointers = [self._attach(viewport) for viewport in views]
        self.take("positive")

    def take(self, tool: str) -> None:
        """Have the left button do something else."""
        self._state.tool = tool
        modes = slicer.vtkMRMLInteractionNode
        mode = modes.AdjustWindowLevel if tool == WINDOW else modes.ViewTransform
        self._interaction.SetCurrentInteractionMode(mode)
        self.prompts.tool = tool if tool in TOOLS else None
        for pointer in self._pointers:
            pointer.isOn = tool == NAVIGATE

    def cancel(self) -> None:
        """Give up a box that is being dragged."""
        self.prompts.cancel()

    def close(self) -> None:
        for pointer in self._pointers:
            pointer.close()
        self.prompts.close()
        self.follower.close()

    def _attach(self, viewport) -> Pointer:
        interactor = viewport.view.interactor()
        self.prompts.attach(interactor, viewport.node, viewport.view.schedule_render)
        return Pointer(interactor, viewport.node, lambda ras: self._layout.point(ras, viewport.name))
