"""Turn one click into a box, for networks that were trained on boxes only.

Such a network outlines something in any box, so the boxes are asked in numbers: a structure that is
really there comes out of many different boxes as the same mask, whereas a box around nothing gives a
mask that follows the box.  Boxes of several sizes and aspects around the click, and the bounding boxes
of what can be reached from the click without crossing edges, are decoded together.  Of the masks that
contain the click, the one that agrees best with all others and whose border follows edges is taken.
`Testing/benchmarks/bench_click_to_box.py` measures it; refining the winner by decoding the bounding box
of its mask was tried and makes masks worse (Dice -0.006).
"""

from typing import Sequence, Tuple

import numpy as np

from .boxes import bounding_box, clipped
from .edge_map import EdgeMap
from .postprocess import covers, violated

# Shares of the image's longer side.  Larger and smaller ones agree with each other about nothing.
_SQUARES = np.geomspace(0.076, 0.62, 6)
_OBLONGS = np.geomspace(0.114, 0.49, 4)
_ASPECTS = (0.5, 2.0)  # width / height, area as the square's
_REGIONS = np.geomspace(0.003, 0.525, 5)  # shares of the image's area, nearest pixels first
_BORDER_WEIGHT = 0.08  # from 0.05 to 0.12 the masks are equally good
_COMPARED = 256  # longest side at which masks are compared


def candidate_boxes(click: np.ndarray, size: Tuple[int, int], relief: EdgeMap) -> np.ndarray:
    """Return boxes (n, 4) around a click, within the image, all different.

    :param click: (x, y); ``size``: (H, W) of the image; ``relief``: of the image.
    """
    sides = [(side, side) for side in _SQUARES]
    sides += [(side * aspect**0.5, side / aspect**0.5) for side in _OBLONGS for aspect in _ASPECTS]
    half = np.array(sides) * max(size) / 2
    center = np.asarray(click, np.float64) + 0.5
    boxes = np.vstack([np.hstack([center - half, center + half]), _region_boxes(click, size, relief)])
    return np.unique(clipped(boxes, size), axis=0)


def choose_box(masks: Sequence[np.ndarray], points: np.ndarray, labels: np.ndarray, relief: EdgeMap) -> int:
    """Return the index of the mask that most likely is the structure under the last click.

    :param masks: (H, W) bool, one for each candidate box; ``points``: (k, 2); ``labels``: (k,).
    """
    follows = np.array([not violated(mask, points, labels) for mask in masks])
    holds_click = np.array([covers(mask, points[-1]) for mask in masks])
    eligible = next((some for some in (follows, holds_click) if some.any()), np.ones(len(masks), bool))
    strengths = np.array([relief.border_strength(relief.shrink(mask)) for mask in masks])
    scores = _agreement(masks, eligible) + _BORDER_WEIGHT * strengths
    return int(np.argmax(np.where(eligible, scores, -np.inf)))


def _region_boxes(click: np.ndarray, size: Tuple[int, int], relief: EdgeMap) -> np.ndarray:
    distance = relief.distance(relief.seed(click))
    limits = np.quantile(distance, _REGIONS)
    boxes = [bounding_box(distance <= limit) for limit in limits]
    factors = np.array([size[1], size[0]]) / np.array(distance.shape[::-1])
    return np.array(boxes) * np.tile(factors, 2)


def _agreement(masks: Sequence[np.ndarray], voters: np.ndarray) -> np.ndarray:
    """Return mean intersection over union of each mask with the other voters' masks."""
    step = -(-max(masks[0].shape) // _COMPARED)
    flat = np.stack([mask[::step, ::step].ravel() for mask in masks]).astype(np.float32)
    common, areas = flat @ flat.T, flat.sum(1)
    overlap = common / np.maximum(areas[:, None] + areas - common, 1)
    np.fill_diagonal(overlap, 0)
    return overlap @ voters / voters.sum()
