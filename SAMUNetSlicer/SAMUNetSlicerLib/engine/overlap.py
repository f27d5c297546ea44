"""Measure how far two masks agree."""

import numpy as np


def dice(mask: np.ndarray, other: np.ndarray) -> float:
    """Return 2 |A and B| / (|A| + |B|) of two boolean masks of one shape; 1 if both are empty (Dice 1945)."""
    total = np.count_nonzero(mask) + np.count_nonzero(other)
    return 2 * np.count_nonzero(mask & other) / total if total else 1.0
