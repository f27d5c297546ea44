"""Take a magnified crop of what is small.

A network sees a picture shrunk to its input: of a nodule that is 15 pixels wide on a slice of 512 x 512 it
gets 13.  If a box is much smaller than the image, it is shown a part of the image instead, enlarged.

Measured with the compact SAM-UNet (Testing/benchmarks/bench_close_up.py): boxes shorter than a tenth of the
image gain; one click alone does not, because what it means is seen from afar.
"""

from dataclasses import dataclass, replace
from typing import Tuple

import numpy as np

from ..types import Capabilities, Prediction, Prompts
from .boxes import bounding_box, clipped

_SMALL = 0.1  # of the longer side of the image: what is prompted extends no farther
_SURROUNDINGS = 2  # times as wide as what is prompted is the part at least ...
_LEAST_SIDE = 32  # ... and so many pixels
# Parts come in few sizes, and lie at multiples of a step, so that boxes alike share one that is encoded.
_SIZE_RATIO = 2**0.5
_STEPS = 8  # per side
_ABSENT_LOGIT = -10.0


@dataclass(frozen=True)
class CloseUp:
    """The part of an image that the network sees, half-open ranges of rows and columns.

    ``size``: (H, W) of the image.
    """

    rows: Tuple[int, int]
    columns: Tuple[int, int]
    size: Tuple[int, int]

    @property
    def is_whole(self) -> bool:
        return self.rows == (0, self.size[0]) and self.columns == (0, self.size[1])

    def image(self, image: np.ndarray) -> np.ndarray:
        """Return the part of an image (H, W) or (H, W, 3), contiguous."""
        return np.ascontiguousarray(image[slice(*self.rows), slice(*self.columns)])

    def prompts(self, prompts: Prompts) -> Prompts:
        """Convert prompts on the image to prompts on the part."""
        if self.is_whole:
            return prompts
        corner = np.array([self.columns[0], self.rows[0]], np.float32)
        mask = None if prompts.mask is None else self.image(prompts.mask)
        points, boxes = prompts.points - corner, prompts.boxes - np.tile(corner, 2)
        return replace(prompts, points=points, boxes=boxes, mask=mask)

    def prediction(self, prediction: Prediction) -> Prediction:
        """Convert a prediction on the part to one on the image; ``low_res_logits`` stay those of the part."""
        if self.is_whole:
            return prediction
        inside = slice(*self.rows), slice(*self.columns)
        mask, logits = np.zeros(self.size, bool), np.full(self.size, _ABSENT_LOGIT, np.float32)
        mask[inside], logits[inside] = prediction.mask, prediction.logits
        corner = np.array([self.columns[0], self.rows[0]] * 2, np.float32)
        return replace(prediction, mask=mask, logits=logits, boxes=prediction.boxes + corner)


def close_up(prompts: Prompts, size: Tuple[int, int], capabilities: Capabilities) -> CloseUp:
    """Choose what the network should see for these prompts: the whole image, or a part around small boxes.

    Depends on nothing but its arguments, so that predictions can be replayed.

    :param prompts: boxes may reach beyond the image; ``size``: (H, W) of the image.
    """
    height, width = size
    whole = CloseUp((0, height), (0, width), (height, width))
    if not capabilities.close_up or not len(prompts.boxes):
        return whole
    extent = clipped(_extent(prompts), size)
    length = float((extent[2:] - extent[:2]).max())
    if length > _SMALL * max(size):
        return whole
    side = _side(max(_LEAST_SIDE, _SURROUNDINGS * length), max(size))
    x, y = (extent[:2] + extent[2:]) / 2
    return CloseUp(_range(y, side, height), _range(x, side, width), (height, width))


def _side(needed, longest):
    """Return the least of the sizes that is not below what is needed."""
    side = float(longest)
    while side / _SIZE_RATIO >= needed:
        side /= _SIZE_RATIO
    return side


def _extent(prompts):
    """Return the box (4,) around all prompts."""
    points = np.asarray(prompts.points, np.float32).reshape(-1, 2)
    corners = [prompts.boxes, np.hstack([points, points + 1])]
    if prompts.mask is not None:
        corners.append(bounding_box(prompts.mask)[None])
    rows = np.concatenate(corners)
    return np.concatenate([rows[:, :2].min(0), rows[:, 2:].max(0)])


def _range(middle, side, length):
    """Choose at most ``side`` pixels of ``length`` around the middle, from a multiple of a step."""
    step = side / _STEPS
    start = round((middle - side / 2) / step) * step
    start = int(min(max(start, 0), max(length - side, 0)))
    return start, min(length, int(np.ceil(start + side)))
