"""Write the names and colors of a label volume as a color table file, which Slicer reads beside the
volume.
"""

from pathlib import Path
from typing import Sequence

import slicer

from ...errors import OutputError
from ..segments import requireSegment
from .exportFiles import writeChecked


def exportLabelTable(segmentationNode, path, segmentIds: Sequence[str], existing: str = "refuse") -> Path:
    """Write names and colors of the labels 1, 2, ... as .ctbl, see ``exportFiles.writeChecked``.

    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    table = _table(segmentationNode, segmentIds)
    return writeChecked(
        path,
        existing,
        lambda temporary: _transfer("WriteData", temporary, table),
        lambda temporary: _check(temporary, table),
    )


def _table(segmentationNode, segmentIds: Sequence[str]):
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToUser()
    table.SetNumberOfColors(len(segmentIds) + 1)
    table.SetColor(0, "Background", 0, 0, 0, 0)
    for label, segmentId in enumerate(segmentIds, 1):
        segment = requireSegment(segmentationNode, segmentId)
        name = " ".join(segment.GetName().split())  # a color is one line
        table.SetColor(label, name or segmentId, *segment.GetColor(), 1.0)
    return table


def _transfer(method: str, path: Path, table) -> None:
    scene, storage = slicer.vtkMRMLScene(), slicer.vtkMRMLColorTableStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    if not getattr(storage, method)(table):
        raise OutputError("The label table could not be written: choose another folder.")


def _check(path: Path, table) -> None:
    found = slicer.vtkMRMLColorTableNode()
    _transfer("ReadData", path, found)
    if _names(found) != _names(table):
        raise OutputError("The export was given up: the label table holds other names than were written.")


def _names(table) -> list:
    # The format has no spaces in names.
    return [table.GetColorName(n).replace(" ", "_") for n in range(table.GetNumberOfColors())]
