"""Turn the mask of one slice into the prompts of the next.

A box around the mask and nothing else, also for networks that take masks and points: with the mask as a
prompt they go on beyond the end of the structure and stay sure of it.  Compared on real labeled CT and MR
volumes (Testing/benchmarks/bench_propagation_rules.py), mean 3D Dice from one prompted slice:

- compact SAM-UNet on the true slices within 15 of it, 50 runs: tight box 0.782, with a point in the depth of
  the mask 0.775, with the mask 0.782, with both 0.774; up to the product's own ends, 21 runs: 0.820, 0.815,
  0.790, 0.797.  Box wider by 2 % of its size on each side: 0.830 instead of 0.852, 21 runs;
- LiteMedSAM, 48 runs: wider by 3 % 0.728, 5 % 0.767, 7 % 0.780, 10 % 0.781, 14 % 0.758.

Between two key slices it is known where the structure is to arrive.  Compact SAM-UNet, 17 structures, mean
3D Dice between 2 and between 3 key slices: box of the neighbor 0.746 and 0.765, box on the straight line from
key to key 0.746 and 0.785, halfway between these two 0.752 and 0.783, box of the shape interpolated
morphologically 0.710 and 0.750, that shape itself 0.714 and 0.739.  Halfway follows bends, too.
Testing/benchmarks/bench_propagation_quality.py measures the one that was chosen; the others were trials.
"""

from typing import List, NamedTuple, Optional

import numpy as np

from ...engine.prompting import pieces_of
from ...engine.types import Capabilities, Prompts

# A network that was trained with boxes alone never draws beyond them: without room the mask would shrink from
# slice to slice.  One that was trained to correct masks goes beyond the box by itself, and would grow.
_MARGIN_OF_BOX_NETWORKS, _MARGIN = 0.08, 0.0

# Which pieces of a mask are parts of the structure: of the area of the largest one, and in pixels.
_LEAST_PART, _LEAST_PIXELS, _MOST_PARTS = 0.08, 4, 4
_SAME_BOX = 0.3  # of the smaller box


class Course(NamedTuple):
    """From key to key: masks (H, W) bool, not empty, on the pixels of the slice that is to be segmented, and
    how far it lies along the way, in [0, 1]."""

    start: np.ndarray
    goal: np.ndarray
    share: float

    def box(self, margin: float) -> np.ndarray:
        start, goal = boxAround(self.start, margin), boxAround(self.goal, margin)
        return start + np.float32(self.share) * (goal - start)


def neighborPrompts(mask: np.ndarray, capabilities: Capabilities, course: Optional[Course] = None) -> Prompts:
    """Return the prompts for a slice whose neighbor has this mask: a box, tight if the network takes masks,
    else wider by 8 % of the mask's width and height on each side; between keys halfway to the box of their
    course.

    A structure in several parts gets a box around each of them: in one box around all of them the network
    finds what lies between.

    :param mask: (H, W) bool, not empty, on the pixels of the slice that is to be segmented.
    """
    margin = _MARGIN_OF_BOX_NETWORKS if capabilities.mask == "none" else _MARGIN
    boxes = _boxesOfParts(mask, margin)
    if course is None or len(boxes) > 1:
        return Prompts(boxes=boxes)
    return Prompts(boxes=(boxes + course.box(margin)) / 2)


def _boxesOfParts(mask: np.ndarray, margin: float) -> np.ndarray:
    """Return boxes (n, 4), n >= 1, around the large pieces of a mask; pieces whose boxes overlap share
    one.
    """
    x0, y0, x1, y1 = boxAround(mask, 0).astype(int)
    pieces = pieces_of(mask[y0:y1, x0:x1])[:_MOST_PARTS]
    least = max(_LEAST_PART * np.count_nonzero(pieces[0]), _LEAST_PIXELS)
    boxes: List[np.ndarray] = []
    for piece in (piece for piece in pieces if piece is pieces[0] or np.count_nonzero(piece) >= least):
        box = boxAround(piece, 0)
        for other in boxes:
            if _shareOfSmaller(box, other) > _SAME_BOX:
                other[:2], other[2:] = np.minimum(other[:2], box[:2]), np.maximum(other[2:], box[2:])
                break
        else:
            boxes.append(box)
    if len(boxes) == 1:
        return boxAround(mask, margin)[None]
    reach = margin * np.array([box[2:] - box[:2] for box in boxes])
    size = np.array(mask.shape[::-1])
    low = np.maximum(np.array(boxes)[:, :2] + (x0, y0) - reach, 0)
    high = np.minimum(np.array(boxes)[:, 2:] + (x0, y0) + reach, size)
    return np.hstack([low, high]).astype(np.float32)


def _shareOfSmaller(a: np.ndarray, b: np.ndarray) -> float:
    """Return how much of the smaller of two boxes lies in the other one, in [0, 1]."""
    common = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).prod()
    return float(common / min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod()))


def boxAround(mask: np.ndarray, margin: float) -> np.ndarray:
    """Return the half-open box [x0, y0, x1, y1) float32 around a mask, within the image.

    :param margin: by how much it is wider on each side, as a part of the mask's width and height.
    """
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    low = np.array([columns[0], rows[0]])
    high = np.array([columns[-1] + 1, rows[-1] + 1])
    reach = margin * (high - low)
    size = np.array(mask.shape[::-1])
    return np.hstack([np.maximum(low - reach, 0), np.minimum(high + reach, size)]).astype(np.float32)
