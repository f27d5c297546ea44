"""Make the 3D surface of a segmentation again once the user pauses."""

import time

from ...scene.segments import isClosedSurfaceSuspended, restoreClosedSurface
from .workspace import Workspace

# Meshing takes up to seconds: not between two clicks, but soon after the last one.
_QUIET_SECONDS = 1.5


class SurfaceRefresh:
    """Writing a mask takes a shown 3D surface away (`scene.closedSurface`); this brings it back."""

    def __init__(self, workspace: Workspace, clock=time.monotonic):
        self._workspace = workspace
        self._clock = clock
        self._touchedAt = clock()

    def touch(self) -> None:
        """Note that the user is at work."""
        self._touchedAt = self._clock()

    def tick(self, isBusy: bool) -> None:
        """Make the surface again if nothing has happened for a while."""
        if isBusy:
            self.touch()
        elif self._clock() - self._touchedAt >= _QUIET_SECONDS:
            self.restore()

    def restore(self) -> None:
        """Make the surface again now, if one was taken away."""
        node = self._workspace.segmentationNode
        if (
            node is None
            or not isClosedSurfaceSuspended(node)
            or not self._workspace.scene.IsNodePresent(node)
        ):
            return
        restoreClosedSurface(node)
