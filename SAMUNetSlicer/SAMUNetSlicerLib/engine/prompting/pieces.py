"""Find connected pieces of masks, 4 neighbors.

Whole runs are filled along rows and columns in turn, so that the number of passes is the number of bends of
a piece and not its length.
"""

from typing import List

import numpy as np


def pieces_at(seeds: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return all pixels of ``mask`` (H, W) bool that are connected to ``seeds`` (H, W) bool, which lie in
    it.
    """
    if not seeds.any():
        return seeds
    row_runs, column_runs = _run_numbers(mask), _run_numbers(mask.T)
    count = 0
    while count != (count := int(seeds.sum())):
        seeds = _fill_runs(seeds, mask, row_runs)
        seeds = _fill_runs(seeds.T, mask.T, column_runs).T
    return seeds


def pieces_of(mask: np.ndarray) -> List[np.ndarray]:
    """Return the connected pieces of a mask (H, W) bool, each (H, W) bool, the largest first."""
    row_runs, column_runs = _run_numbers(mask), _run_numbers(mask.T)
    labels = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    before = None
    while before is None or not np.array_equal(labels, before):
        before = labels
        labels = _greatest_of_runs(labels, mask, row_runs)
        labels = _greatest_of_runs(labels.T, mask.T, column_runs).T
    values, counts = np.unique(labels[mask], return_counts=True)
    return [labels == value for value in values[np.argsort(-counts, kind="stable")]]


def _run_numbers(mask: np.ndarray) -> np.ndarray:
    """Return a number for each pixel, equal for the pixels of a run of True along a row."""
    starts = mask.copy()
    starts[:, 1:] &= ~mask[:, :-1]
    return np.cumsum(starts.ravel()).reshape(mask.shape)


def _fill_runs(seeds: np.ndarray, mask: np.ndarray, runs: np.ndarray) -> np.ndarray:
    is_reached = np.zeros(runs[-1, -1] + 1, bool)
    is_reached[runs[seeds]] = True
    return is_reached[runs] & mask


def _greatest_of_runs(labels: np.ndarray, mask: np.ndarray, runs: np.ndarray) -> np.ndarray:
    greatest = np.zeros(runs[-1, -1] + 1, labels.dtype)
    np.maximum.at(greatest, runs[mask], labels[mask])
    return np.where(mask, greatest[runs], 0)
