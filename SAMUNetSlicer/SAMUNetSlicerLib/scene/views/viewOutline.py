"""Draw lines over a slice view: a box that is being dragged, the outline of a mask that is not there yet."""

from typing import Callable, Optional, Sequence, Tuple

import numpy as np
import vtk

from ..geometry import mapPoints, matrixToArray
from ..observers import Observers

Color = Tuple[float, float, float]

# A dark line below the colored one shows on white and on black; pixels wider than it.
_HALO_WIDTH = 2.0
_HALO_OPACITY = 0.5


class ViewOutline:
    """Closed lines on the slice of one view, not part of the scene; they follow its zoom and pan.

    :param renderer: of the slice view.
    :param requestRender: called when the view is to be drawn again.
    :param width: of the lines in logical pixels.
    """

    def __init__(self, renderer, sliceNode, requestRender: Callable[[], None], width: float = 1.5):
        self._renderer = renderer
        self._sliceNode = sliceNode
        self._requestRender = requestRender
        self._width = width
        self._loops: Sequence[np.ndarray] = ()
        self._lines = vtk.vtkPolyData()
        self._actors = [self._makeActor(), self._makeActor()]
        self._observers = Observers()
        self._observers.add(sliceNode, vtk.vtkCommand.ModifiedEvent, self._onViewModified)

    @property
    def isShown(self) -> bool:
        return bool(len(self._loops))

    def show(self, loops: Sequence, color: Color) -> None:
        """Draw closed lines in place of the ones before.

        :param loops: (n, 3) world points (R, A, S) in mm each.
        """
        scale = pixelScale(self._renderer.GetRenderWindow())
        halo, line = (actor.GetProperty() for actor in self._actors)
        halo.SetColor(0.0, 0.0, 0.0)
        halo.SetOpacity(_HALO_OPACITY)
        halo.SetLineWidth((self._width + _HALO_WIDTH) * scale)
        line.SetColor(*color)
        line.SetLineWidth(self._width * scale)
        self._loops = [np.asarray(loop, np.float64).reshape(-1, 3) for loop in loops]
        self._update()

    def clear(self) -> None:
        if self.isShown:
            self._loops = ()
            self._update()

    def close(self) -> None:
        self._observers.close()
        for actor in self._actors:
            self._renderer.RemoveViewProp(actor)

    def _makeActor(self):
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputData(self._lines)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.PickableOff()
        self._renderer.AddViewProp(actor)
        return actor

    def _onViewModified(self, *_) -> None:
        if self.isShown:
            self._update()

    def _update(self) -> None:
        points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
        rasToXY = np.linalg.inv(matrixToArray(self._sliceNode.GetXYToRAS()))
        for loop in self._loops:
            first = points.GetNumberOfPoints()
            for x, y, _ in mapPoints(rasToXY, loop):
                points.InsertNextPoint(x, y, 0.0)
            cells.InsertNextCell(len(loop) + 1)
            for number in (*range(len(loop)), 0):
                cells.InsertCellPoint(first + number)
        self._lines.SetPoints(points)
        self._lines.SetLines(cells)
        self._requestRender()


def pixelScale(window: Optional[vtk.vtkRenderWindow]) -> float:
    """Return how many pixels of a window make a logical pixel: 2 on a typical high-resolution screen."""
    return 1.0 if window is None else max(1.0, window.GetDPI() / 96.0)
