"""Turn an embedding and the user's prompts into a mask that follows them."""

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from typing import Optional, Tuple

import numpy as np

from ...errors import PromptError
from ..models import PromptableModel
from ..types import POSITIVE, Decoded, Embedding, Prediction, Prompts
from . import box_policy, point_policy
from .boxes import bounding_box
from .click_state import Outline, Part, View
from .prompt_check import checked_prompts

_NOTHING_FOUND = "Nothing was found there: draw the box closer to the structure or click into it."
_NOTHING_TO_REMOVE = "A background click only removes: click into the structure or draw a box around it."
_DRAWN_LOGIT = 7.0  # a probability of 0.999, for the pixels of a mask that the network was not asked about


class Predictor:
    """Predicts masks with one model; belongs to the thread of the model.

    :param remembered: how many lists of prompts are kept with their outcome.

    A prediction depends on nothing but embedding, image and the prompts in their order: the boxes and the
    mask to start from are decoded first, then the clicks are folded in one by one, each step starting from
    the outcome of the step before.  So a list of prompts can be replayed, and because the outcome of its
    beginnings is remembered, a further click, an undone one or a dragged last one costs one decode.
    """

    def __init__(self, model: PromptableModel, remembered: int = 32):
        self._model = model
        self._remembered = remembered
        self._outlines: OrderedDict[tuple, Tuple[Embedding, Outline]] = OrderedDict()

    def predict(
        self, embedding: Embedding, prompts: Prompts, image: Optional[np.ndarray] = None
    ) -> Prediction:
        """Segment one object.

        :param prompts: see `Prompts`; boxes partly outside the image are clipped.
        :param image: the uint8 image that was encoded, (H, W) or (H, W, 3); its edges guide boxes derived
            from clicks and local corrections, which are coarser without it.
        :raises PromptError: a prompt that makes no sense on this image, or that the model cannot take.
        """
        prompts = checked_prompts(prompts, embedding.original_size)
        self._refuse_what_the_model_cannot_take(prompts)
        view = View(self._model, embedding, image)
        outline = self._fold(view, prompts, (id(embedding), _digest(image)))
        if not outline.mask.any():
            reason = _NOTHING_FOUND if outline.parts else _NOTHING_TO_REMOVE
            outline = replace(outline, notes=(*outline.notes, reason))
        return view.prediction(outline)

    def _refuse_what_the_model_cannot_take(self, prompts: Prompts) -> None:
        if len(prompts.boxes) and not self._model.capabilities.boxes:
            raise PromptError(f"The model {self._model.model_id} takes no boxes; click into the structure.")

    def _fold(self, view: View, prompts: Prompts, scene: tuple) -> Outline:
        clicks = [(x, y, label) for (x, y), label in zip(prompts.points.tolist(), prompts.labels.tolist())]
        start = (*scene, prompts.boxes.tobytes(), _digest(prompts.mask))
        keys = [(start, *clicks[:k]) for k in range(len(clicks) + 1)]
        known = max((k for k, key in enumerate(keys) if key in self._outlines), default=None)
        if known is None:
            outline, known = _start(view, prompts), 0
            self._remember(keys[0], view.embedding, outline)
        else:
            self._outlines.move_to_end(keys[known])
            outline = self._outlines[keys[known]][1]
        for k in range(known + 1, len(keys)):
            outline = _add_click(view, outline, prompts.points[:k], prompts.labels[:k])
            self._remember(keys[k], view.embedding, outline)
        return outline

    def _remember(self, key: tuple, embedding: Embedding, outline: Outline) -> None:
        # The embedding is kept too: as long as it lives, no other one can have its id.
        self._outlines[key] = embedding, outline
        if len(self._outlines) > self._remembered:
            self._outlines.popitem(last=False)


def _start(view: View, prompts: Prompts) -> Outline:
    """Return the outline from boxes and mask alone."""
    boxes, mask = prompts.boxes, prompts.mask
    parts, logits = [], None
    if mask is not None and view.takes_masks:
        logits = view.low_res(mask)
        boxes = boxes if len(boxes) else bounding_box(mask)[None]
    elif mask is not None:
        parts.append(_drawn_part(view, mask))
    if len(boxes):
        decoded = view.decode_boxes(boxes, logits)
        parts += [Part(one, box, "drawn") for one, box in zip(decoded, boxes)]
    return Outline(tuple(parts), view.union(parts))


def _drawn_part(view: View, mask: np.ndarray) -> Part:
    logits = np.where(mask, _DRAWN_LOGIT, -_DRAWN_LOGIT).astype(np.float32)
    return Part(Decoded(view.low_res(mask), logits, mask), bounding_box(mask), "mask")


def _add_click(view: View, outline: Outline, points: np.ndarray, labels: np.ndarray) -> Outline:
    if not outline.parts and labels[-1] != POSITIVE:
        return outline
    policy = point_policy if view.model.capabilities.points else box_policy
    return policy.add_click(view, outline, points, labels)


def _digest(array: Optional[np.ndarray]) -> bytes:
    return b"" if array is None else blake2b(np.ascontiguousarray(array), digest_size=16).digest()
