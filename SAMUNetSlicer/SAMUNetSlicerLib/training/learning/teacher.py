"""Distillation: what a box model of the catalog, say LiteMedSAM, answers to the same boxes."""

import numpy as np
import torch
from torch import Tensor

from ...engine.models import PromptableModel
from ...engine.networks import PIXEL_MEAN, PIXEL_STD
from ..data import tight_box


class BoxTeacher:
    """Soft targets from the exact boxes of the true ones (Hinton et al., arXiv 1503.02531)."""

    def __init__(self, model: PromptableModel):
        self._model = model

    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return probabilities (B * P, h, h).

        :param images: (B, 3, S, S), normalized, as `batches.on_canvas` makes them.
        :param targets: (B, P, h, h) covered fraction.
        """
        # The product's quick layers do not know the mixed precision of training.
        with torch.autocast(images.device.type, enabled=False):
            answers = [self._answers(*pair) for pair in zip(images.cpu(), targets.cpu().numpy())]
        return torch.cat(answers).to(targets.device)

    def _answers(self, image, targets):
        shown = _as_picture(image)
        embedding = self._model.encode([shown])[0]
        scale = image.shape[-1] / targets.shape[-1]
        boxes = np.stack([tight_box(target >= min(0.5, target.max())) for target in targets]) * scale
        none = np.zeros((len(boxes), 0, 2), np.float32), np.zeros((len(boxes), 0), np.int64)
        decoded = self._model.decode(embedding, *none, boxes.astype(np.float32))
        canvas = torch.full((len(boxes), 1, *image.shape[1:]), -1e4)
        canvas[:, 0, : shown.shape[0], : shown.shape[1]] = torch.from_numpy(
            np.stack([answer.logits for answer in decoded])
        )
        return torch.nn.functional.avg_pool2d(canvas.sigmoid(), int(scale))[:, 0]


def _as_picture(image):
    """Return the image (H, W, 3) uint8 that fills the upper left of a normalized canvas (3, S, S)."""
    seen = image.abs().amax(0) > 0
    height, width = int(seen.any(1).sum()), int(seen.any(0).sum())
    pixels = image[:, :height, :width].permute(1, 2, 0).numpy()
    return (pixels * np.float32(PIXEL_STD) + np.float32(PIXEL_MEAN)).round().clip(0, 255).astype(np.uint8)
