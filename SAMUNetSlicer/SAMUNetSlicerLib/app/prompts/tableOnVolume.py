"""Place the rows of a table of prompts in a volume."""

from typing import Dict, List, Sequence

import numpy as np

from ...errors import PromptError
from .fromFile import PlanePrompts, PromptsFile
from .fromTable import PromptRow
from .placement import toRAS
from .sliceChoice import SliceChoice
from .sliceCuts import SlicesOf, boxesInSpace, pointEntries
from .sources import PromptSource


class TablePrompts(PromptSource):
    """The rows of one case.

    A point belongs to the slice that it lies in; a box to each chosen slice that it cuts, so that a box with
    depth prompts many slices, and one without a single one.  ``orientation`` of a row counts before that of
    the choice.
    """

    def __init__(self, rows: Sequence[PromptRow], choice: SliceChoice):
        self._rows = list(rows)
        self._choice = choice

    def promptsFor(self, volumeNode) -> PromptsFile:
        segments: Dict[str, List[PromptRow]] = {}
        for row in self._rows:
            segments.setdefault(row.segment, []).append(row)
        return PromptsFile(
            tuple(
                self._choice.segment(name, self._planes(rows, volumeNode)) for name, rows in segments.items()
            ),
            self._choice.window,
        )

    def _planes(self, rows: Sequence[PromptRow], volumeNode) -> List[PlanePrompts]:
        entries: List[PlanePrompts] = []
        for row in rows:
            slices = SlicesOf.nearestTo(volumeNode, row.orientation or self._choice.orientation)
            points = toRAS(row.points, row.space, volumeNode)
            if row.kind == "box":
                entries += self._boxEntries(slices, row, volumeNode)
            else:
                entries += pointEntries(slices, [(points[0], row.kind == "positive")], row.where)
        return entries

    def _boxEntries(self, slices: SlicesOf, row: PromptRow, volumeNode) -> List[PlanePrompts]:
        ends = np.stack(np.meshgrid(*row.points.T, indexing="ij"), axis=-1)
        boxes = boxesInSpace(slices, toRAS(ends, row.space, volumeNode).reshape(2, 2, 2, 3))
        if not boxes:
            raise PromptError(f"{row.where}: the box lies outside of '{volumeNode.GetName()}'.")
        return [
            slices.entry(index, boxes=[boxes[index]], where=row.where)
            for index in self._choice.pick(sorted(boxes))
        ]
