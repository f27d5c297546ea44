"""Find structures that nobody has labeled: the areas between the edges of a real image.

A model that follows them as well learns that a click may mean anything with a border, not only the organs of
its corpus.  Idea: the superpixel labels of ScribblePrompt (Wong et al., ECCV 2024); here by thresholds.
"""

import numpy as np
from scipy import ndimage

# Standard deviation, in pixels, of the smoothing that decides how coarse the regions are.
_SCALES = (0.7, 3.5)


def edge_regions(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Label map (H, W) int32 of an image, (H, W) or (H, W, 3) uint8; label 0 is not used.

    The smoothed image is cut at one to five gray levels, preferably those at which it is steep: there the
    borders are edges.
    """
    gray = image.astype(np.float32) if image.ndim == 2 else image @ _channel_mix(rng)
    scale = np.exp(rng.uniform(*np.log(_SCALES)))
    smooth = ndimage.gaussian_filter(gray, scale)
    levels = smooth.astype(np.uint8).ravel()
    slopes = ndimage.gaussian_gradient_magnitude(gray, scale).ravel()
    counts = np.bincount(levels, minlength=256)
    # Levels that hardly occur have no border worth following.
    steepness = np.bincount(levels, slopes, 256) / np.maximum(counts, levels.size / 256)
    chances = steepness**2 + 1e-9
    cuts = rng.choice(256, int(rng.integers(1, 6)), replace=False, p=chances / chances.sum())
    return (1 + np.digitize(smooth, np.sort(cuts))).astype(np.int32)


def _channel_mix(rng):
    weights = rng.random(3).astype(np.float32) + 0.1
    return weights / weights.sum()
