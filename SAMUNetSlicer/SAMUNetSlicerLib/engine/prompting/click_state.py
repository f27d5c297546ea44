"""Hold what is known after the prompts so far: the value that the policies fold the clicks into."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np

from ..models import PromptableModel
from ..types import Decoded, Embedding, Prediction
from .boxes import bounding_box
from .edge_map import EdgeMap
from .local_edit import follow_clicks
from .postprocess import logits_of_mask, stability_score, violated

_UNSURE = 0.5  # logits of pixels changed by hand-made rules: they lower the confidence, as they should

_NEAR = 0.5  # sizes of a box: a click farther from it is about something else


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the structure.

    ``box``: (4,) or None; ``origin``: "drawn", a box of the user; "click", a box derived from one; "mask", a
    mask to start from that the network was not asked about; "points", decoded without a box; ``clicks``:
    indices of the clicks that were decoded with it.
    """

    decoded: Decoded
    box: Optional[np.ndarray]
    origin: str
    clicks: Tuple[int, ...] = ()

    def distance_to(self, point: np.ndarray) -> float:
        """Return how far a point (x, y) is from the part's box, in sizes of the box; 0 inside."""
        box = self._territory
        beyond = np.maximum(0, np.maximum(box[:2] - point - 0.5, point + 0.5 - box[2:]))
        return float((beyond / np.maximum(1, box[2:] - box[:2])).max())

    def is_near(self, point: np.ndarray) -> bool:
        """Tell whether a click at a point (x, y) is about this part rather than about something else."""
        return self.distance_to(point) <= _NEAR

    @property
    def _territory(self) -> np.ndarray:
        if self.box is not None:
            return self.box
        return bounding_box(self.decoded.mask) if self.decoded.mask.any() else np.zeros(4, np.float32)


@dataclass(frozen=True, eq=False)
class Outline:
    """The parts as decoded, and the mask (H, W) after the clicks that decoding alone did not follow."""

    parts: Tuple[Part, ...]
    mask: np.ndarray
    notes: Tuple[str, ...] = ()


class View:
    """An encoded image and the network that decodes it, as the policies use them.

    :param image: the uint8 image (H, W) or (H, W, 3) that was encoded; None is as good as an even one.
    """

    def __init__(self, model: PromptableModel, embedding: Embedding, image: Optional[np.ndarray]):
        self.model = model
        self.embedding = embedding
        self.size = tuple(embedding.original_size)
        self._image = np.zeros(self.size, np.uint8) if image is None else image
        if self._image.shape[:2] != self.size:
            raise ValueError(f"An image {self._image.shape} does not belong to an embedding of {self.size}.")
        self._relief: Optional[EdgeMap] = None

    @property
    def relief(self) -> EdgeMap:
        if self._relief is None:
            self._relief = EdgeMap(self._image)
        return self._relief

    def decode_boxes(self, boxes: np.ndarray, logits: Optional[np.ndarray] = None) -> List[Decoded]:
        """Decode one mask for each box (n, 4), all with the same low-resolution logits (L, L) if given."""
        n = len(boxes)
        points, labels = np.zeros((n, 0, 2), np.float32), np.zeros((n, 0), np.int64)
        prompts = None if logits is None else np.repeat(logits[None], n, 0)
        return self.model.decode(self.embedding, points, labels, boxes, prompts)

    def low_res(self, mask: np.ndarray) -> np.ndarray:
        """Turn a mask (H, W) into a mask prompt (L, L) for the network."""
        model = self.model
        return logits_of_mask(mask, self.embedding.input_size, model.image_size, model.low_res_size)

    def decode_points(
        self, points: np.ndarray, labels: np.ndarray, box: Optional[np.ndarray], logits: Optional[np.ndarray]
    ) -> Decoded:
        """Decode one mask for clicks (k, 2), (k,), with a box (4,) and low-resolution logits (L, L) if
        given.
        """
        boxes = None if box is None else box[None]
        prompt = None if logits is None else logits[None]
        return self.model.decode(self.embedding, points[None], labels[None], boxes, prompt)[0]

    @property
    def takes_masks(self) -> bool:
        """Tell whether the network was trained to be given logits as a prompt."""
        return self.model.capabilities.mask != "none"

    def union(self, parts: Tuple[Part, ...]) -> np.ndarray:
        """Return the mask (H, W) bool of all parts together."""
        masks = [part.decoded.mask for part in parts]
        return np.logical_or.reduce(masks) if masks else np.zeros(self.size, bool)

    def followed(
        self, mask: np.ndarray, points: np.ndarray, labels: np.ndarray
    ) -> Tuple[np.ndarray, Tuple[str, ...]]:
        """Apply `follow_clicks` on this image, which most masks need not."""
        if not violated(mask, points, labels):
            return mask, ()
        changed, notes = follow_clicks(mask, points, labels, self.relief)
        return changed, tuple(notes)

    def prediction(self, outline: Outline) -> Prediction:
        """Return the outline as the user gets it: logits that are above the threshold exactly inside the
        mask.

        Its arrays are the caller's own: the outline is remembered.
        """
        model, parts, mask = self.model, outline.parts, outline.mask.copy()
        threshold = model.mask_threshold
        logits = np.full(self.size, threshold - _UNSURE, np.float32)
        if parts:
            logits = np.array([part.decoded.logits for part in parts]).max(0)
        changed = (logits > threshold) != mask
        logits[changed] = np.where(mask[changed], threshold + _UNSURE, threshold - _UNSURE)
        low_res = [part.decoded.low_res_logits for part in parts]
        boxes = [part.box for part in parts if part.box is not None]
        side = model.low_res_size
        return Prediction(
            mask=mask,
            logits=logits,
            low_res_logits=np.array(low_res, np.float32).reshape(-1, side, side),
            confidence=stability_score(logits, threshold),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            notes=outline.notes,
        )
