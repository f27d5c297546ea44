"""Question a model by fixed prompts in a fixed order; the same for every model and every run.

Protocols: boxes exact, shifted by 5 pixels, 5 and 10 % larger, 5 % smaller; clicks at the center of the
largest error, alone (up to 20) and after an exact box (up to 5).  Sources: ScribblePrompt's center clicks,
RITM's NoC.
"""

import zlib
from dataclasses import dataclass
from typing import Callable, Iterator, Tuple

import numpy as np

from ...engine.overlap import dice
from ...engine.types import Prediction, Prompts
from ..data import fitted_box, next_click, scaled_box, shifted_box, tight_box
from .metrics import iou, surface_dice

EXACT, SHIFTED = "box exact", "box shifted 5 px"
LARGER_5, LARGER_10, SMALLER_5 = "box 5 % larger", "box 10 % larger", "box 5 % smaller"
CLICKS, BOX_CLICKS = "clicks", "box + clicks"
MAX_CLICKS, MAX_BOX_CLICKS = 20, 5
# A case is over when it needs no further click: what comes after would only confirm it.
GOOD_IOU = 0.90
REPORTED_CLICKS = 10
_DIRECTIONS = ((5, 0), (-5, 0), (0, 5), (0, -5))

Ask = Callable[[Prompts], Prediction]


@dataclass(frozen=True)
class Answer:
    """The score of one prediction: ``clicks`` given so far, ``confidence`` as the model's stability score."""

    protocol: str
    clicks: int
    dice: float
    iou: float
    surface_dice: float
    confidence: float


def boxes(truth: np.ndarray, name: str) -> Iterator[Tuple[str, np.ndarray]]:
    """Yield (protocol, half-open box) of a structure; its ``name`` chooses the direction of the shift."""
    box = tight_box(truth)
    direction = _DIRECTIONS[zlib.crc32(name.encode()) % len(_DIRECTIONS)]
    variants = {
        EXACT: box,
        SHIFTED: shifted_box(box, *direction),
        LARGER_5: scaled_box(box, 1.05),
        LARGER_10: scaled_box(box, 1.10),
        SMALLER_5: scaled_box(box, 0.95),
    }
    for protocol, variant in variants.items():
        yield protocol, fitted_box(variant, truth.shape)


def question(ask: Ask, truth: np.ndarray, name: str, clicks: int = MAX_CLICKS) -> Iterator[Answer]:
    """Yield all answers of a model about one structure.

    :param ask: gives the model's prediction for prompts on the structure's image.
    :param truth: (H, W) bool, not empty.
    :param clicks: ask with up to so many clicks, and five after a box; 20 take six times as long as none.
    """
    for protocol, box in boxes(truth, name):
        yield _answer(protocol, 0, ask(Prompts(boxes=box[None])), truth)
    yield from _clicking(ask, truth, CLICKS, np.zeros((0, 4), np.float32), clicks)
    yield from _clicking(ask, truth, BOX_CLICKS, tight_box(truth)[None], min(clicks, MAX_BOX_CLICKS))


def _clicking(ask, truth, protocol, box, limit):
    points, labels = [], []
    mask = ask(Prompts(boxes=box)).mask if len(box) else np.zeros_like(truth)
    for count in range(1, limit + 1):
        click = next_click(mask, truth)
        if click is not None:
            points.append(click[:2])
            labels.append(click[2])
        prediction = ask(Prompts(np.array(points, np.float32), np.array(labels, np.int64), box))
        answer = _answer(protocol, count, prediction, truth)
        yield answer
        mask = prediction.mask
        if answer.iou >= GOOD_IOU and count >= REPORTED_CLICKS:
            return


def _answer(protocol, clicks, prediction, truth):
    mask = prediction.mask
    scores = dice(mask, truth), iou(mask, truth), surface_dice(mask, truth)
    return Answer(protocol, clicks, *scores, float(prediction.confidence))
