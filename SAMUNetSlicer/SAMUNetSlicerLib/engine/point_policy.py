"""Clicks for networks that were trained on them: points, with the logits of the step before.

Each click belongs to the part that it is near to and that part alone is decoded again, with all its
clicks, its box and, where the network takes them, its own logits of the step before.  If a click is not
followed then, the part is decoded once more without those logits, which can hold a mistake in place;
what still is not followed is changed by the edges of the image.
"""

from typing import Optional, Tuple

import numpy as np

from .local_edit import follow_clicks
from .outline import Outline, Part, View
from .postprocess import violated
from .types import POSITIVE

Parts = Tuple[Part, ...]


def add_click(view: View, outline: Outline, points: np.ndarray, labels: np.ndarray) -> Outline:
    """The outline after one more click, the last of ``points`` (k, 2) and ``labels`` (k,)."""
    parts = outline.parts
    owner = _owner(parts, points[-1], labels[-1])
    if owner is not None and owner.origin == "mask":
        mask, notes = follow_clicks(outline.mask, points, labels, view.relief)
        return Outline(parts, mask, (*outline.notes, *notes))
    parts = _decoded(view, parts, owner, points, labels)
    mask, notes = follow_clicks(view.union(parts), points, labels, view.relief)
    return Outline(parts, mask, tuple(notes))


def _owner(parts: Parts, point: np.ndarray, label: int) -> Optional[Part]:
    """The part that a click is about; None for a new one."""
    if not parts:
        return None
    nearest = min(parts, key=lambda part: part.distance_to(point))
    is_elsewhere = label == POSITIVE and nearest.origin != "points" and not nearest.is_near(point)
    return None if is_elsewhere else nearest


def _decoded(view: View, parts: Parts, owner: Optional[Part], points, labels) -> Parts:
    last = len(points) - 1
    # Negative clicks made before there was a part belong to the first one.
    clicks = (*owner.clicks, last) if owner is not None else (last,) if parts else tuple(range(last + 1))
    box = None if owner is None else owner.box
    earlier = None if owner is None else owner.decoded.low_res_logits
    candidates = []
    for logits in [earlier, None] if view.takes_masks and earlier is not None else [None]:
        decoded = view.decode_points(points[list(clicks)], labels[list(clicks)], box, logits)
        part = Part(decoded, box, "points" if owner is None else owner.origin, clicks)
        candidates.append(_replaced(parts, owner, part))
        if not violated(view.union(candidates[-1]), points, labels):
            break
    return min(candidates, key=lambda one: len(violated(view.union(one), points, labels)))


def _replaced(parts: Parts, old: Optional[Part], new: Part) -> Parts:
    return (*parts, new) if old is None else tuple(new if part is old else part for part in parts)
