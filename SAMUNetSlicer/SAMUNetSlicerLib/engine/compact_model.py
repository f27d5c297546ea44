"""The compact SAM-UNet as a promptable model: its own preprocessing, coordinates and precision."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from ..errors import EngineError
from .cards import ModelCard
from .compact_decoder import decode_compact
from .compact_samunet import CompactSAMUNet
from .device import PRECISIONS
from .framing import network_input, to_image_logits, to_input_pixels
from .model import PromptableModel
from .tiny_vit import fold_batch_norm
from .types import Decoded, Embedding


def prepared(network: CompactSAMUNet) -> CompactSAMUNet:
    """The network for inference only: frozen, batch normalisation of the transformer folded away."""
    network.eval().requires_grad_(False)
    fold_batch_norm(network.image_encoder)
    return network


class CompactModel(PromptableModel):
    """A network with weights, ready to encode and decode; starts on the CPU in fp32.

    :param network: in evaluation mode, `prepared` or as it is.
    :param model_key: identifies weights and preprocessing in cache keys.
    """

    def __init__(self, network: CompactSAMUNet, card: ModelCard, model_key: str):
        self.model_id = card.id
        self.model_key = model_key
        self.capabilities = card.capabilities
        self.image_size = card.input.size
        self.low_res_size = network.config.low_res_size
        self._title, self._form, self._network = card.title, card.input, network
        self.to("cpu", "fp32")

    def to(self, device: str, precision: str) -> "CompactModel":
        """Move; decoding stays in fp32, which costs little and keeps masks."""
        self._network.to(device)
        self._placement = device, precision
        position = self._network.prompt_encoder.dense_position()
        self._position = position.flatten(2).transpose(1, 2).contiguous()
        return self

    @property
    def placement(self) -> Tuple[str, str]:
        return self._placement

    @torch.inference_mode()
    def encode(self, images: Sequence[np.ndarray]) -> List[Embedding]:
        inputs, sizes = zip(*(network_input(image, self._form) for image in images))
        encoded = [self._encode(batch) for batch in self._batches(inputs)]
        tensors = [torch.cat(parts) for parts in zip(*encoded)]
        return [
            Embedding(tuple(t[i : i + 1] for t in tensors), size, image.shape[:2], self.model_key)
            for i, (image, size) in enumerate(zip(images, sizes))
        ]

    def _batches(self, inputs):
        # On a CPU a batch is no faster than its images one by one, but needs more memory.
        step = 1 if self._placement[0] == "cpu" else len(inputs)
        return [torch.stack(inputs[i : i + step]) for i in range(0, len(inputs), step)]

    def _encode(self, batch: Tensor) -> Tuple[Tensor, ...]:
        device, precision = self._placement
        kind = torch.device(device).type
        with torch.autocast(kind, PRECISIONS[precision], enabled=precision != "fp32"):
            return tuple(tensor.float() for tensor in self._network.encode_image(batch.to(device)))

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
        tensors = embedding.to(self._placement[0], torch.float32).tensors
        prompts = self._prompts(embedding, points, labels, boxes, mask_logits)
        embedded = self._network.prompt_encoder(*prompts)
        low_res = decode_compact(self._network.mask_decoder, *tensors, self._position, *embedded)
        logits = to_image_logits(low_res, embedding.original_size, embedding.input_size, self._form)
        return [
            Decoded(small, large, large > self.mask_threshold)
            for small, large in zip(low_res.cpu().numpy(), logits.cpu().numpy())
        ]

    def _prompts(self, embedding, points, labels, boxes, mask_logits):
        """Points, labels, boxes, masks in pixels of the network's input, each a tensor or None."""
        device = self._placement[0]

        def placed(coordinates):
            scaled = to_input_pixels(coordinates, embedding.original_size, embedding.input_size)
            return torch.from_numpy(scaled).to(device)

        with_points = points is not None and np.shape(points)[1] > 0
        masks = None
        if mask_logits is not None:
            masks = torch.as_tensor(mask_logits, dtype=torch.float32, device=device)[:, None]
        return (
            placed(points) if with_points else None,
            torch.as_tensor(labels, device=device) if with_points else None,
            None if boxes is None else placed(boxes),
            masks,
        )
