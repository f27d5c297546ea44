"""Decide whether to accept a propagated mask, and when to stop.

A network draws something into any box, and may be sure of it: what tells the end of a structure best is that
the gray levels inside of the mask are no longer those of the key slice.

Measured on real labeled CT and MR volumes from one prompted slice, mean 3D Dice of 21 runs with the compact
SAM-UNet and 58 with LiteMedSAM: going on to 10 slices beyond the structure 0.756 and 0.729; limits of
confidence, Dice and area 0.804 and 0.748; with brightness 0.820 and 0.758 (at 1.5: 0.820 and 0.753, at 2.5:
0.820 and 0.754).  Testing/benchmarks/bench_propagation_rules.py measures this again.
"""

from typing import NamedTuple, Optional

import numpy as np

from .options import PropagatedSlice, PropagationOptions

# An even structure, such as a full bladder, may still change by noise: in gray levels of 255.
_LEAST_DEVIATION = 4.0

# Dice of the network's mask with that of what was learned.
_AGREEMENT = 0.7


class GrayLevels(NamedTuple):
    """Gray levels inside of a mask.

    ``mean`` and standard ``deviation`` inside of a mask, of gray levels 0 to 255.
    """

    mean: float
    deviation: float

    def shift(self, other: "GrayLevels") -> float:
        """Return how far the mean of others is from this one, in deviations of this one."""
        return abs(other.mean - self.mean) / max(self.deviation, _LEAST_DEVIATION)


def grayLevels(image: np.ndarray, mask: np.ndarray) -> GrayLevels:
    """Measure the gray levels inside of a mask.

    :param image: (H, W) or (H, W, 3), gray levels 0 to 255.

    :param mask: (H, W) bool, not empty.
    """
    inside = image[mask].astype(np.float32)
    return GrayLevels(float(inside.mean()), float(inside.std()))


def _isRecognized(found: PropagatedSlice) -> bool:
    """Return whether what was learned finds the structure where the network does.

    Then a doubt of the network about its border is no end of the structure.
    """
    return found.agreement is not None and found.agreement >= _AGREEMENT


def reasonToRefuse(found: PropagatedSlice, options: PropagationOptions) -> Optional[str]:
    """Return a sentence if the mask is not to be taken, None if it is."""
    if found.confidence < options.minConfidence and not _isRecognized(found):
        return f"The confidence is too low ({found.confidence:.2f})."
    if found.dice is None:
        return None
    if found.areaRatio < options.minAreaRatio:
        return f"The area fell to {found.areaRatio:.0%} of the previous slice."
    if found.areaRatio > options.maxAreaRatio:
        return f"The area grew to {found.areaRatio:.0%} of the previous slice."
    if found.dice < options.minDice:
        return f"The shape does not continue that of the previous slice (Dice {found.dice:.2f})."
    if found.brightnessShift > options.maxBrightnessShift:
        return f"Brightness differs from the prompted one ({found.brightnessShift:.1f} standard deviations)."
    return None
