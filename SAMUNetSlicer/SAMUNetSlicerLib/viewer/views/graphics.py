"""Draw without a screen: choose the library that does it, or say what is missing."""

import ctypes.util
import os

import vtk

from ...errors import EngineError
from ...platforms import PLATFORM


def prepareGraphics() -> None:
    """Have views drawn in memory; call it before the first one is made.

    :raises EngineError: this computer has nothing to draw with; VTK would crash.
    """
    # What VTK and trame-slicer warn about is theirs to correct; errors still appear.
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_ERROR)
    if PLATFORM.hasDisplay():
        return
    for library, window in (("EGL", "vtkEGLRenderWindow"), ("OSMesa", "vtkOSOpenGLRenderWindow")):
        if ctypes.util.find_library(library):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", window)
            return
    raise EngineError(
        "There is nothing to draw the views with: install EGL, on Debian and Ubuntu with "
        "`apt-get install libegl1 libgl1-mesa-dri`."
    )
