"""From the mask of one slice to the prompts of the next."""

import numpy as np

from ..engine.types import Capabilities, Prompts

# A structure may grow from slice to slice: the box is drawn wider than the mask by this part of its size,
# at least by so many pixels, on each side.
BOX_MARGIN, LEAST_MARGIN = 0.05, 2.0


def neighborPrompts(mask: np.ndarray, capabilities: Capabilities) -> Prompts:
    """The prompts for a slice whose neighbor has this mask.

    :param mask: (H, W) bool, not empty, on the pixels of the slice that is to be segmented.
    """
    return Prompts(boxes=paddedBox(mask)[None])


def paddedBox(mask: np.ndarray) -> np.ndarray:
    """The half-open box [x0, y0, x1, y1) float32 around a mask, widened, within the image."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    low = np.array([columns[0], rows[0]], np.float32)
    high = np.array([columns[-1] + 1, rows[-1] + 1], np.float32)
    margin = np.maximum(BOX_MARGIN * (high - low), LEAST_MARGIN)
    size = np.array(mask.shape[::-1], np.float32)
    return np.hstack([np.maximum(low - margin, 0), np.minimum(high + margin, size)]).astype(np.float32)
