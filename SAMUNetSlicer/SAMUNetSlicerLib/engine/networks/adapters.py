"""Join SAM-UNet's two branches and its decoder by small convolutional parts.

Source: Yang et al., "SAM-UNet: Enhancing Zero-Shot Segmentation of SAM for Universal Medical Images",
arXiv 2408.09886v1.
"""

from typing import Sequence

from torch import Tensor, nn

from .sam_blocks import LayerNorm2d


def up_twice(in_channels: int, hidden: int, out_channels: int) -> nn.Sequential:
    """Make two transposed convolutions: (B, in, h, w) to (B, out, 4h, 4w)."""
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, hidden, 2, stride=2),
        LayerNorm2d(hidden),
        nn.GELU(),
        nn.ConvTranspose2d(hidden, out_channels, 2, stride=2),
    )


def _resampling_convs(stage: int, channels: int, hidden: int) -> Sequence[nn.Module]:
    """Make the convolutions that bring a feature of stride 2^(stage+2) to the tokens' stride 16."""
    if stage == 0:
        middle = 2 * channels
        return [nn.Conv2d(channels, middle, 3, 2, 1), nn.Conv2d(middle, hidden, 3, 2, 1)]
    if stage == 1:
        return [nn.Conv2d(channels, hidden, 3, 2, 1)]
    if stage == 2:
        return []
    return [nn.ConvTranspose2d(channels, hidden, 2, stride=2)]


class Reshaper(nn.Module):
    """Brings the features of one ResNet stage to the size and width of the transformer's tokens.

    :param stage: 0..3, features of stride 4, 8, 16, 32.
    :param channels: of the features.
    :param hidden: channels before the last, 1x1 convolution.
    :param width: of the tokens.
    """

    def __init__(self, stage: int, channels: int, hidden: int, width: int):
        super().__init__()
        layers = []
        for conv in _resampling_convs(stage, channels, hidden):
            layers += [conv, LayerNorm2d(conv.out_channels), nn.GELU()]
        layers.append(nn.Conv2d(hidden, width, 1))
        self.reshaper = nn.Sequential(*layers)
        self.reshaper.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (B, channels, h, w) into tokens (B, grid, grid, width)."""
        return self.reshaper(x).permute(0, 2, 3, 1)


def _initialize(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(module.bias)
