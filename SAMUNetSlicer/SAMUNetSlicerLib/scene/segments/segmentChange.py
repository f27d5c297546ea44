"""Record what one write did to the segments of a segmentation: small, exact, and enough to take it back."""

from dataclasses import dataclass
from typing import Iterable, Optional, Tuple

import numpy as np

from ..geometry import SlicePlane
from .labelmapLayer import Extent
from .voxelRuns import VoxelRuns


@dataclass(frozen=True, eq=False)
class SegmentEdit:
    """Gains and losses of one segment.

    ``ijkToLocal``: (4, 4) of the lattice in which voxels are counted; ``added``, ``removed``: voxels gained
    and lost; ``shared``: those of the lost ones that another segment held too.
    """

    segmentId: str
    ijkToLocal: np.ndarray
    added: VoxelRuns
    removed: VoxelRuns
    shared: VoxelRuns

    @property
    def nbytes(self) -> int:
        return self.ijkToLocal.nbytes + self.added.nbytes + self.removed.nbytes + self.shared.nbytes


@dataclass(frozen=True, eq=False)
class Change:
    """The difference that a write made; false if it made none.

    ``segmentId``: the segment that was written; ``plane``: the slice, None if the change is not of one slice;
    ``edits``: one for each segment that has changed, the written one and those that it overwrote.
    """

    segmentId: str
    plane: Optional[SlicePlane]
    edits: Tuple[SegmentEdit, ...]

    def __bool__(self) -> bool:
        return bool(self.edits)

    @property
    def segmentIds(self) -> Tuple[str, ...]:
        return tuple(edit.segmentId for edit in self.edits)

    @property
    def voxelsAdded(self) -> int:
        """Return voxels that the written segment gained."""
        return sum(len(edit.added) for edit in self._own())

    @property
    def voxelsRemoved(self) -> int:
        """Return voxels that the written segment lost."""
        return sum(len(edit.removed) for edit in self._own())

    @property
    def voxelCount(self) -> int:
        """Return all gains and losses of all segments."""
        return sum(len(edit.added) + len(edit.removed) for edit in self.edits)

    @property
    def extent(self) -> Optional[Extent]:
        """Return (i0, i1, j0, j1, k0, k1) around the written segment's gains and losses, None if it has
        none.
        """
        runs = (runs.extent for edit in self._own() for runs in (edit.added, edit.removed))
        extents = np.array([extent for extent in runs if extent is not None])
        if not len(extents):
            return None
        low, high = extents[:, 0::2].min(axis=0), extents[:, 1::2].max(axis=0)
        return tuple(np.column_stack([low, high]).ravel().tolist())

    @property
    def nbytes(self) -> int:
        """Return the bytes of memory that keeping the change takes."""
        return sum(edit.nbytes for edit in self.edits)

    def _own(self) -> Iterable[SegmentEdit]:
        return (edit for edit in self.edits if edit.segmentId == self.segmentId)
