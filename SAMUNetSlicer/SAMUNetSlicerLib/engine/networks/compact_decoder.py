"""Decode like `CompactMaskDecoder.forward`: same logits, half the time of a click; training uses it too.

The two-way transformer, the up-scaling and the refinement's last convolution run as in `sam_decoder`.
Differences are those of float32 rounding.
"""

from typing import Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional

from .compact_samunet import FEATURE_GAIN, CompactMaskDecoder, twice_as_fine
from .sam_decoder import folded_product, transposed_convolution, two_way, upscaled


def decode_compact(
    decoder: CompactMaskDecoder,
    embedding: Tensor,
    feature: Tensor,
    detail: Tensor,
    position: Tensor,
    sparse: Tensor,
    dense: Tensor,
) -> Tuple[Tensor, Optional[Tensor]]:
    """Return logits (n, 8h, 8w), a mask for each set of prompts, and estimated IoU (n,) if there is a head.

    :param embedding: (1, C, h, w), ``feature``: (1, C/8, 4h, 4w), ``detail``: (1, 8, 8h, 8w), of one image,
        or n of each.
    :param position: (1, h*w, C), the embedding's positional encoding as tokens.
    :param sparse: (n, t, C) and ``dense``: (n, C, h, w), from the prompt encoder.
    """
    own = torch.cat([decoder.med_token.weight, decoder.context_tokens.weight])
    tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], 1)
    pixels = (embedding + dense).flatten(2).transpose(1, 2).contiguous()
    wanted = 1 if decoder.quality is None else 2
    tokens, pixels = two_way(decoder.transformer, tokens, pixels, position, wanted)
    fine = upscaled(decoder.output_upscaling, pixels, embedding.shape[-2:]) + FEATURE_GAIN * feature
    fine = fine + decoder.refinement(fine)
    coarse = torch.einsum("nc,nchw->nhw", decoder.hf_mlp(tokens[:, 0]), fine) + decoder.logit_bias
    logits = twice_as_fine(coarse) + _detail(decoder, fine, detail, tokens[:, 0])
    return logits, None if decoder.quality is None else decoder.quality(tokens[:, 1])[:, 0]


def _detail(decoder, fine, detail, token):
    """Return what the finest feature changes about the logits, (n, 8h, 8w)."""
    count, _, height, width = fine.shape
    doubled = transposed_convolution(fine.permute(0, 2, 3, 1), decoder.detail_upscaling)
    # From (y, x, (dy, dx)) to rows (y, dy) and columns (x, dx).
    doubled = doubled.unflatten(3, (2, 2)).transpose(2, 3).reshape(count, 2 * height, 2 * width, -1)
    hidden = functional.gelu(doubled.permute(0, 3, 1, 2) + detail)
    return folded_product(decoder.detail_refinement, hidden, decoder.detail_mlp(token))
