"""Name the kind of shape of a structure: networks that do well on compact ones fail on rings and trees."""

import numpy as np
from scipy import ndimage

from .corpus import EIGHT_NEIGHBORS, MIN_FRACTION, targets

COMPACT, RING, TREE, MANY = "compact", "ring", "tree", "many parts"
# A ring's largest hole takes so much of its filled area, and most of all its holes.
_HOLE, _MAIN_HOLE = 0.15, 0.7
# Area over squared half width at the thickest place: 3 for a disc, 40 for a band ten times as long as wide.
_SLENDER = 40
_MANY_PARTS = 5
# An image is judged by its largest structures, seen coarsely.
_SIDE, _LARGEST = 128, 4


def kind_of_mask(mask: np.ndarray) -> str:
    """Name the kind of one connected structure (H, W) bool, not empty: ring, tree (or long band), compact."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    mask = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    holes, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    sizes = np.bincount(holes.ravel())[1:] if count else np.zeros(1)
    filled = mask.sum() + sizes.sum()
    if sizes.max() > _HOLE * filled and sizes.max() > _MAIN_HOLE * sizes.sum():
        return RING
    depth = ndimage.distance_transform_edt(mask).max() - 0.5
    return TREE if mask.sum() > _SLENDER * depth**2 else COMPACT


def kind_of_case(mask: np.ndarray, labels: np.ndarray, value: int) -> str:
    """Name the kind of one part of a label: as `kind_of_mask`, or "many parts" if the label has five or more.

    :param labels: (H, W) the image's label map; ``value``: of the label that ``mask`` is a part of.
    """
    parts, _ = ndimage.label(labels == value, EIGHT_NEIGHBORS)
    sizes = np.bincount(parts.ravel())[1:]
    # Specks do not count: the least is a tenth of the smallest structure that is evaluated.
    many = np.count_nonzero(sizes > 0.1 * MIN_FRACTION * labels.size) >= _MANY_PARTS
    kind = kind_of_mask(mask)
    return MANY if many and kind == COMPACT else kind


def kind_of_labels(labels: np.ndarray) -> str:
    """Name the kind of the image's structures that is rarest in general: ring, tree, many parts, compact."""
    step = max(1, max(labels.shape) // _SIDE)
    labels = np.ascontiguousarray(labels[::step, ::step])
    found = targets(labels)
    kinds = {kind_of_case(target.mask, labels, target.label) for target in found[:_LARGEST]}
    many = len(found) >= _MANY_PARTS
    return next((kind for kind in (RING, TREE, MANY) if kind in kinds), MANY if many else COMPACT)
