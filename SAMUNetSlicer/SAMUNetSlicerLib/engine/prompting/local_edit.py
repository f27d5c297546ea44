"""Follow a click by changing the mask around it, where the network does not.

What belongs to the click is decided by the image: the area that is reached from it before crossing the
edge to what is sure to be something else, in geodesic distance.
"""

from typing import List, Tuple

import numpy as np

from ..types import NEGATIVE, POSITIVE
from .edge_map import EdgeMap
from .geodesic import geodesic_distance
from .postprocess import pixel_under, violated

_SPECK = 0.003  # of the image's area: what a click adds where there is no mask to compare with
_REACH_STEPS = 1.5  # times as many steps as to the mask: even ground has no edge to stop at
_CORE_DEPTH = 0.7  # of the greatest depth: this far from its border a mask is its core ...
_CORE_DISTANCE = 1.5  # ... if as many times farther from the click than the click is from the border
_RIM = 2  # steps on the grid: what the grid is too coarse to see of a mask's border


def follow_clicks(
    mask: np.ndarray, points: np.ndarray, labels: np.ndarray, relief: EdgeMap
) -> Tuple[np.ndarray, List[str]]:
    """Change a mask so that every click lies as its label says; return it and what was done, in sentences.

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
    """Add all that is no farther from the click than the mask is, by the edges and not much by steps."""
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
    """Remove all that is closer to the click than to the core of the mask and to the positive clicks."""
    small, seed = relief.shrink(mask), relief.seed(click)
    piece = _connected(small, seed)
    kept = _core(piece, seed) | relief.seed(points[labels == POSITIVE])
    closer_to_click = relief.distance(kept) - relief.distance(seed)
    concerned = (_steps_from(piece) <= _RIM) & ~(small & ~piece)
    return mask & ~(relief.pixels_in(concerned) & (relief.enlarge(closer_to_click) > 0))


def _connected(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Return the piece of a mask (h, w) that the seed (h, w) lies in or beside."""
    outside = ~mask
    walls_x, walls_y = outside[:, 1:] | outside[:, :-1], outside[1:] | outside[:-1]
    return mask & (geodesic_distance(walls_x, walls_y, seed) <= 1)


def _core(piece: np.ndarray, click: np.ndarray) -> np.ndarray:
    """Return the deep inside of a piece (h, w) of a mask, clear of the click (h, w); never empty unless all
    is.
    """
    depth = np.where(piece, _steps_from(~np.pad(piece, 1))[1:-1, 1:-1], 0)
    away = _steps_from(click)
    core = piece & (depth >= _CORE_DEPTH * depth.max()) & (away >= _CORE_DISTANCE * depth[click].max())
    if core.any():
        return core
    clear = np.minimum(depth, away)
    return piece & (clear == clear.max(initial=1))


def _steps_from(seeds: np.ndarray) -> np.ndarray:
    """City-block distance (h, w) from the seeds (h, w)."""
    height, width = seeds.shape
    return geodesic_distance(np.ones((height, width - 1)), np.ones((height - 1, width)), seeds)
