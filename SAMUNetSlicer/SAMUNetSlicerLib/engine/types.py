"""Define what passes between the network and everything else: prompts in, embeddings and predictions out."""

from dataclasses import dataclass, field
from typing import Any, Optional, Tuple

import numpy as np

POSITIVE, NEGATIVE = 1, 0


@dataclass(frozen=True)
class Capabilities:
    """Prompts that a model was trained to accept, from its card; what is not listed is not sent to it.

    ``close_up``: whether small boxes gain if the model sees a part of the image around them, see `close_up`.
    """

    points: bool
    boxes: bool
    mask: str = "none"  # "none" | "logits" (SAM, SAM-UNet) | "probability" (SAM-Med2D)
    multimask: bool = False
    iou: bool = False
    close_up: bool = False


@dataclass(frozen=True, eq=False)
class Prompts:
    """The prompts of one object on one image, in the order in which the user gave them.

    ``points`` (N, 2) float32 (x, y) pixels of the original image, integers at pixel centers;
    ``labels`` (N,) int64 in {1 foreground, 0 background};
    ``boxes`` (B, 4) float32 half-open [x0, y0, x1, y1) with x0 < x1, y0 < y1: one box per part of the
    object, the mask is the union of the parts;
    ``mask`` (H, W) bool, a mask to start from (hand-edited or imported), or None.
    """

    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    labels: np.ndarray = field(default_factory=lambda: np.zeros((0,), np.int64))
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    mask: Optional[np.ndarray] = None

    def __bool__(self):
        return bool(len(self.points) or len(self.boxes) or self.mask is not None)


@dataclass(frozen=True, eq=False)
class Embedding:
    """The encoder's output for one image: opaque to everyone but the model that made it.

    ``tensors``: torch tensors with a leading batch axis of 1; ``input_size``: (h, w) of the resized image
    inside the network's square input; ``original_size``: (H, W) of the image; ``model_key``: the model
    (id, weights hash, preprocessing version) that alone may decode it.
    """

    tensors: Tuple[Any, ...]
    input_size: Tuple[int, int]
    original_size: Tuple[int, int]
    model_key: str

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in self.tensors)

    def to(self, device=None, dtype=None) -> "Embedding":
        tensors = tuple(t.to(device=device, dtype=dtype) for t in self.tensors)
        return Embedding(tensors, self.input_size, self.original_size, self.model_key)

    def half(self) -> "Embedding":
        import torch

        return self.to(dtype=torch.float16)


@dataclass(frozen=True, eq=False)
class Decoded:
    """One mask as the decoder gives it.

    ``low_res_logits`` (L, L) float32, fit to be given back as the next call's mask prompt;
    ``logits`` (H, W) float32 at the original size; ``mask`` (H, W) bool; ``iou`` the network's own
    estimate in [0, 1] or None where it has no such head.
    """

    low_res_logits: np.ndarray
    logits: np.ndarray
    mask: np.ndarray
    iou: Optional[float] = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """Prediction for a set of prompts, as the user gets it.

    ``mask`` (H, W) bool; ``logits`` (H, W) float32; ``low_res_logits`` (B, L, L) float32, one per part,
    of what the network saw; ``confidence`` in [0, 1], the stability score (SAM, Kirillov et al. 2023,
    section 5) of the logits; ``boxes`` (B, 4) the boxes that were really used, derived ones included;
    ``notes``: sentences about prompts that were repaired or refused, empty when all were followed.
    """

    mask: np.ndarray
    logits: np.ndarray
    low_res_logits: np.ndarray
    confidence: float
    boxes: np.ndarray
    notes: Tuple[str, ...] = ()
