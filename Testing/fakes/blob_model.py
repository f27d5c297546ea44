"""A promptable model whose answers can be foretold: it knows the structures of its image by heart."""

from typing import List

import numpy as np
import torch

from SAMUNetSlicerLib.engine.models import PromptableModel
from SAMUNetSlicerLib.engine.types import Capabilities, Decoded, Embedding

SIDE = 64


class BlobModel(PromptableModel):
    """The embedding is the image; each connected gray level but 0 is a structure.

    A box gives the structure that fits it best, cut by the box, or an ellipse in the box where no structure
    does: box-prompted networks outline something in any box.  Positive points give the structures under
    them, an ellipse outside all of them; negative points take theirs away, unless ``stubborn``: then clicks
    change nothing about the logits that were given.
    """

    model_id, model_key = "blobs", "blobs-1"
    image_size = low_res_size = SIDE

    def __init__(self, points=False, mask="none", boxes=True, stubborn=False):
        self.capabilities = Capabilities(points=points, boxes=boxes, mask=mask)
        self.stubborn = stubborn
        self.calls: List[dict] = []

    def encode(self, images):
        return [self._embedding(image) for image in images]

    def _embedding(self, image):
        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        gray = image if image.ndim == 2 else image[..., 0]
        return Embedding((torch.from_numpy(gray.copy())[None],), size, (height, width), self.model_key)

    def decode(self, embedding, points, labels, boxes=None, mask_logits=None):
        self.calls.append({"points": points, "labels": labels, "boxes": boxes, "mask_logits": mask_logits})
        image = embedding.tensors[0][0].numpy()
        return [
            self._decode(
                image, points[i], labels[i], *(None if x is None else x[i] for x in (boxes, mask_logits))
            )
            for i in range(len(points))
        ]

    def _decode(self, image, points, labels, box, mask_logits):
        if self.stubborn and mask_logits is not None:
            mask = _large(mask_logits, image.shape) > 0
        else:
            mask = np.zeros(image.shape, bool) if box is None else _fitting(image, box)
        for (x, y), label in () if self.stubborn and mask_logits is not None else zip(points, labels):
            under = _structure(image, int(x + 0.5), int(y + 0.5))
            mask = mask | under if label else mask & ~under
        logits = np.where(mask, 4.0, -4.0).astype(np.float32)
        return Decoded(_small(logits), logits, mask)

    def to(self, device, precision):
        return self

    @property
    def placement(self):
        return "cpu", "fp32"

    @property
    def decoded(self) -> int:
        """How many masks were decoded."""
        return sum(len(call["points"]) for call in self.calls)


def _structure(image, x, y):
    value = image[y, x]
    return image == value if value else _ellipse(image.shape, x - 3, y - 3, x + 4, y + 4)


def _fitting(image, box):
    x0, y0, x1, y1 = (int(v) for v in (*np.floor(box[:2]), *np.ceil(box[2:])))
    inside = np.zeros(image.shape, bool)
    inside[y0:y1, x0:x1] = True
    best, best_fit = _ellipse(image.shape, *box), 0.3
    for value in np.unique(image)[1:]:
        rows, columns = np.nonzero(image == value)
        around = np.zeros(image.shape, bool)
        around[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        fit = np.count_nonzero(around & inside) / np.count_nonzero(around | inside)
        if fit > best_fit:
            best, best_fit = (image == value) & inside, fit
    return best


def _ellipse(shape, x0, y0, x1, y1):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2 <= 1


def _small(logits):
    rows, columns = (np.arange(SIDE) * n // SIDE for n in logits.shape)
    return logits[rows][:, columns]


def _large(logits, shape):
    rows, columns = (np.arange(n) * SIDE // n for n in shape)
    return logits[rows][:, columns]
