"""TinyViT, the image encoder of MobileSAM and LiteMedSAM.

Sources: Wu et al., "TinyViT: Fast Pretraining Distillation for Small Vision Transformers", ECCV 2022;
Zhang et al., "Faster Segment Anything", arXiv 2306.14289 (three stages halve the image instead of four).
Parameter names are those of the published checkpoints.

Feature maps are (B, C, H, W) in channels-last memory: the same storage is (B, H, W, C) for the linear
layers, so that nothing is copied between convolution and attention.
"""

from typing import Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .onednn import linear
from .sam_blocks import LayerNorm2d


def _linear(layer: nn.Module, x: Tensor, activation: str = "none") -> Tensor:
    """Compute the layer's matrix product and an activation."""
    return linear(x, layer.weight, layer.bias, activation)


class ConvNorm(nn.Sequential):
    """Convolution without bias, then batch normalization."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1):
        super().__init__()
        self.add_module(
            "c", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        )
        self.add_module("bn", nn.BatchNorm2d(outputs))


class Stem(nn.Module):
    """First features at 1/4 of the image (stride 4), or at every pixel (stride 1: LiteMedSAM)."""

    def __init__(self, width: int, stride: int):
        super().__init__()
        kernel, step = (3, 2) if stride == 4 else (1, 1)
        self.seq = nn.Sequential(
            ConvNorm(3, width // 2, kernel, step), nn.GELU(), ConvNorm(width // 2, width, kernel, step)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.seq(x)


def _by_strips(block: nn.Module, x: Tensor, stride: int = 1, rows: int = 32) -> Tensor:
    """Compute ``block(x)`` from overlapping strips of rows, bit for bit the same, for inference on a CPU.

    At full resolution the widened channels take 67 MB at a time, which the allocator returns to the system
    after every layer: faulting them in again costs more than the arithmetic.

    :param block: reaches one row up and down and reduces the height by ``stride``, 1 or 2.
    """
    if x.is_cuda or block.training:
        return block(x)
    parts = []
    for top in range(0, x.shape[2], rows):
        above = min(top, 2)
        part = block(x[:, :, top - above : top + rows + 2])
        parts.append(part[:, :, above // stride : (above + rows) // stride])
    return torch.cat(parts, 2)


class InvertedResidual(nn.Module):
    """MobileNet's block: widen, filter each channel, narrow, add."""

    def __init__(self, width: int, expansion: int = 4):
        super().__init__()
        hidden = width * expansion
        self.conv1 = ConvNorm(width, hidden)
        self.conv2 = ConvNorm(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvNorm(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.gelu(self.conv2(functional.gelu(self.conv1(x))))
        return functional.gelu(self.conv3(hidden) + x)


class Merging(nn.Module):
    """Passage to the next stage: other width, and half the size if ``stride`` is 2."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = ConvNorm(inputs, outputs)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride, groups=outputs)
        self.conv3 = ConvNorm(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(functional.gelu(self.conv2(functional.gelu(self.conv1(x)))))


class WindowAttention(nn.Module):
    """Self-attention inside square windows, with one learned bias per head and distance (|dy|, |dx|)."""

    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self.register_buffer("distance", self._distances(window), persistent=False)

    @staticmethod
    def _distances(window):
        """Index |dy| * window + |dx| for every pair of positions, (window**2, window**2)."""
        # Never on the meta device, where networks are built that take their parameters from a file.
        steps = torch.arange(window, device="cpu")
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        y, x = y.flatten(), x.flatten()
        return (y[:, None] - y).abs() * window + (x[:, None] - x).abs()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block.

        :param x: (B, H, W, C) of any size; right and bottom margins of zeros take part, as in training.
        """
        batch, height, width, channels = x.shape
        side = self.window
        down, across = -(-height // side), -(-width // side)
        x = functional.pad(x, (0, 0, 0, across * side - width, 0, down * side - height))
        x = x.view(batch, down, side, across, side, channels).transpose(2, 3)
        x = self._attend(x.reshape(-1, side * side, channels))
        x = x.view(batch, down, across, side, side, channels).transpose(2, 3)
        return x.reshape(batch, down * side, across * side, channels)[:, :height, :width]

    def _attend(self, x):
        windows, tokens, channels = x.shape
        # Per head, q, k and v lie next to each other.
        qkv = _linear(self.qkv, self.norm(x)).view(windows, tokens, self.heads, 3, channels // self.heads)
        q, k, v = qkv.permute(3, 0, 2, 1, 4)
        bias = self.attention_biases[None, :, self.distance]
        x = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return _linear(self.proj, x.transpose(1, 2).reshape(windows, tokens, channels))


class Mlp(nn.Module):
    def __init__(self, width: int, expansion: int = 4):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, width * expansion)
        self.fc2 = nn.Linear(width * expansion, width)

    def forward(self, x: Tensor) -> Tensor:
        return _linear(self.fc2, _linear(self.fc1, self.norm(x), "gelu"))


class TransformerBlock(nn.Module):
    """Window attention, a convolution that lets neighboring windows talk, an MLP."""

    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.attn = WindowAttention(width, heads, window)
        self.mlp = Mlp(width)
        self.local_conv = ConvNorm(width, width, 3, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.permute(0, 2, 3, 1)
        tokens = tokens + self.attn(tokens)
        tokens = self.local_conv(tokens.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (tokens + self.mlp(tokens)).permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, blocks: Sequence[nn.Module], downsample: nn.Module):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.downsample(x)


class FullResolutionStage(Stage):
    """The first stage; see `_by_strips`."""

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = _by_strips(block, x)
        return _by_strips(self.downsample, x, stride=2)


class TinyViT(nn.Module):
    """The 5M variant by default.

    :param stem_stride: 4 (MobileSAM, 1024 pixels) or 1 (LiteMedSAM, 256 pixels); the embedding has a
        fourth of the stem's output on a side, 64 in both.
    """

    def __init__(
        self,
        stem_stride: int = 4,
        widths: Tuple[int, int, int, int] = (64, 128, 160, 320),
        depths: Tuple[int, int, int, int] = (2, 2, 6, 2),
        heads: Tuple[int, int, int, int] = (2, 4, 5, 10),
        windows: Tuple[int, int, int, int] = (7, 7, 14, 7),
        embedding_width: int = 256,
    ):
        super().__init__()
        self.stem_stride = stem_stride
        self.patch_embed = Stem(widths[0], stem_stride)
        # The last passage keeps the size: SAM's decoder wants 64 x 64.
        passages = [
            Merging(widths[0], widths[1], 2),
            Merging(widths[1], widths[2], 2),
            Merging(widths[2], widths[3], 1),
            nn.Identity(),
        ]
        first = FullResolutionStage([InvertedResidual(widths[0]) for _ in range(depths[0])], passages[0])
        others = [
            Stage([TransformerBlock(widths[i], heads[i], windows[i]) for _ in range(depths[i])], passages[i])
            for i in (1, 2, 3)
        ]
        self.layers = nn.ModuleList([first, *others])
        self.neck = nn.Sequential(
            nn.Conv2d(widths[-1], embedding_width, 1, bias=False),
            LayerNorm2d(embedding_width),
            nn.Conv2d(embedding_width, embedding_width, 3, padding=1, bias=False),
            LayerNorm2d(embedding_width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return embedding (B, embedding_width, S/(4*stem_stride), ...) of images (B, 3, S, S)."""
        x = self.patch_embed(x.contiguous(memory_format=torch.channels_last))
        for layer in self.layers:
            x = layer(x)
        return self.neck(x)


class Pointwise(nn.Module):
    """A 1x1 convolution as the matrix product it is: 1.5 times as fast on a CPU in channels-last memory."""

    def __init__(self, convolution: nn.Conv2d):
        super().__init__()
        self.weight = nn.Parameter(convolution.weight.detach().flatten(1))
        self.bias = nn.Parameter(convolution.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return _linear(self, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Replace every `ConvNorm` by one layer with the same output in evaluation mode.

    For inference only: parameter names change, so load a checkpoint first.
    """
    for name, child in network.named_children():
        if isinstance(child, ConvNorm):
            folded = fuse_conv_bn_eval(child.c.eval(), child.bn.eval())
            setattr(network, name, Pointwise(folded) if folded.kernel_size == (1, 1) else folded)
        else:
            fold_batch_norm(child)
    return network
