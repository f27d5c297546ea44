"""Turn the oblique view by two angles out of the volume's own axial slice."""

from typing import Optional

import numpy as np
import vtk

from ...scene.geometry import matrixToArray
from .viewport import Viewport

_KEYS = ("obliqueTilt", "obliqueTurn")
_LARGEST_ANGLE = 90


class Oblique:
    """Turns a view by ``obliqueTilt`` (about its left-right axis) and ``obliqueTurn`` (about its up-down
    axis) of the page's state, degrees, around what is in its middle."""

    def __init__(self, state, viewport: Viewport):
        self._state, self._viewport = state, viewport
        self._straight: Optional[np.ndarray] = None
        state.update({"obliqueTilt": 0, "obliqueTurn": 0})
        state.change("obliqueTilt", "obliqueTurn")(lambda **_: self._turn())

    def reset(self) -> None:
        """Begin anew with the view as it is."""
        self._straight = matrixToArray(self._viewport.node.GetSliceToRAS())
        self._state.update({"obliqueTilt": 0, "obliqueTurn": 0})

    def _turn(self) -> None:
        if self._straight is None:
            return
        sliceToRAS = self._viewport.node.GetSliceToRAS()
        turned = matrixToArray(sliceToRAS)
        angles = (np.clip(float(self._state[key]), -_LARGEST_ANGLE, _LARGEST_ANGLE) for key in _KEYS)
        turned[:3, :3] = self._straight[:3, :3] @ _rotation(*np.radians(list(angles)))
        if not np.allclose(turned, matrixToArray(sliceToRAS), atol=1e-9):
            matrix = vtk.vtkMatrix4x4()
            matrix.DeepCopy(turned.ravel().tolist())
            sliceToRAS.DeepCopy(matrix)
            self._viewport.node.UpdateMatrices()


def _rotation(tilt: float, turn: float) -> np.ndarray:
    """Return (3, 3): about x by ``tilt``, then about the y axis that was turned with it by ``turn``."""
    cosine, sine = np.cos(tilt), np.sin(tilt)
    aboutX = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    cosine, sine = np.cos(turn), np.sin(turn)
    return aboutX @ np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
