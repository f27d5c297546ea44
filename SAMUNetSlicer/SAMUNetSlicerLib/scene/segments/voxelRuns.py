"""Store a set of voxels in little memory: the runs of consecutive voxels inside its bounding box."""

from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

_EMPTY = np.zeros(0, np.uint32)


@dataclass(frozen=True, eq=False)
class VoxelRuns:
    """An immutable set of voxels of one lattice.

    ``low``, ``size``: (i, j, k) of the first voxel of the bounding box, and its numbers of voxels;
    ``starts``, ``lengths``: runs along I, numbered through the box with I fastest and K slowest.
    """

    low: Tuple[int, int, int]
    size: Tuple[int, int, int]
    starts: np.ndarray
    lengths: np.ndarray

    @classmethod
    def fromVoxels(cls, voxels: np.ndarray) -> "VoxelRuns":
        """Make the runs of voxels.

        :param voxels: int (n, 3) of (i, j, k), each once, in any order.
        """
        if not len(voxels):
            return cls((0, 0, 0), (0, 0, 0), _EMPTY, _EMPTY)
        low = voxels.min(axis=0)
        size = voxels.max(axis=0) - low + 1
        numbers = np.sort(np.ravel_multi_index((voxels - low).T, size, order="F"))
        first = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
        lengths = np.diff(first, append=len(numbers))
        width = _width(size)
        return cls(
            tuple(low.tolist()), tuple(size.tolist()), numbers[first].astype(width), lengths.astype(width)
        )

    @classmethod
    def fromBlock(cls, low: np.ndarray, block: np.ndarray) -> "VoxelRuns":
        """Make the runs of a block of voxels.

        :param low: (i, j, k) of the first voxel of a block of voxels, bool (K, J, I).
        """
        axes = [np.flatnonzero(block.any(axis=others)) for others in ((0, 1), (0, 2), (1, 2))]
        if not len(axes[0]):
            return cls.fromVoxels(np.zeros((0, 3), np.int32))
        i, j, k = (slice(indices[0], indices[-1] + 1) for indices in axes)
        tight = block[k, j, i]
        size = tight.shape[::-1]
        edges = np.flatnonzero(np.diff(tight.ravel(), prepend=False, append=False))
        width = _width(size)
        first = tuple(int(a + indices[0]) for a, indices in zip(low, axes))
        return cls(first, size, edges[0::2].astype(width), np.diff(edges)[0::2].astype(width))

    def block(self) -> np.ndarray:
        """Return bool (K, J, I) of the bounding box."""
        steps = np.zeros(int(np.prod(self.size, dtype=np.int64)) + 1, np.int8)
        starts = self.starts.astype(np.int64)
        steps[starts] += 1
        steps[starts + self.lengths.astype(np.int64)] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).astype(bool).reshape(self.size[::-1])

    def voxels(self) -> np.ndarray:
        """Return int32 (n, 3) of (i, j, k), K slowest."""
        if not len(self.starts):
            return np.zeros((0, 3), np.int32)
        lengths = self.lengths.astype(np.int64)
        gaps = self.starts.astype(np.int64) - np.cumsum(lengths) + lengths
        numbers = np.arange(lengths.sum()) + np.repeat(gaps, lengths)
        ijk = np.unravel_index(numbers, self.size, order="F")
        return (np.column_stack(ijk) + np.array(self.low)).astype(np.int32)

    def __len__(self) -> int:
        return int(self.lengths.sum())

    @property
    def extent(self) -> Optional[Tuple[int, ...]]:
        """Return (i0, i1, j0, j1, k0, k1) inclusive, None if there are no voxels."""
        if not len(self.starts):
            return None
        return tuple(bound for a, n in zip(self.low, self.size) for bound in (a, a + n - 1))

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.lengths.nbytes


def _width(size) -> type:
    # Boxes beyond 2^32 voxels exist (whole-body CT, oblique planes), and are worth twice the memory.
    return np.uint32 if np.prod(size, dtype=np.int64) < 2**32 else np.uint64
