"""Decode like SAM's mask decoder, reordered so that a click on a 64 x 64 embedding costs a fifth; same
result.

A prompt has a handful of tokens, the image has 4096.  So wherever SAM projects the image's tokens to
queries, keys or values and then multiplies them with the few projected prompt tokens, the products are
regrouped, ``(image W) (prompt V)' = image (W V' prompt')``: the image's tokens are multiplied with
``heads * tokens`` columns (56 for a box) instead of 128.  The up-scaling runs on channels-last tokens,
where transposed convolutions of stride 2 are matrix products.  Differences are those of float32 rounding.

Source of the network: Kirillov et al., "Segment Anything", ICCV 2023, appendix A.
"""

from typing import Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .onednn import linear
from .sam_blocks import MaskDecoder


def decode_masks(
    decoder: MaskDecoder,
    image: Tensor,
    position: Tensor,
    sparse: Tensor,
    dense: Tensor,
    multimask: bool,
) -> Tuple[Tensor, Tensor]:
    """Decode one mask for each set of prompts.

    :param image: (1, C, h, w) embedding; ``position``: (1, h*w, C), its positional encoding as tokens.
    :param sparse: (n, t, C) and ``dense``: (n, C, h, w), from SAM's prompt encoder.
    :param multimask: choose among the masks for ambiguous prompts the one with the highest estimated IoU;
        otherwise the mask for unambiguous prompts.
    :return: logits (n, 4h, 4w) and estimated IoU (n,).
    """
    own_tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own_tokens.expand(len(sparse), -1, -1), sparse], 1)
    pixels = (image + dense).flatten(2).transpose(1, 2).contiguous()
    wanted = len(own_tokens) if multimask else 2
    tokens, pixels = two_way(decoder.transformer, tokens, pixels, position, wanted)
    estimates = decoder.iou_prediction_head(tokens[:, 0])
    # Mask 0 is for unambiguous prompts, the others for ambiguous ones.
    first, last = (1, None) if multimask else (0, 1)
    estimate, best = estimates[:, first:last].max(1)
    networks = decoder.output_hypernetworks_mlps[first:last]
    kernels = torch.stack([network(tokens[:, 1 + first + i]) for i, network in enumerate(networks)], 1)
    kernels = kernels[torch.arange(len(kernels), device=best.device), best]
    return _upscaled_product(decoder.output_upscaling, pixels, kernels, image.shape[-2:]), estimate


def two_way(transformer, prompt, pixels, position, wanted):
    """Run the two-way transformer; the last look at the image is only taken by the first ``wanted``
    tokens.
    """
    tokens = prompt
    for layer in transformer.layers:
        placed = pixels + position
        tokens = _attend_to_each_other(layer, tokens, prompt)
        looked = _look_at_image(layer.cross_attn_token_to_image, tokens + prompt, placed, pixels)
        tokens = layer.norm2(tokens + looked)
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        told = _tell_image(layer.cross_attn_image_to_token, placed, tokens + prompt, tokens)
        pixels = layer.norm4(told.add_(pixels))
    tokens, prompt = tokens[:, :wanted], prompt[:, :wanted]
    last = transformer.final_attn_token_to_image
    looked = _look_at_image(last, tokens + prompt, pixels + position, pixels)
    return transformer.norm_final_attn(tokens + looked), pixels


def _attend_to_each_other(layer, tokens, prompt):
    if layer.skip_first_layer_pe:
        return layer.norm1(layer.self_attn(tokens, tokens, tokens))
    placed = tokens + prompt
    return layer.norm1(tokens + layer.self_attn(placed, placed, tokens))


def _split(attention, projected):
    """Split (n, t, heads * d) into (n, heads, t, d)."""
    return projected.unflatten(2, (attention.num_heads, -1)).transpose(1, 2)


def _by_head(attention, weight):
    """Split (heads * d, C) into (heads, d, C)."""
    return weight.unflatten(0, (attention.num_heads, -1))


def _look_at_image(attention: nn.Module, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Compute the attention of few tokens ``queries`` (n, t, C) over many pixels ``keys``, ``values`` (n, p,
    C).
    """
    q = _split(attention, attention.q_proj(queries))
    probes = (q * q.shape[-1] ** -0.5) @ _by_head(attention, attention.k_proj.weight)
    # The keys' bias adds the same to all scores of a query: softmax does not see it.
    weights = (probes.flatten(1, 2) @ keys.transpose(1, 2)).softmax(-1)
    means = (weights @ values).unflatten(1, (attention.num_heads, -1))
    seen = means @ _by_head(attention, attention.v_proj.weight).transpose(1, 2)
    return attention.out_proj(seen.transpose(1, 2).flatten(2) + attention.v_proj.bias)


def _tell_image(attention: nn.Module, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Compute the attention of many pixels ``queries`` (n, p, C) over few tokens ``keys``, ``values`` (n, t,
    C).
    """
    k = _split(attention, attention.k_proj(keys))
    k = k * k.shape[-1] ** -0.5
    probes = k @ _by_head(attention, attention.q_proj.weight)
    offsets = k @ _by_head(attention, attention.q_proj.bias)[..., None]
    scores = (probes.flatten(1, 2) @ queries.transpose(1, 2)).add_(offsets.flatten(1, 2))
    weights = scores.unflatten(1, probes.shape[1:3]).softmax(2).flatten(1, 2)
    v = _split(attention, attention.v_proj(values))
    answers = v @ _by_head(attention, attention.out_proj.weight.T)
    return (weights.transpose(1, 2) @ answers.flatten(1, 2)).add_(attention.out_proj.bias)


def _upscaled_product(upscaling: nn.Sequential, pixels: Tensor, kernels: Tensor, grid) -> Tensor:
    """Up-scale pixels (n, h*w, C) four times and multiply with kernels (n, C/8): logits (n, 4h, 4w)."""
    first, norm, _, second, _ = upscaling
    x = transposed_convolution(pixels, first)
    x = functional.gelu(functional.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps))
    x = transposed_convolution(x, second, "gelu")
    logits = (x.flatten(1, -2) @ kernels[..., None]).view(len(x), *grid, 2, 2, 2, 2)
    # From (y, x, dy, dx, dy', dx') to rows (y, dy, dy') and columns (x, dx, dx').
    return logits.permute(0, 1, 3, 5, 2, 4, 6).reshape(len(x), 4 * grid[0], 4 * grid[1])


def transposed_convolution(x: Tensor, layer: nn.ConvTranspose2d, activation: str = "none") -> Tensor:
    """Kernel 2, stride 2, on channels-last tokens: (..., C) to (..., 4, C'), the four being (dy, dx)."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    return linear(x, weight, layer.bias.repeat(4), activation).unflatten(-1, (4, -1))


def upscaled(upscaling, pixels, grid):
    """Return pixels (n, h*w, C) as a map (n, C/8, 4h, 4w) in channels-last memory."""
    first, norm, _, second, _ = upscaling
    x = transposed_convolution(pixels, first)
    x = functional.gelu(functional.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps))
    x = transposed_convolution(x, second, "gelu").view(len(x), *grid, 2, 2, 2, 2, -1)
    # From (y, x, dy, dx, dy', dx') to rows (y, dy, dy') and columns (x, dx, dx').
    x = x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(len(x), 4 * grid[0], 4 * grid[1], -1)
    return x.permute(0, 3, 1, 2)


def folded_product(layer: nn.Conv2d, hidden: Tensor, kernels: Tensor) -> Tensor:
    """Product of the 3x3 convolution of ``hidden`` (n, c, h, w) with kernels (n, C): (n, h, w).

    The kernels are known before the convolution runs, so it makes one channel instead of C.
    """
    weights = torch.einsum("nc,cikl->nikl", kernels, layer.weight)
    products = [functional.conv2d(h[None], w[None], padding=1)[0, 0] for h, w in zip(hidden, weights)]
    return torch.stack(products) + (kernels @ layer.bias)[:, None, None]
