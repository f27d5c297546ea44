"""Fuse the network's answer on a slice with what the structure was learned to look like.

The head sees intensities and no shapes, the network the shape and, from one prompt, little of what is meant:
where one of them is wrong, the other often is not.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..overlap import dice
from ..prompting import pieces_at
from ..types import Prediction
from .appearance import Known
from .learner import around, log_odds

_WEIGHT = 0.3  # of the head
_SURE = 6.0  # the network counts for no more
# The head counts for less: it decides where the network is in doubt.  Where it could overrule the network, it
# spread into neighbors of the same brightness, slice by slice, such as from the liver into the chest wall.
_SURE_OF_HEAD = 1.0
_NETWORK_SCALE = 0.5  # the network's logits are larger than the head's
_AROUND = 0.35  # sizes of the neighbor's mask on each side: how far the structure may reach
_LEAST = 1e-3  # of a logit, so that its sign tells the mask


class Recognition(NamedTuple):
    """Network's answer fused with what was learned.

    ``prediction``: fused; ``agreement``: Dice of the network's mask with the head's, in [0, 1];
    ``likeness``: the head's mean probability in the fused mask, 0 if that is empty.
    """

    prediction: Prediction
    agreement: float
    likeness: float


def recognized(prediction: Prediction, known: Known) -> Recognition:
    """Fuse a prediction with what a structure looks like.

    :param prediction: of the network for a slice (H, W).
    :param known: of the same slice.  Only pieces that touch the neighbor's mask are taken.
    """
    neighbor = known.neighbor
    box = around(neighbor, _AROUND)
    inside = slice(box[1], box[3]), slice(box[0], box[2])
    head = log_odds(known.appearance, known.values, box)
    network = (prediction.logits[inside] * _NETWORK_SCALE).clip(-_SURE, _SURE)
    logits = np.full(neighbor.shape, -_SURE, np.float32)
    logits[inside] = (1 - _WEIGHT) * network + _WEIGHT * head.clip(-_SURE_OF_HEAD, _SURE_OF_HEAD)
    looks_alike = np.zeros(neighbor.shape, bool)
    looks_alike[inside] = head > 0
    mask = pieces_at(neighbor & (logits > 0), logits > 0)
    logits = np.where(mask, np.maximum(logits, _LEAST), np.minimum(logits, -_LEAST))
    likeness = float((1 / (1 + np.exp(-head[mask[inside]]))).mean()) if mask.any() else 0.0
    fused = replace(prediction, mask=mask, logits=logits)
    return Recognition(fused, dice(prediction.mask, looks_alike & (prediction.mask | mask)), likeness)
