"""Add SAM-Med2D's adapters: a gated convolution beside the MLP of every block of SAM's ViT.

Source: Cheng et al., "SAM-Med2D", arXiv 2308.16184, figure 3; parameter names of its checkpoints.
"""

from functools import partial

from torch import Tensor, nn

from .sam_blocks import ImageEncoderViT


class Adapter(nn.Module):
    """Channel gate, then a convolution at half the resolution, added to the input and normalized."""

    def __init__(self, width: int):
        super().__init__()
        hidden = width // 4
        self.norm = nn.LayerNorm(width)
        self.channel = nn.Sequential(
            nn.Linear(width, hidden, bias=False),
            nn.ReLU(),
            nn.Linear(hidden, width, bias=False),
            nn.Sigmoid(),
        )
        self.spatial = nn.Sequential(
            nn.Conv2d(width, width, 3, stride=2, padding=1, bias=False),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1, bias=False),
            nn.ReLU(),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply the adapter.

        :param tokens: (B, h, w, C).
        """
        gated = tokens * self.channel(tokens.mean((1, 2)))[:, None, None]
        return self.norm(tokens + self.spatial(gated.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


def add_adapters(encoder: ImageEncoderViT) -> ImageEncoderViT:
    """Give every block an ``Adapter`` whose output is added to that of the MLP; changes ``encoder``."""
    for block in encoder.blocks:
        block.Adapter = Adapter(block.norm2.normalized_shape[0])
        # A hook leaves the block's own attention and parameter names as they are.
        block.mlp.register_forward_hook(partial(_with_adapter, block.Adapter))
    return encoder


def _with_adapter(adapter, _mlp, inputs, output):
    return output + adapter(*inputs)
