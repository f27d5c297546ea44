"""`CompactMaskDecoder.forward` for inference: same logits, half the time of a click.

The two-way transformer, the up-scaling and the refinement's last convolution run as in `sam_decoder`.
Differences are those of float32 rounding.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .compact_samunet import FEATURE_GAIN, CompactMaskDecoder
from .sam_decoder import folded_product, two_way, upscaled


def decode_compact(
    decoder: CompactMaskDecoder,
    embedding: Tensor,
    feature: Tensor,
    position: Tensor,
    sparse: Tensor,
    dense: Tensor,
) -> Tensor:
    """Logits (n, 4h, 4w), one mask for each set of prompts.

    :param embedding: (1, C, h, w), ``feature``: (1, C/8, 4h, 4w), of one image.
    :param position: (1, h*w, C), the embedding's positional encoding as tokens.
    :param sparse: (n, t, C) and ``dense``: (n, C, h, w), from the prompt encoder.
    """
    own = torch.cat([decoder.med_token.weight, decoder.context_tokens.weight])
    tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], 1)
    pixels = (embedding + dense).flatten(2).transpose(1, 2).contiguous()
    tokens, pixels = two_way(decoder.transformer, tokens, pixels, position, 1)
    kernels = decoder.hf_mlp(tokens[:, 0])
    fine = upscaled(decoder.output_upscaling, pixels, embedding.shape[-2:]) + FEATURE_GAIN * feature
    return _refined_product(decoder.refinement, fine, kernels) + decoder.logit_bias


def _refined_product(refinement, fine, kernels):
    first, _, second = refinement
    hidden = functional.gelu(first(fine))
    return torch.einsum("nc,nchw->nhw", kernels, fine) + folded_product(second, hidden, kernels)
