"""Write segments as closed surfaces: STL, OBJ, PLY.

Points are in mm, in the patient coordinates of DICOM (LPS), parent transforms applied: what Slicer writes by
default and what it takes a file without a note of its coordinates to be.
"""

import re
from pathlib import Path
from typing import Callable, Dict, Sequence

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ...errors import OutputError
from ..geometry import parentToWorld
from ..segments import SegmentVoxels
from .exportCheck import LPS_TO_RAS
from .exportFiles import writeChecked

_COORDINATES = "SPACE=LPS"  # where Slicer's reader looks for it: in the header or in a comment
_TOLERANCE = 1e-5  # relative: OBJ files hold decimal numbers


def closedSurfaces(segmentationNode, segmentIds: Sequence[str]) -> Dict[str, vtk.vtkPolyData]:
    """Return surfaces (LPS, mm) by segment ID, smoothed as the segmentation says; empty segments are left
    out.

    They are made on a copy, so that the segmentation neither gains nor loses a representation.

    :raises InputError: a segment is gone.
    """
    # The node stays outside of any scene: nobody but us sees it come and go.
    copy, source = slicer.vtkSegmentation(), segmentationNode.GetSegmentation()
    copy.SetSourceRepresentationName(source.GetSourceRepresentationName())
    copy.CopyConversionParameters(source)
    # VTK would report an empty one on the console as a fault.
    filled = [each for each in segmentIds if not SegmentVoxels(segmentationNode, each).isEmpty]
    for segmentId in filled:
        copy.CopySegmentFromSegmentation(source, segmentId)
    name = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
    if filled and not copy.CreateRepresentation(name):
        raise OutputError("The surfaces could not be made: smooth or shrink the segments and try again.")
    toLPS = LPS_TO_RAS @ parentToWorld(segmentationNode)
    surfaces = {each: copy.GetSegment(each).GetRepresentation(name) for each in filled}
    return {each: _moved(one, toLPS) for each, one in surfaces.items() if one and one.GetNumberOfCells()}


def exportSurface(surface: vtk.vtkPolyData, path, existing: str = "refuse") -> Path:
    """Write one surface (LPS, mm) as .stl (binary), .obj or .ply (binary), see ``exportFiles.writeChecked``.

    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    writer, *proof = _FORMATS[Path(path).suffix.lower()]

    def write(temporary: Path) -> None:
        one = writer()
        one.SetInputData(surface)
        one.SetFileName(str(temporary))
        if not one.Write():
            raise OutputError("The surface could not be written: choose another folder.")

    return writeChecked(path, existing, write, lambda temporary: _check(temporary, surface, *proof))


def _moved(surface: vtk.vtkPolyData, matrix: np.ndarray) -> vtk.vtkPolyData:
    transform = vtk.vtkTransform()
    transform.SetMatrix(matrix.ravel().tolist())
    moving = vtk.vtkTransformPolyDataFilter()
    moving.SetInputData(surface)
    moving.SetTransform(transform)
    moving.Update()
    if np.linalg.det(matrix) > 0:
        return moving.GetOutput()
    # A mirrored triangle would show its back.
    turned = vtk.vtkReverseSense()
    turned.SetInputConnection(moving.GetOutputPort())
    turned.ReverseNormalsOff()  # the transform has turned them
    turned.Update()
    return turned.GetOutput()


def _check(path: Path, surface: vtk.vtkPolyData, countTriangles: Callable, makeReader: Callable) -> None:
    # VTK's writers do not notice a full disk, and its readers end the process on a file that was cut off.
    if countTriangles(path) != surface.GetNumberOfCells():
        raise OutputError("The surface could not be written as a whole: free some space.")
    reader = makeReader()
    reader.SetFileName(str(path))
    reader.Update()
    found = reader.GetOutput()
    size = np.abs(surface.GetBounds()).max()
    if found.GetNumberOfCells() != surface.GetNumberOfCells() or not np.allclose(
        _corners(found), _corners(surface), rtol=0, atol=_TOLERANCE * size
    ):
        raise OutputError("The export was given up: the file holds another surface than was written.")


def _corners(surface: vtk.vtkPolyData) -> np.ndarray:
    """Return (n, 3): the points that the triangles name, one after another, however the file shares them."""
    numbers = vtk_to_numpy(surface.GetPolys().GetConnectivityArray())
    return vtk_to_numpy(surface.GetPoints().GetData())[numbers]


def _stlWriter() -> vtk.vtkSTLWriter:
    writer = vtk.vtkSTLWriter()
    writer.SetFileTypeToBinary()
    writer.SetHeader(f"SAMUNetSlicer. {_COORDINATES}")
    return writer


def _stlReader() -> vtk.vtkSTLReader:
    reader = vtk.vtkSTLReader()
    reader.MergingOff()  # keeps the triangles in their order
    return reader


def _plyWriter() -> vtk.vtkPLYWriter:
    writer = vtk.vtkPLYWriter()
    writer.SetFileTypeToBinary()
    writer.AddComment(_COORDINATES)
    return writer


def _stlTriangles(path: Path) -> int:
    """Count triangles of 50 bytes behind a header of 84; -1 for a part of one."""
    count, rest = divmod(path.stat().st_size - 84, 50)
    return -1 if rest else count


def _objTriangles(path: Path) -> int:
    lines = path.read_bytes().split(b"\n")
    return sum(line.startswith(b"f ") for line in lines[:-1])


def _plyTriangles(path: Path) -> int:
    """Count triangles of 13 bytes (a count and three numbers) behind the points; -1 for a part of one."""
    content = path.read_bytes()
    head, _, body = content.partition(b"end_header\n")
    found = re.search(rb"element vertex (\d+)", head)
    points = int(found.group(1)) if found else 0
    count, rest = divmod(len(body) - points * 4 * head.count(b"property float"), 13)
    return -1 if rest else count


_FORMATS = {
    ".stl": (_stlWriter, _stlTriangles, _stlReader),
    ".obj": (vtk.vtkOBJWriter, _objTriangles, vtk.vtkOBJReader),
    ".ply": (_plyWriter, _plyTriangles, vtk.vtkPLYReader),
}
