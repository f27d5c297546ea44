"""Treat the image as terrain: flat inside a structure, a ridge along its border."""

import numpy as np
from PIL import Image

from .geodesic import geodesic_distance

_LONGEST_SIDE = 192  # of the grid: 30 ms for a distance map, and borders stay within a pixel or two
_FLAT = 1.0  # gray levels that a step over perfectly even ground costs
_EDGE_FLOOR = 0.05  # keeps the logarithm finite where a border crosses even ground


class EdgeMap:
    """Borders in an 8-bit image, on a small grid.

    :param image: uint8 (H, W) or (H, W, 3).
    """

    def __init__(self, image: np.ndarray):
        self._size = image.shape[:2]
        small = _smoothed(_shrunk(image))
        self.shape = small.shape[:2]
        self._steps_x = np.abs(np.diff(small, axis=1)).max(-1) + _FLAT
        self._steps_y = np.abs(np.diff(small, axis=0)).max(-1) + _FLAT
        self._slope = _slope(small)

    def distance(self, seeds: np.ndarray) -> np.ndarray:
        """Return cost (h, w) of the way from the seeds (h, w) bool: gray levels climbed, plus 1 for each
        step.
        """
        return geodesic_distance(self._steps_x, self._steps_y, seeds)

    def seed(self, points: np.ndarray) -> np.ndarray:
        """Return the grid's pixels (h, w) bool under points (n, 2) of the image."""
        seeds = np.zeros(self.shape, bool)
        for x, y in np.asarray(points).reshape(-1, 2):
            seeds[self._cell(y, 0), self._cell(x, 1)] = True
        return seeds

    def border_strength(self, mask: np.ndarray) -> float:
        """Return how much of an edge even the weak parts of a mask's border follow.

        The lower quartile of the slope under the border, relative to the mean slope of the image, as a
        logarithm: about 0 for any line through the image, 1 and more along a real contour.

        :param mask: (h, w) bool on the grid.
        """
        border = mask & ~_eroded(mask)
        slopes = self._slope[border] if border.any() else np.zeros(1)
        return float(np.log(np.quantile(slopes, 0.25) + _EDGE_FLOOR))

    def shrink(self, mask: np.ndarray) -> np.ndarray:
        """Shrink a mask (H, W) of the image to the grid, (h, w)."""
        return mask[_centers(self.shape[0], mask.shape[0])][:, _centers(self.shape[1], mask.shape[1])]

    def pixels_in(self, cells: np.ndarray) -> np.ndarray:
        """Return the image's pixels (H, W) bool in the cells (h, w) bool of the grid."""
        rows, columns = (_centers(large, small) for large, small in zip(self._size, self.shape))
        return cells[rows][:, columns]

    def enlarge(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values (h, w) of the grid at the image's pixels, (H, W) float32."""
        size = (self._size[1], self._size[0])
        return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))

    def _cell(self, coordinate: float, axis: int) -> int:
        cell = int((coordinate + 0.5) * self.shape[axis] / self._size[axis])
        return min(max(cell, 0), self.shape[axis] - 1)


def _shrunk(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    factor = min(1.0, _LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(small, np.float64).reshape(size[1], size[0], -1)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Twice the binomial filter 1 2 1 along both axes: a Gaussian of one pixel."""
    for axis in (0, 0, 1, 1):
        margin = [(1, 1) if a == axis else (0, 0) for a in range(values.ndim)]
        padded = np.moveaxis(np.pad(values, margin, mode="edge"), axis, 0)
        values = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, 0, axis)
    return values


def _slope(values: np.ndarray) -> np.ndarray:
    """Length of the gradient over all channels, its mean over the image being 1."""
    squares = [np.square(np.gradient(values, axis=a)).sum(-1) for a in (0, 1) if values.shape[a] > 1]
    slope = np.sqrt(sum(squares, np.zeros(values.shape[:2])))
    return slope / (slope.mean() + 1e-6)


def _eroded(mask: np.ndarray) -> np.ndarray:
    """Remove the pixels that touch the outside; the frame of the image is no border."""
    inner = np.pad(mask, 1, constant_values=True)
    return inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]


def _centers(count: int, among: int) -> np.ndarray:
    """Return indices, among ``among``, of where the centers of ``count`` equal cells lie."""
    return ((np.arange(count) + 0.5) * among / count).astype(int)
