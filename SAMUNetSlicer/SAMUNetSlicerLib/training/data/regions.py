"""Find structures that nobody has labeled: the areas between the edges of a real image.

A model that follows them as well learns that a click may mean anything with a border, not only the organs of
its corpus.  Idea: the superpixel labels of ScribblePrompt (Wong et al., ECCV 2024); here by thresholds and
by flooding (Beucher and Meyer's watershed, as scipy's image foresting transform).
"""

import numpy as np
from scipy import ndimage

# Standard deviation, in pixels, of the smoothing that decides how coarse the regions are.
_SCALES = (0.7, 3.5)
# Number of basins, and the side of the image in which they are found.
_BASINS = (6, 60)
_FLOODED_SIDE = 192
# Times the image's mean slope that a basin's border has, or the basin is no structure.
_STEEP = 1.5


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


def superpixels(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a label map (H, W) int32 of an image, (H, W) or (H, W, 3) uint8: basins between its edges.

    The slopes of the smoothed image are flooded from random places; a border runs along an edge wherever one
    lies between two places.  What has no edges around it is left as background, 0.
    """
    gray = image.astype(np.float32) if image.ndim == 2 else image @ _channel_mix(rng)
    step = max(1, max(gray.shape) // _FLOODED_SIDE)
    slopes = ndimage.gaussian_gradient_magnitude(gray, step * np.exp(rng.uniform(*np.log(_SCALES))))[
        ::step, ::step
    ]
    heights = (255 * slopes / max(float(np.quantile(slopes, 0.99)), 1e-6)).clip(0, 255).astype(np.uint8)
    places = np.zeros(heights.shape, np.int32)
    count = min(int(np.exp(rng.uniform(*np.log(_BASINS)))), places.size)
    places.ravel()[rng.choice(places.size, count, replace=False)] = np.arange(1, count + 1)
    basins = _with_edges(ndimage.watershed_ift(heights, places, np.ones((3, 3), int)), slopes)
    return basins.repeat(step, 0).repeat(step, 1)[: gray.shape[0], : gray.shape[1]].astype(np.int32)


def _with_edges(basins, slopes):
    """Keep the basins whose borders are steeper than the image's mean, the best one in any case; others 0."""
    border = basins != ndimage.minimum_filter(basins, 3)
    border |= basins != ndimage.maximum_filter(basins, 3)
    steepness = np.bincount(basins[border], slopes[border], basins.max() + 1)
    steepness /= np.maximum(1, np.bincount(basins[border], minlength=basins.max() + 1))
    kept = steepness >= _STEEP * slopes.mean()
    kept[steepness.argmax()] = True
    return np.where(kept[basins], basins, 0)


def _channel_mix(rng):
    weights = rng.random(3).astype(np.float32) + 0.1
    return weights / weights.sum()
