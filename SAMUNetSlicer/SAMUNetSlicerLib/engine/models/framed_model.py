"""Share what all models have that see an image inside a square: framing, batches, prompts, results."""

from abc import abstractmethod
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from ...errors import EngineError, PromptError
from ..types import Decoded, Embedding
from .base import PromptableModel
from .cards import ModelCard
from .preprocessing import network_input, to_image_logits, to_input_pixels


class FramedModel(PromptableModel):
    """A model that is described by its card up to the network itself; starts on the CPU in fp32.

    :param low_res_size: side of the network's logits.
    :param model_key: identifies weights and preprocessing in cache keys.
    """

    def __init__(self, card: ModelCard, model_key: str, low_res_size: int):
        self.model_id = card.id
        self.model_key = model_key
        self.capabilities = card.capabilities
        self.image_size = card.input.size
        self.low_res_size = low_res_size
        self._title = card.title
        self._form = card.input
        self.to("cpu", "fp32")

    @abstractmethod
    def _move(self, device: str, precision: str) -> None:
        """Move the network; called by `to`."""

    @abstractmethod
    def _encode(self, batch: Tensor) -> Tuple[Tensor, ...]:
        """Encode network inputs (B, 3, S, S) fp32 on the device; fp32 tensors with batch axis B."""

    @abstractmethod
    def _decode(
        self,
        tensors: Tuple[Tensor, ...],
        points: Optional[Tuple[Tensor, Tensor]],
        boxes: Optional[Tensor],
        masks: Optional[Tensor],
    ) -> Tuple[Tensor, Optional[Tensor]]:
        """Decode n sets of prompts, coordinates in pixels of the input, all fp32 on the device.

        :param tensors: of one embedding.
        :param points: (n, k, 2) and labels (n, k); ``boxes`` (n, 4); ``masks`` (n, 1, L, L).
        :return: logits (n, L, L) and estimated IoU (n,) or None.
        """

    def to(self, device: str, precision: str) -> "FramedModel":
        self._placement = device, precision
        self._move(device, precision)
        return self

    @property
    def placement(self) -> Tuple[str, str]:
        return self._placement

    @torch.inference_mode()
    def encode(self, images: Sequence[np.ndarray]) -> List[Embedding]:
        inputs, sizes = zip(*(network_input(image, self._form) for image in images))
        encoded = [self._encode(batch.to(self._placement[0])) for batch in self._batches(inputs)]
        tensors = [torch.cat(parts) for parts in zip(*encoded)]
        self._refuse_invalid(tensors)
        return [
            Embedding(tuple(t[i : i + 1] for t in tensors), size, image.shape[:2], self.model_key)
            for i, (image, size) in enumerate(zip(images, sizes))
        ]

    def _refuse_invalid(self, tensors):
        # Every comparison with NaN is false: the mask would be empty, and nobody would know why.
        if not all(tensor.isfinite().all() for tensor in tensors):
            raise EngineError(
                f"{self._title} gave invalid numbers in {self._placement[1]}: choose the precision fp32, or"
                " get its weights again."
            )

    def _batches(self, inputs):
        # On a CPU a batch is no faster than its images one by one, but needs more memory.
        step = 1 if self._placement[0] == "cpu" else len(inputs)
        return [torch.stack(inputs[i : i + step]) for i in range(0, len(inputs), step)]

    @torch.inference_mode()
    def decode(
        self,
        embedding: Embedding,
        points: np.ndarray,
        labels: np.ndarray,
        boxes: Optional[np.ndarray] = None,
        mask_logits: Optional[np.ndarray] = None,
    ) -> List[Decoded]:
        if embedding.model_key != self.model_key:
            raise EngineError(
                f"{self._title} cannot use a slice that another model has encoded: encode it again."
            )
        device = self._placement[0]
        clicks = None
        if points is not None and np.shape(points)[1] > 0:
            clicks = self._placed(points, embedding), torch.as_tensor(labels, device=device)
        corners = None if boxes is None else self._placed(boxes, embedding)
        tensors = embedding.to(device, torch.float32).tensors
        low_res, estimates = self._decode(tensors, clicks, corners, self._mask_input(mask_logits))
        logits = to_image_logits(low_res, embedding.original_size, embedding.input_size, self._form)
        return self._results(low_res, logits, estimates)

    def _placed(self, coordinates, embedding):
        scaled = to_input_pixels(coordinates, embedding.original_size, embedding.input_size)
        return torch.from_numpy(scaled).to(self._placement[0])

    def _mask_input(self, mask_logits):
        if mask_logits is None:
            return None
        if self.capabilities.mask == "none":
            raise PromptError(f"{self._title} takes no mask to start from: use a box instead.")
        masks = torch.as_tensor(mask_logits, dtype=torch.float32, device=self._placement[0])[:, None]
        return masks.sigmoid() if self.capabilities.mask == "probability" else masks

    def _results(self, low_res, logits, estimates):
        with_estimate = self.capabilities.iou and estimates is not None
        ious = estimates.tolist() if with_estimate else [None] * len(logits)
        return [
            Decoded(small, large, large > self.mask_threshold, iou)
            for small, large, iou in zip(low_res.cpu().numpy(), logits.cpu().numpy(), ious)
        ]
