"""Agreement of two boolean masks of one size."""

import numpy as np
from scipy import ndimage

# Keeps two empty masks at 1, as SAM-Med2D and SAM-UNet score them.
_EPSILON = 1e-7


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Compute |A and B| / |A or B|; 1 if both are empty."""
    return float((np.count_nonzero(mask & truth) + _EPSILON) / (np.count_nonzero(mask | truth) + _EPSILON))


def surface_dice(mask: np.ndarray, truth: np.ndarray, tolerance: float = 2.0) -> float:
    """Fraction of both outlines that lies within ``tolerance`` pixels of the other; 1 if both are empty.

    Nikolov et al., "Clinically applicable segmentation of head and neck anatomy", 2018, with every outline
    pixel (4 neighbors) counting the same.
    """
    if not mask.any() or not truth.any():
        return float(mask.any() == truth.any())
    mask, truth = _cropped(mask, truth, int(np.ceil(tolerance)) + 1)
    outlines = [_outline(mask), _outline(truth)]
    near = [ndimage.distance_transform_edt(~outline) <= tolerance for outline in outlines]
    within = np.count_nonzero(outlines[0] & near[1]) + np.count_nonzero(outlines[1] & near[0])
    return within / sum(map(np.count_nonzero, outlines))


def _cropped(mask, truth, margin):
    """Crop both masks around their union, with ``margin`` pixels of background: distances there are the
    same.
    """
    union = mask | truth
    window = []
    for axis in (1, 0):
        places = np.flatnonzero(union.any(axis))
        window.append(slice(places[0], places[-1] + 1))
    return tuple(np.pad(each[tuple(window)], margin) for each in (mask, truth))


def _outline(mask):
    return mask & ~ndimage.binary_erosion(mask)
