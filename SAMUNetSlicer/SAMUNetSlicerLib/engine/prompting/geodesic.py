"""Measure distances along the least-cost path: how far a point is when every edge of the image is a hill."""

import numpy as np

_FAR = 1e9


def geodesic_distance(steps_x: np.ndarray, steps_y: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the least cost of a path from any seed to each pixel, over 4-connected neighbors.

    Along one row the least cost from its pixels is a running minimum, so whole rows, then whole columns
    are relaxed at once; a path with n turns is found in n rounds.

    :param steps_x: (h, w - 1) cost >= 0 of a step to the right or back; ``steps_y``: (h - 1, w), down or
        back.
    :param seeds: (h, w) bool.
    :return: (h, w) float64; 1e9 everywhere without a seed.
    """
    along_x = np.pad(np.cumsum(steps_x, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    along_y = np.pad(np.cumsum(steps_y, axis=0, dtype=np.float64), ((1, 0), (0, 0))).T
    distance = np.where(seeds, 0.0, _FAR)
    while True:
        closer = _relax_rows(distance, along_x)
        closer = _relax_rows(closer.T, along_y).T
        if np.allclose(closer, distance, rtol=0, atol=1e-6):
            return closer
        distance = closer


def _relax_rows(distance: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Relax the distances along rows.

    ``along``: (h, w) cost of reaching each pixel from the first of its row.
    """
    from_left = np.minimum.accumulate(distance - along, axis=1) + along
    from_right = np.minimum.accumulate((distance + along)[:, ::-1], axis=1)[:, ::-1] - along
    return np.minimum(distance, np.minimum(from_left, from_right))
