"""Find the voxels of a lattice that lie on a slice plane, and the pixel that each of them belongs to.

A lattice is given by its matrix ijkToRAS (4, 4), from voxel indices (i, j, k, 1), integers at voxel centers,
to world RAS in mm.  Sets of voxels are int32 arrays (n, 3) of (i, j, k).
"""

from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from .plane import SlicePlane
from .volumeGeometry import mapPoints

# Pixels and voxels coincide if they are nowhere further apart than this part of a voxel: float32 headers
# pass, a deliberate shift does not.
_ALIGNED_TOLERANCE = 0.01

# Keeps the last bits of a matrix from deciding on which side of a slab's border a voxel lies, in voxels.
_ROUNDING = 1e-6

NO_VOXELS = np.zeros((0, 3), np.int32)


class _Window(NamedTuple):
    """Half-open range of pixels."""

    left: int
    right: int
    top: int
    bottom: int

    @property
    def pixels(self) -> Tuple[np.ndarray, np.ndarray]:
        return np.arange(self.left, self.right), np.arange(self.top, self.bottom)

    def holds(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        inColumns = (column >= self.left) & (column < self.right)
        return inColumns & (row >= self.top) & (row < self.bottom)

    def grown(self, columns: int, rows: int) -> "_Window":
        return _Window(self.left - columns, self.right + columns, self.top - rows, self.bottom + rows)

    def within(self, shape: Tuple[int, int]) -> "_Window":
        height, width = shape
        return _Window(max(self.left, 0), min(self.right, width), max(self.top, 0), min(self.bottom, height))


def voxelsAtPixels(plane: SlicePlane, ijkToRAS: np.ndarray) -> np.ndarray:
    """Return the voxel (H * W, 3) in which the center of each pixel lies, row by row."""
    return _voxelsAt(plane, ijkToRAS, _Window(0, plane.shape[1], 0, plane.shape[0]))


def voxelsUnderMask(
    plane: SlicePlane, mask: np.ndarray, ijkToRAS: np.ndarray, extent: Optional[Tuple[int, ...]] = None
) -> Tuple[np.ndarray, np.ndarray]:
    """Return the voxels of a slice and whether the mask covers them.

    Where pixels and voxels coincide, each pixel is one voxel.  Elsewhere a voxel belongs to the slice if its
    center lies within half of the plane's thickness, or if the plane cuts the voxel at all: the second keeps
    the mask free of holes when it is looked up again on the same plane.

    A voxel takes the value of most pixels whose centers lie inside it: no other choice gives the mask back
    better.  A sliver is a voxel that the plane cuts so near to a corner that no pixel's center lies inside:
    it takes the value of the pixel where it is cut.  A voxel that is not cut takes that of the pixel in front
    of it.  A mask that holds the most of no voxel is given those of which it holds the largest part.

    :param mask: (H, W) bool.
    :param extent: (i0, i1, j0, j1, k0, k1) inclusive; voxels outside the mask are only wanted in here.
        Without it, only voxels near the mask are returned.
    :return: voxels (n, 3), each once, and covered (n,) bool.
    """
    window = _windowOf(plane, mask, ijkToRAS, extent)
    if window is None:
        return NO_VOXELS, np.zeros(0, bool)
    if isAligned(plane, ijkToRAS):
        covered = mask[window.top : window.bottom, window.left : window.right]
        return _voxelsAt(plane, ijkToRAS, window), covered.reshape(-1)
    voxels, column, row = _slab(plane, ijkToRAS, window)
    height, width = plane.shape
    before = mask[row.clip(0, height - 1), column.clip(0, width - 1)]
    return voxels, _outvoted(voxels, before, plane, mask, ijkToRAS)


def boxUnderMask(
    plane: SlicePlane, mask: np.ndarray, ijkToRAS: np.ndarray, extent: Optional[Tuple[int, ...]] = None
) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """Return first and last index (3,) of a box that holds all that ``voxelsUnderMask`` returns, None if
    nothing.
    """
    window = _windowOf(plane, mask, ijkToRAS, extent)
    if window is None:
        return None
    if not isAligned(plane, ijkToRAS):
        window = window.grown(*_reachInPixels(plane.rasToPlane() @ ijkToRAS))
    return _indexBox(plane, ijkToRAS, window)


def alignedPixels(
    plane: SlicePlane, ijkToRAS: np.ndarray, block: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the values of an aligned plane's voxels, (H, W); much faster than one voxel after the other.

    :param block: called with the first voxel (i, j, k) of a box and its size; returns its values (k, j, i).
    """
    steps = np.rint(np.linalg.inv(ijkToRAS) @ plane.planeToRAS).astype(int)[:3]
    height, width = plane.shape
    first, last = steps[:, 3], steps @ [width - 1, height - 1, 0, 1]
    values = block(np.minimum(first, last), np.abs(last - first) + 1)
    across, along = (int(np.argmax(np.abs(steps[:, n]))) for n in range(2))
    image = values.transpose(2 - along, 2 - across, across + along - 1)[:, :, 0]
    return image[:: steps[along, 1], :: steps[across, 0]]


def _voxelsAt(plane: SlicePlane, ijkToRAS: np.ndarray, window: _Window) -> np.ndarray:
    toVoxel = np.linalg.inv(ijkToRAS) @ plane.planeToRAS
    if isAligned(plane, ijkToRAS):
        toVoxel = np.rint(toVoxel).astype(np.int32)
        rounded = _lattice(toVoxel, window)
    else:
        rounded = np.floor(_lattice(toVoxel, window) + 0.5).astype(np.int32)
    return rounded.reshape(-1, 3)


def _lattice(toVoxel: np.ndarray, window: _Window) -> np.ndarray:
    x, y = window.pixels
    rows = toVoxel[:3, 3] + y[:, None] * toVoxel[:3, 1]
    return rows[:, None] + (x[:, None] * toVoxel[:3, 0])[None]


def isAligned(plane: SlicePlane, ijkToRAS: np.ndarray) -> bool:
    """Tell whether every pixel is one voxel and the slice is one voxel thick."""
    toVoxel = (np.linalg.inv(ijkToRAS) @ plane.planeToRAS)[:3]
    steps = np.rint(toVoxel)
    inPlane = np.abs(steps[:, :2])
    if not (inPlane.sum(axis=0) == 1).all() or inPlane.sum(axis=1).max() != 1:
        return False
    across = int(np.argmin(inPlane.sum(axis=1)))
    height, width = plane.shape
    corners = np.array([[0, 0, 0, 1], [width, 0, 0, 1], [0, height, 0, 1], [width, height, 0, 1]]).T
    apart = np.abs((toVoxel - steps) @ corners).max()
    return bool(max(apart, abs(abs(toVoxel[across, 2]) - 1)) <= _ALIGNED_TOLERANCE)


def _windowOf(plane, mask, ijkToRAS, extent) -> Optional[_Window]:
    """Return the pixels of the mask together with those in front of the extent, None if there are none."""
    windows = [w for w in (_maskWindow(mask), _extentWindow(plane, ijkToRAS, extent)) if w is not None]
    if not windows:
        return None
    ranges = np.array(windows)
    low, high = ranges.min(axis=0), ranges.max(axis=0)
    return _Window(low[0], high[1], low[2], high[3])


def _maskWindow(mask: np.ndarray) -> Optional[_Window]:
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    return _Window(columns[0], columns[-1] + 1, rows[0], rows[-1] + 1) if len(rows) else None


def _extentWindow(plane, ijkToRAS, extent) -> Optional[_Window]:
    if extent is None:
        return None
    corners = np.array(np.meshgrid(extent[0:2], extent[2:4], extent[4:6])).reshape(3, -1).T
    onPlane = mapPoints(plane.rasToPlane() @ ijkToRAS, corners)
    if onPlane[:, 2].min() > _halfSlab(plane, ijkToRAS) or onPlane[:, 2].max() < -_halfSlab(plane, ijkToRAS):
        return None
    size = np.array([plane.shape[1], plane.shape[0]])
    low = np.clip(np.floor(onPlane[:, :2].min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(onPlane[:, :2].max(axis=0)) + 1, 0, size).astype(int)
    return _Window(low[0], high[0], low[1], high[1]) if (low < high).all() else None


def _halfSlab(plane: SlicePlane, ijkToRAS: np.ndarray) -> float:
    """Return half of the slab, in slices: of the plane's thickness or of a voxel's extent across the
    plane.
    """
    across = (plane.rasToPlane() @ ijkToRAS)[2, :3]
    return max(1.0, np.abs(across).sum()) / 2


def _slab(plane: SlicePlane, ijkToRAS: np.ndarray, window: _Window) -> Tuple[np.ndarray, ...]:
    """Return voxels (n, 3) of the slab behind the window, and column (n,) and row (n,) of the pixel before
    each.

    The pixel is where the plane cuts the voxel, or in front of its center if it does not; it may lie outside
    the image.  With them come all voxels that have one of the window's pixels inside.

    They are found along each line of voxels that crosses the slab most steeply.  Of two voxels at exactly
    half the slab's width the one of the higher index belongs to it: so no voxel belongs to two neighboring
    slices, and a pixel between two voxels is read from the one it was written to.
    """
    toPlane = plane.rasToPlane() @ ijkToRAS
    across = toPlane[2]
    window = window.grown(*_reachInPixels(toPlane))
    steepest = int(np.argmax(np.abs(across[:3])))
    first, second = (axis for axis in range(3) if axis != steepest)
    low, high = _indexBox(plane, ijkToRAS, window)
    index = [None, None, None]
    index[first] = np.arange(low[first], high[first] + 1, dtype=np.int32)[:, None, None]
    index[second] = np.arange(low[second], high[second] + 1, dtype=np.int32)[None, :, None]
    crossing = across[3] + across[first] * index[first] + across[second] * index[second]
    middle = -crossing / across[steepest]
    reach = _halfSlab(plane, ijkToRAS) / abs(across[steepest])
    lowest = np.floor(middle - reach + _ROUNDING).astype(np.int32) + 1
    index[steepest] = lowest + np.arange(int(2 * reach) + 1, dtype=np.int32)
    column, row = _pixelsBefore(toPlane, index)
    kept = (index[steepest] <= middle + reach + _ROUNDING) & window.holds(column, row)
    voxels = np.array([np.broadcast_to(indices, kept.shape)[kept] for indices in index]).T
    return voxels, column[kept], row[kept]


def _pixelsBefore(toPlane: np.ndarray, index: List[np.ndarray]) -> List[np.ndarray]:
    """Return columns and rows of the pixels before voxels, see `_slab`."""
    x, y, depth = (row[3] + sum(row[axis] * index[axis] for axis in range(3)) for row in toPlane[:3])
    # Of all ways from a center to the plane, the one along the voxel's diagonal leaves the voxel last.
    diagonal = np.sign(toPlane[2, :3]) / np.abs(toPlane[2, :3]).sum()
    depth = np.where(np.abs(depth) <= np.abs(toPlane[2, :3]).sum() / 2, depth, 0)
    feet = (along - depth * (row[:3] @ diagonal) for along, row in ((x, toPlane[0]), (y, toPlane[1])))
    return [np.floor(foot + 0.5).astype(np.int32) for foot in feet]


def _reachInPixels(toPlane: np.ndarray) -> Tuple[int, int]:
    """Return how many columns and rows two points of one voxel can be apart."""
    columns, rows = np.ceil(np.abs(toPlane[:2, :3]).sum(axis=1)).astype(int)
    return int(columns), int(rows)


def _indexBox(plane: SlicePlane, ijkToRAS: np.ndarray, window: _Window) -> Tuple[np.ndarray, np.ndarray]:
    """Return first and last index (3,) of the voxels of the slab behind the window."""
    half = _halfSlab(plane, ijkToRAS)
    x = [window.left - 0.5, window.right - 0.5]
    y = [window.top - 0.5, window.bottom - 0.5]
    corners = np.array(np.meshgrid(x, y, [-half, half])).reshape(3, -1).T
    indices = mapPoints(np.linalg.inv(ijkToRAS) @ plane.planeToRAS, corners)
    return np.floor(indices.min(axis=0)).astype(int), np.ceil(indices.max(axis=0)).astype(int)


def _outvoted(voxels, covered, plane, mask, ijkToRAS) -> np.ndarray:
    """Correct ``covered`` by the pixels inside each voxel, which are what the plane will show again."""
    window = _maskWindow(mask)
    if window is None or not len(voxels):
        return covered
    # All pixels of every voxel that has one of the mask's.
    window = window.grown(*_reachInPixels(plane.rasToPlane() @ ijkToRAS)).within(mask.shape)
    low = voxels.min(axis=0)
    size = voxels.max(axis=0) - low + 1
    hit = _voxelsAt(plane, ijkToRAS, window) - low
    inBox = ((hit >= 0) & (hit < size)).all(axis=1)
    keys = np.ravel_multi_index((voxels - low).T, size)
    order = np.argsort(keys)
    wanted = np.ravel_multi_index(hit[inBox].T, size)
    place = np.searchsorted(keys[order], wanted).clip(max=len(keys) - 1)
    found = keys[order][place] == wanted
    pixels = mask[window.top : window.bottom, window.left : window.right].reshape(-1)[inBox][found]
    voxel = order[place[found]]
    inside, total = np.bincount(voxel, pixels, len(keys)), np.bincount(voxel, minlength=len(keys))
    covered = np.where(2 * inside == total, covered, 2 * inside > total)
    if (covered & (total > 0)).any() or not inside.any():
        return covered
    parts = inside / np.maximum(total, 1)
    return covered | (parts == parts.max())
