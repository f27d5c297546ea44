"""Interpolate the shapes between two contours, by Slicer's own filter of "Fill between slices"."""

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

_ACROSS_SLICES = 2  # the filter's number of the axis K


def shapesBetween(lower: np.ndarray, upper: np.ndarray, count: int) -> np.ndarray:
    """Return masks that turn one contour into another one step by step.

    Parts of the two are matched where they overlap and by the alignment of their centers; a part without a
    partner ends at its slice.  Source: D. Zukić et al., "ND morphological contour interpolation", The Insight
    Journal 2016.

    :param lower, upper: (H, W) bool, on the same pixels.
    :param count: number of slices between them.
    :return: (count, H, W) bool.
    """
    block = np.zeros((count + 2, *lower.shape), np.uint8)
    block[0], block[-1] = lower, upper
    image = vtk.vtkImageData()
    image.SetDimensions(*block.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(block.ravel(), deep=True))
    interpolator = _filterClass()()
    interpolator.SetInputData(image)
    interpolator.SetAxis(_ACROSS_SLICES)
    interpolator.SetLabel(0)  # all labels
    interpolator.Update()
    voxels = vtk_to_numpy(interpolator.GetOutput().GetPointData().GetScalars())
    return voxels.reshape(block.shape)[1:-1] > 0


def _filterClass():
    if hasattr(slicer, "vtkITKMorphologicalContourInterpolator"):
        return slicer.vtkITKMorphologicalContourInterpolator
    import vtkITK  # where the Slicer application keeps it

    return vtkITK.vtkITKMorphologicalContourInterpolator
