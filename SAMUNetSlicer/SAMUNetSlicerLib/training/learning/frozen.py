"""Run the transformer's stages that are not trained, as quickly as inference does."""

from copy import deepcopy
from typing import Tuple

import torch
from torch import Tensor, nn

from ...engine.models import PRECISIONS
from ...engine.networks import early_tokens, fold_batch_norm


class FrozenStages:
    """Early stages of a TinyViT without gradient: batch normalization folded, in the given precision.

    On a CPU with bf16 this takes a third of the time of the same stages in training form.

    :param encoder: stays as it is; later changes to its weights are not seen.
    :param precision: fp32 | bf16.
    """

    def __init__(self, encoder: nn.Module, precision: str):
        self._encoder = fold_batch_norm(deepcopy(encoder).eval().requires_grad_(False))
        self._type = PRECISIONS[precision]
        self._encoder.to(self._type)

    def __call__(self, images: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Compute the tokens of strides 4, 8 and 16 of images (B, 3, S, S), fit for a graph."""
        # Image by image: a batch is no faster, but falls out of the processor's cache.
        step = 1 if images.device.type == "cpu" else len(images)
        with torch.inference_mode():
            batches = images.to(self._type).contiguous(memory_format=torch.channels_last).split(step)
            tokens = [torch.cat(parts) for parts in zip(*(early_tokens(self._encoder, b) for b in batches))]
        return tuple(part.clone() for part in tokens)
