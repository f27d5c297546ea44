"""Encode like SAM-UNet, for inference: same embedding and feature, in about half of the time or less.

No window is padded (`fast_attention`), batch normalization is folded (`fast_resnet`), products carry their
activation (`onednn`), and everything runs on channels-last tokens, where layer normalization and transposed
convolutions of stride 2 need no reordering.  In fp32 differences are those of rounding.

In half precision the tokens themselves stay fp32 between the blocks, and so do the neck and the bridges: two
percent of the time, and a third less error than with everything in bf16.
"""

from typing import Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fast_attention import FastAttention
from .fast_resnet import FastResNet
from .onednn import Convolution, linear
from .samunet import SAMUNet


class FastEncoder:
    """Encoder like `SAMUNet.encode_image` of a network with SAM's ViT, in evaluation mode.

    :param device: and ``dtype``: of the costly part; the network itself is not changed.
    """

    def __init__(self, network: SAMUNet, device: str, dtype: torch.dtype):
        place, place_exact = _placing(device, dtype), _placing(device, torch.float32)
        vit, config = network.image_encoder.sam_img_encoder, network.config
        self._patch = _Linear(vit.patch_embed.proj, place)
        self._patch_size = vit.patch_embed.proj.kernel_size[0]
        self._position = place_exact(vit.pos_embed)
        self._resnet = FastResNet(network.resnet, device, dtype)
        self._blocks = [_Block(block, config.grid_size, device, dtype) for block in vit.blocks]
        self._global_blocks = config.vit_global_blocks
        self._adapters = [_Reshaper(adapter.reshaper, place) for adapter in network.adapters_in]
        self._bridges = [_UpTwice(bridge, place_exact) for bridge in network.adapters_bridge][::-1]
        self._neck = _Neck(vit.neck, place_exact)
        self._embedding_encoder = _UpTwice(network.embedding_encoder, place_exact)

    def __call__(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Encode like `SAMUNet.encode_image`, for ``x`` on the device and of the type given; the results are
        fp32.
        """
        tokens = self._patch(_patches(x, self._patch_size)) + self._position
        skips, start = [], 0
        for stage, pyramid in enumerate(self._resnet(x.contiguous(memory_format=torch.channels_last))):
            end = self._global_blocks[stage]
            for block in self._blocks[start:end]:
                tokens = block(tokens)
            tokens = self._blocks[end](tokens + self._adapters[stage](pyramid.permute(0, 2, 3, 1)))
            start = end + 1
            if stage < len(self._bridges):
                skips.append(self._bridges[stage](tokens))
        embedding = self._neck(tokens)
        feature = self._embedding_encoder(embedding) + sum(skips)
        return embedding.permute(0, 3, 1, 2), feature.permute(0, 3, 1, 2)


def _placing(device, dtype):
    """Return a function that brings a parameter to where and how it is used, sharing memory where it can."""
    return lambda tensor: tensor.detach().to(device=device, dtype=dtype)


def _patches(x, side):
    """Cut (B, 3, S, S) into (B, S/side, S/side, 3 * side * side), in the order of a convolution's weights."""
    x = x.unflatten(3, (-1, side)).unflatten(2, (-1, side))
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3)


class _Linear:
    """A linear layer, or a convolution that touches each input once, on (..., in)."""

    def __init__(self, layer, place, activation="none"):
        self._weight = place(layer.weight.flatten(1))
        self._bias = None if layer.bias is None else place(layer.bias)
        self._activation = activation

    def __call__(self, x):
        return linear(x, self._weight, self._bias, self._activation)


class _Norm:
    """Layer normalization over the last axis, of a ``LayerNorm`` or SAM's ``LayerNorm2d``."""

    def __init__(self, layer, place):
        self._weight, self._bias, self._eps = place(layer.weight), place(layer.bias), layer.eps

    def __call__(self, x):
        return functional.layer_norm(x, self._weight.shape, self._weight, self._bias, self._eps)


class _Block:
    """A block of SAM's ViT on fp32 tokens (B, h, w, C)."""

    def __init__(self, block, grid, device, dtype):
        place, place_exact = _placing(device, dtype), _placing(device, torch.float32)
        self._dtype = dtype
        self._norm1, self._norm2 = _Norm(block.norm1, place_exact), _Norm(block.norm2, place_exact)
        self._attention = FastAttention(block.attn, grid, block.window_size, device, dtype)
        self._widen = _Linear(block.mlp.lin1, place, "gelu")
        self._narrow = _Linear(block.mlp.lin2, place)

    def __call__(self, x):
        x = x + self._attention(self._norm1(x).to(self._dtype).flatten(1, 2)).view(x.shape)
        return x + self._narrow(self._widen(self._norm2(x).to(self._dtype)))


class _SpreadTokens:
    """A transposed convolution with kernel and stride 2: (B, h, w, C) to (B, 2h, 2w, C')."""

    def __init__(self, layer: nn.ConvTranspose2d, place):
        self._weight = place(layer.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous())
        self._bias = place(layer.bias.repeat(4))

    def __call__(self, x):
        batch, height, width, _ = x.shape
        y = linear(x, self._weight, self._bias).view(batch, height, width, 2, 2, -1)
        return y.transpose(2, 3).reshape(batch, 2 * height, 2 * width, -1)


class _UpTwice:
    """Upscaling like `adapters.up_twice` on (B, h, w, C)."""

    def __init__(self, layers, place):
        self._first, self._norm = _SpreadTokens(layers[0], place), _Norm(layers[1], place)
        self._second = _SpreadTokens(layers[3], place)

    def __call__(self, x):
        return self._second(functional.gelu(self._norm(self._first(x))))


class _Convolve3x3:
    """A 3x3 convolution on (B, h, w, C)."""

    def __init__(self, layer, place):
        bias = None if layer.bias is None else place(layer.bias)
        self._convolution = Convolution(place(layer.weight), bias, layer.stride[0])

    def __call__(self, x):
        return self._convolution(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def _resampling(layer, place):
    return (_SpreadTokens if isinstance(layer, nn.ConvTranspose2d) else _Convolve3x3)(layer, place)


class _Reshaper:
    """Reshaping like `adapters.Reshaper` on (B, h, w, C)."""

    def __init__(self, layers, place):
        pairs = [(layers[i], layers[i + 1]) for i in range(0, len(layers) - 1, 3)]
        self._steps = [(_resampling(layer, place), _Norm(norm, place)) for layer, norm in pairs]
        self._last = _Linear(layers[-1], place)

    def __call__(self, x):
        for resample, norm in self._steps:
            x = functional.gelu(norm(resample(x)))
        return self._last(x)


class _Neck:
    """The end of SAM's ViT, on (B, h, w, C)."""

    def __init__(self, layers, place):
        self._narrow, self._norm1 = _Linear(layers[0], place), _Norm(layers[1], place)
        self._convolve, self._norm2 = _Convolve3x3(layers[2], place), _Norm(layers[3], place)

    def __call__(self, x):
        return self._norm2(self._convolve(self._norm1(self._narrow(x))))
