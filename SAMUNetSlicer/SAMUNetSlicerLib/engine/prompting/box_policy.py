"""Follow clicks by networks that were trained on boxes only.

The first click becomes a box (`box_from_click`).  A later click that the mask follows already changes
nothing.  Otherwise a box that is wrong is corrected and decoded again: it grows to a positive click
beside it, and a box that came from a click shrinks to what a negative click leaves; a positive click far
from all boxes is another part.  Where the network, asked that way, does not follow the clicks, or the
click lies inside a box that the user drew, the mask is changed by the edges of the image.

Clicks and earlier logits are not given to such a network: LiteMedSAM's Dice from a point is 0.005.
"""

from dataclasses import replace
from typing import Optional, Tuple

import numpy as np

from ..types import NEGATIVE, POSITIVE
from .box_from_click import candidate_boxes, choose_box
from .boxes import bounding_box, box_with_point, clipped
from .click_state import Outline, Part, View
from .postprocess import covers, violated

_GROWTH = 0.2  # of its own size, around the click that a box grows to

Parts = Tuple[Part, ...]


def add_click(view: View, outline: Outline, points: np.ndarray, labels: np.ndarray) -> Outline:
    """Return the outline after one more click, the last of ``points`` (k, 2) and ``labels`` (k,)."""
    wanted = labels[-1] == POSITIVE
    if covers(outline.mask, points[-1]) == wanted:
        return outline
    correct = _towards if wanted else _away_from
    parts = correct(view, outline.parts, points, labels)
    if parts is None:
        mask, notes = view.followed(outline.mask, points, labels)
        return Outline(outline.parts, mask, (*outline.notes, *notes))
    mask, notes = view.followed(view.union(parts), points, labels)
    return Outline(parts, mask, notes)


def _towards(view: View, parts: Parts, points: np.ndarray, labels: np.ndarray) -> Optional[Parts]:
    """Return the parts with the nearest one grown to the last click, or with a new one there."""
    near = [part for part in parts if part.is_near(points[-1])]
    if not near:
        return (*parts, _part_from_click(view, points, labels))
    part = min(near, key=lambda part: part.distance_to(points[-1]))
    if part.origin == "mask" or part.distance_to(points[-1]) == 0:
        return None
    box = clipped(box_with_point(part.box, points[-1], _GROWTH), view.size)
    return _redecoded(view, parts, part, box, points, labels)


def _away_from(view: View, parts: Parts, points: np.ndarray, labels: np.ndarray) -> Optional[Parts]:
    """Return the parts with the box of the one under the last click fitted to what is left without it."""
    for part in parts:
        if part.origin == "click" and covers(part.decoded.mask, points[-1]):
            left = _without_click(view, part, points, labels)
            return _redecoded(view, parts, part, bounding_box(left), points, labels) if left.any() else None
    return None


def _without_click(view, part, points, labels):
    mask = part.decoded.mask
    mine = [i for i, point in enumerate(points) if labels[i] == NEGATIVE or covers(mask, point)]
    return view.followed(mask, points[mine], labels[mine])[0]


def _redecoded(view, parts, part, box, points, labels) -> Optional[Parts]:
    """Return the parts with one decoded from another box; None if a click is not followed then."""
    fresh = replace(part, box=box, decoded=view.decode_boxes(box[None])[0])
    changed = tuple(fresh if other is part else other for other in parts)
    return None if violated(view.union(changed), points, labels) else changed


def _part_from_click(view, points, labels) -> Part:
    boxes = candidate_boxes(points[-1], view.size, view.relief)
    decoded = view.decode_boxes(boxes)
    best = choose_box([one.mask for one in decoded], points, labels, view.relief)
    return Part(decoded[best], boxes[best], "click")
