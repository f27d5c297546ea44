"""Following a click by changing the mask around it, where the network does not.

What belongs to the click is decided by the image: the area that is reached from it before crossing the
edge to what is sure to be something else, in geodesic distance.
"""

from typing import List, Tuple

import numpy as np

from .geodesic import geodesic_distance
from .postprocess import pixel_under, violated
from .relief import Relief
from .types import NEGATIVE, POSITIVE

_SPECK = 0.003  # of the image's area: what a click adds where there is no mask to compare with
_REACH_STEPS = 1.5  # times as many steps as to the mask: even ground has no edge to stop at
_CORE_DEPTH = 0.7  # of the greatest depth: this far from its border a mask is its core ...
_CORE_DISTANCE = 1.5  # ... if as many times farther from the click than the click is from the border


def follow_clicks(
    mask: np.ndarray, points: np.ndarray, labels: np.ndarray, relief: Relief
) -> Tuple[np.ndarray, List[str]]:
    """A mask on which every click lies as its label says, and what was done to it, in sentences.

    Only clicks at one and the same pixel with different labels cannot all be followed: the last one is.

    :param mask: (H, W) bool; ``points``: (k, 2); ``labels``: (k,); ``relief``: of the image.
    """
    notes = []
    for i in violated(mask, points, labels):
        if i in violated(mask, points, labels):  # an earlier change may have followed it
            edit, did = (_added, "added to") if labels[i] == POSITIVE else (_removed, "removed from")
            mask = edit(mask, points[i], points, labels, relief)
            notes.append(
                f"The area around click {i + 1} was {did} the mask by its edges, not by the network."
            )
    mask = mask.copy()
    for point, label in zip(points, labels):
        column, row = pixel_under(point, mask.shape)
        mask[row, column] = label == POSITIVE
    for i in violated(mask, points, labels):
        notes.append(f"Click {i + 1} is not followed, because a later click says the opposite at its place.")
    return mask, notes


def _added(mask, click, points, labels, relief):
    """With all that is no farther from the click than the mask is, by the edges and not much by steps."""
    seed = relief.seed(click)
    distance, small = relief.distance(seed), relief.shrink(mask)
    within = np.ones_like(small)
    reach = np.quantile(distance, _SPECK)
    if small.any():
        steps = _steps_from(seed)
        reach = distance[small].min()
        within = steps <= _REACH_STEPS * steps[small].min()
    negatives = points[labels == NEGATIVE]
    if len(negatives):
        within &= distance < relief.distance(relief.seed(negatives))
    return mask | (relief.enlarge(np.where(within, reach - distance, -1.0)) >= 0)


def _removed(mask, click, points, labels, relief):
    """Without all that is closer to the click than to the core of the mask and to the positive clicks."""
    small = relief.shrink(mask)
    kept = _core(small, relief.seed(click)) | relief.seed(points[labels == POSITIVE])
    closer_to_core = relief.distance(kept) - relief.distance(relief.seed(click))
    return mask & (relief.enlarge(closer_to_core) <= 0)


def _core(mask: np.ndarray, click: np.ndarray) -> np.ndarray:
    """The deep inside of a mask (h, w), clear of the click (h, w); never empty unless all is."""
    depth = np.where(mask, _steps_from(~np.pad(mask, 1))[1:-1, 1:-1], 0)
    away = _steps_from(click)
    core = (depth >= _CORE_DEPTH * depth.max()) & (away >= _CORE_DISTANCE * depth[click].max())
    return core & mask if (core & mask).any() else mask & (np.minimum(depth, away) == _deepest(depth, away))


def _deepest(depth, away):
    return max(1, np.minimum(depth, away).max())


def _steps_from(seeds: np.ndarray) -> np.ndarray:
    """City-block distance (h, w) from the seeds (h, w)."""
    height, width = seeds.shape
    return geodesic_distance(np.ones((height, width - 1)), np.ones((height - 1, width)), seeds)
