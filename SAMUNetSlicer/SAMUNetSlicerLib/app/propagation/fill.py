"""Fill the slices between key slices by interpolating the shape, without the network."""

from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np

from ...scene.geometry import PlaneStack, placed, shift
from ...scene.segments import shapesBetween
from ..session import PredictedSlice, SliceRecord, Target, Workspace
from .keySlices import KeySlice
from .options import PropagatedSlice, Stop

_MARGIN = 1  # pixels of background around both contours


class SliceFill:
    """Fills between neighboring key slices; see `SliceFollower` for ``made``, ``slices`` and ``stops``."""

    def __init__(self, workspace: Workspace, segmentId: str, stack: PlaneStack):
        self.made: Dict[int, PredictedSlice] = {}
        self.slices: Dict[int, PropagatedSlice] = {}
        self.stops: List[Stop] = []
        self.total = 0
        self.engineMs = 0.0
        self._workspace = workspace
        self._segmentId = segmentId
        self._stack = stack

    @property
    def done(self) -> int:
        return len(self.made)

    def run(self, keys: Dict[int, KeySlice]) -> Iterator[bool]:
        """Fill all gaps; yields False after each."""
        gaps = [gap for gap in _gaps(sorted(keys)) if all(keys[step].mask.any() for step in gap)]
        self.total = sum(upper - lower - 1 for lower, upper in gaps)
        for lower, upper in gaps:
            self._fill(lower, upper, keys[lower].mask, keys[upper].mask)
            yield False

    def cancel(self) -> None:
        """Do nothing: no request waits for an engine here."""

    def _fill(self, lower: int, upper: int, below: np.ndarray, above: np.ndarray) -> None:
        planes = {step: self._stack.plane(step) for step in range(lower, upper + 1)}
        x, y = shift(planes[upper], planes[lower])
        left, top, right, bottom = _union(_bounds(below, 0, 0), _bounds(above, x, y))
        size = bottom - top, right - left
        shapes = shapesBetween(
            placed(below, -left, -top, size), placed(above, x - left, y - top, size), upper - lower - 1
        )
        origin = {"method": "fill", "keys": [planes[step].signature() for step in (lower, upper)]}
        for step, shape in zip(range(lower + 1, upper), shapes):
            x, y = shift(planes[lower], planes[step])
            mask = placed(shape, x + left, y + top, planes[step].shape)
            self._add(step, mask, origin)

    def _add(self, step: int, mask: np.ndarray, origin: dict) -> None:
        plane = self._stack.plane(step)
        draft = SliceRecord(plane=plane.toDict(), policy=self._workspace.policy, origin=origin)
        self.made[step] = PredictedSlice(Target(self._segmentId, plane), mask, None, draft)
        self.slices[step] = PropagatedSlice(plane, None)


def _gaps(steps: Sequence[int]) -> List[Tuple[int, int]]:
    return [(lower, upper) for lower, upper in zip(steps, steps[1:]) if upper - lower > 1]


def _bounds(mask: np.ndarray, x: int, y: int) -> Tuple[int, ...]:
    """Return (left, top, right, bottom), half open, of a mask whose first pixel is at (x, y), with the
    margin.
    """
    columns, rows = np.flatnonzero(mask.any(axis=0)) + x, np.flatnonzero(mask.any(axis=1)) + y
    low, high = (columns[0] - _MARGIN, rows[0] - _MARGIN), (columns[-1] + 1 + _MARGIN, rows[-1] + 1 + _MARGIN)
    return tuple(int(bound) for bound in (*low, *high))


def _union(a: Sequence[int], b: Sequence[int]) -> Tuple[int, ...]:
    return (*map(min, a[:2], b[:2]), *map(max, a[2:], b[2:]))
