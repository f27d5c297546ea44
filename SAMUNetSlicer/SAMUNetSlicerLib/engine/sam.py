"""SAM and its relatives behind one class: original SAM, MedSAM, LiteMedSAM, MobileSAM, SAM-Med2D.

What differs between them - the image encoder, how an image goes in, which prompts were trained - is in
their model cards; the prompt encoder and the mask decoder are the same.
"""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from ..errors import EngineError, PromptError
from .cards import ModelCard
from .device import PRECISIONS
from .framing import network_input, to_image_logits, to_input_pixels
from .model import PromptableModel
from .sam_decoder import decode_masks
from .sam_network import SamNetwork
from .types import Decoded, Embedding


class SamModel(PromptableModel):
    """A network with weights, ready to encode and decode; starts on the CPU in fp32.

    :param network: in evaluation mode, frozen.
    :param model_key: identifies weights and preprocessing in cache keys.
    """

    def __init__(self, network: SamNetwork, card: ModelCard, model_key: str):
        self.model_id = card.id
        self.model_key = model_key
        self.capabilities = card.capabilities
        self.image_size = card.input.size
        self.low_res_size = network.prompt_encoder.mask_input_size[0]
        self._title = card.title
        self._form = card.input
        self._network = network
        self.to("cpu", "fp32")

    def to(self, device: str, precision: str) -> "SamModel":
        """Move; only the image encoder changes precision: decoding in fp32 costs little and keeps masks."""
        self._network.to(device)
        self._network.image_encoder.to(PRECISIONS[precision])
        self._placement = device, precision
        position = self._network.prompt_encoder.get_dense_pe()
        self._position = position.flatten(2).transpose(1, 2).contiguous()
        return self

    @property
    def placement(self) -> Tuple[str, str]:
        return self._placement

    @torch.inference_mode()
    def encode(self, images: Sequence[np.ndarray]) -> List[Embedding]:
        inputs, sizes = zip(*(network_input(image, self._form) for image in images))
        embeddings = torch.cat([self._encode(batch) for batch in self._batches(inputs)])
        return [
            Embedding((embeddings[i : i + 1],), size, image.shape[:2], self.model_key)
            for i, (image, size) in enumerate(zip(images, sizes))
        ]

    def _batches(self, inputs):
        # On a CPU a batch is no faster than its images one by one, but needs more memory.
        step = 1 if self._placement[0] == "cpu" else len(inputs)
        return [torch.stack(inputs[i : i + step]) for i in range(0, len(inputs), step)]

    def _encode(self, batch):
        device, precision = self._placement
        return self._network.image_encoder(batch.to(device, PRECISIONS[precision])).float()

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
        image = embedding.to(self._placement[0], torch.float32).tensors[0]
        sparse, dense = self._embed_prompts(embedding, points, labels, boxes, mask_logits)
        multimask = self.capabilities.multimask
        low_res, estimates = decode_masks(
            self._network.mask_decoder, image, self._position, sparse, dense, multimask
        )
        logits = to_image_logits(low_res, embedding.original_size, embedding.input_size, self._form)
        return self._results(low_res, logits, estimates)

    def _embed_prompts(self, embedding, points, labels, boxes, mask_logits):
        def mapped(coordinates):
            scaled = to_input_pixels(coordinates, embedding.original_size, embedding.input_size)
            return torch.from_numpy(scaled).to(self._placement[0])

        device = self._placement[0]
        with_points = points is not None and np.shape(points)[1] > 0
        clicks = (mapped(points), torch.as_tensor(labels, device=device)) if with_points else None
        corners = None if boxes is None else mapped(boxes)
        return self._network.prompt_encoder(clicks, corners, self._mask_input(mask_logits))

    def _mask_input(self, mask_logits: Optional[np.ndarray]) -> Optional[Tensor]:
        if mask_logits is None:
            return None
        if self.capabilities.mask == "none":
            raise PromptError(f"{self._title} takes no mask to start from: use a box instead.")
        masks = torch.as_tensor(mask_logits, dtype=torch.float32, device=self._placement[0])[:, None]
        return masks.sigmoid() if self.capabilities.mask == "probability" else masks

    def _results(self, low_res, logits, estimates):
        with_estimate = self.capabilities.iou
        return [
            Decoded(small, large, large > self.mask_threshold, float(iou) if with_estimate else None)
            for small, large, iou in zip(low_res.cpu().numpy(), logits.cpu().numpy(), estimates.cpu().numpy())
        ]
