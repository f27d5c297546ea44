"""Take markups that a user has placed with Slicer's own tools as prompts."""

from typing import Dict, List, Sequence

import numpy as np

from ...errors import PromptError
from ...scene.geometry import mapPoints, matrixToArray
from .fromFile import PlanePrompts, PromptsFile
from .sliceChoice import SliceChoice
from .sliceCuts import SlicesOf, boxesInSpace, pointEntries
from .sources import PromptSource

_POINTS, _ROI = "vtkMRMLMarkupsFiducialNode", "vtkMRMLMarkupsROINode"
_NEGATIVE = ("-", "negative", "background")


class MarkupPrompts(PromptSource):
    """Point lists and ROIs, each a segment of its name; nodes of one name make one segment.

    A point is a click on the slice that it lies in: a negative one if its label or its description begins
    with "-", "negative" or "background".  A ROI is a box on each chosen slice that it cuts.

    :param nodes: vtkMRMLMarkupsFiducialNode and vtkMRMLMarkupsROINode, others are refused.
    """

    def __init__(self, nodes: Sequence, choice: SliceChoice):
        self._nodes = list(nodes)
        self._choice = choice

    def promptsFor(self, volumeNode) -> PromptsFile:
        slices = SlicesOf.nearestTo(volumeNode, self._choice.orientation)
        planes: Dict[str, List[PlanePrompts]] = {}
        colors = {}
        for node in self._nodes:
            planes.setdefault(node.GetName(), []).extend(self._planes(node, slices))
            colors.setdefault(node.GetName(), _color(node))
        found = [(name, entries) for name, entries in planes.items() if entries]
        if not found:
            raise PromptError("The markups hold no points and no boxes: place some.")
        segments = (self._choice.segment(name, entries, colors[name]) for name, entries in found)
        return PromptsFile(tuple(segments), self._choice.window)

    def _planes(self, node, slices: SlicesOf) -> List[PlanePrompts]:
        where = f"The markup '{node.GetName()}'"
        if node.IsA(_POINTS):
            return pointEntries(slices, list(_points(node)), where)
        if not node.IsA(_ROI):
            raise PromptError(f"{where} is neither a point list nor a ROI: choose only those.")
        boxes = boxesInSpace(slices, _corners(node))
        if not boxes:
            raise PromptError(f"{where} lies outside of '{slices.volumeNode.GetName()}': move it there.")
        return [
            slices.entry(index, boxes=[boxes[index]], where=where)
            for index in self._choice.pick(sorted(boxes))
        ]


def _points(node):
    for index in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined:
            position = np.zeros(3)
            node.GetNthControlPointPositionWorld(index, position)
            texts = (node.GetNthControlPointLabel(index), node.GetNthControlPointDescription(index))
            yield position, not any(text.strip().lower().startswith(_NEGATIVE) for text in texts)


def _corners(node) -> np.ndarray:
    """Return (2, 2, 2, 3) world corners of a ROI."""
    half = np.array(node.GetSize()) / 2
    ends = np.stack(np.meshgrid(*((-h, h) for h in half), indexing="ij"), axis=-1)
    return mapPoints(matrixToArray(node.GetObjectToWorldMatrix()), ends).reshape(2, 2, 2, 3)


def _color(node):
    display = node.GetDisplayNode()
    return None if display is None else tuple(display.GetSelectedColor())
