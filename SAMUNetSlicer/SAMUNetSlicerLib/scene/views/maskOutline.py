"""Trace the border of a mask as lines in the patient."""

from typing import List

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..geometry import SlicePlane


def maskLoops(mask: np.ndarray, plane: SlicePlane) -> List[np.ndarray]:
    """Closed lines halfway between the pixels inside and outside of a mask.

    :param mask: (H, W) bool, pixels of the plane.
    :return: world points (n, 3) in mm of each line, the first one not repeated at the end.
    """
    height, width = mask.shape
    image = vtk.vtkImageData()
    image.SetDimensions(width + 2, height + 2, 1)
    image.SetOrigin(-1.0, -1.0, 0.0)
    # A border of background closes the lines of masks that reach the edge of the image.
    pixels = np.pad(mask, 1).astype(np.uint8)
    image.GetPointData().SetScalars(numpy_to_vtk(pixels.ravel(), deep=True))
    contour, lines = vtk.vtkFlyingEdges2D(), vtk.vtkStripper()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    lines.SetInputConnection(contour.GetOutputPort())
    lines.SetMaximumLength(mask.size + 4)
    lines.Update()
    return _loops(lines.GetOutput(), plane)


def _loops(polyData, plane: SlicePlane) -> List[np.ndarray]:
    if not polyData.GetNumberOfLines():
        return []
    points = plane.pixelToRAS(vtk_to_numpy(polyData.GetPoints().GetData())[:, :2])
    ends = vtk_to_numpy(polyData.GetLines().GetOffsetsArray())
    numbers = vtk_to_numpy(polyData.GetLines().GetConnectivityArray())
    return [points[numbers[first : last - 1]] for first, last in zip(ends, ends[1:])]
