"""When a way through the volume ends: what the next slice must be like to be taken for the same structure."""

from typing import NamedTuple, Optional

import numpy as np

from .propagationOptions import PropagationOptions


class Comparison(NamedTuple):
    """A mask beside the one it was made from: Dice of both, and its area by the other's."""

    dice: float
    areaRatio: float


def compare(mask: np.ndarray, neighbor: np.ndarray) -> Comparison:
    """:param mask, neighbor: (H, W) bool on the same pixels; the neighbor's is not empty."""
    area, before = np.count_nonzero(mask), np.count_nonzero(neighbor)
    return Comparison(2 * np.count_nonzero(mask & neighbor) / (area + before), area / before)


def reasonToStop(comparison: Comparison, confidence: float, options: PropagationOptions) -> Optional[str]:
    """A sentence if the mask is not to be taken, None if it is."""
    if comparison.areaRatio == 0:
        return "Nothing was found there."
    if comparison.areaRatio < options.minAreaRatio:
        return f"The area fell to {comparison.areaRatio:.0%} of the slice before."
    if comparison.areaRatio > options.maxAreaRatio:
        return f"The area grew to {comparison.areaRatio:.0%} of the slice before."
    if confidence < options.minConfidence:
        return f"The network was not sure enough (confidence {confidence:.2f})."
    if comparison.dice < options.minDice:
        return f"The shape does not continue the slice before (Dice {comparison.dice:.2f})."
    return None
