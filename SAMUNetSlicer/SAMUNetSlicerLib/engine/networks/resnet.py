"""Define the convolutional branch: ResNet of any depth and width, with torchvision's parameter names.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from typing import List, Sequence

from torch import Tensor, nn


def _conv_bn(in_channels, out_channels, kernel, stride=1):
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out_channels)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut (ResNet-18 and -34)."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1):
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(in_channels, width, 3, stride)
        self.conv2, self.bn2 = _conv_bn(width, width, 3)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions around a shortcut (ResNet-50)."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1):
        super().__init__()
        out_channels = width * self.expansion
        self.conv1, self.bn1 = _conv_bn(in_channels, width, 1)
        self.conv2, self.bn2 = _conv_bn(width, width, 3, stride)
        self.conv3, self.bn3 = _conv_bn(width, out_channels, 1)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + self.downsample(x))


def _shortcut(in_channels, out_channels, stride):
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(*_conv_bn(in_channels, out_channels, 1, stride))


class ResNet(nn.Module):
    """Feature pyramid of a ResNet.

    :param blocks: residual blocks in each of the four stages.
    :param bottleneck: bottleneck blocks (ResNet-50) instead of basic ones.
    :param width: channels of the stem and of the first stage's 3x3 convolutions.
    """

    def __init__(self, blocks: Sequence[int], bottleneck: bool, width: int):
        super().__init__()
        block = Bottleneck if bottleneck else BasicBlock
        self.channels = tuple(width * 2**i * block.expansion for i in range(4))
        self.stage0 = nn.Sequential(
            nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        in_channels = (width, *self.channels)
        for i, count in enumerate(blocks):
            first = block(in_channels[i], width * 2**i, stride=1 if i == 0 else 2)
            rest = [block(self.channels[i], width * 2**i) for _ in range(count - 1)]
            self.add_module(f"stage{i + 1}", nn.Sequential(first, *rest))

    def forward(self, x: Tensor) -> List[Tensor]:
        """Return features (B, channels[i], S/2^(i+2), S/2^(i+2)) for i = 0..3 of an image (B, 3, S, S)."""
        return self.features(self.stem(x))

    def stem(self, x: Tensor) -> Tensor:
        """Return the finest feature (B, width, S/2, S/2)."""
        convolution, norm, relu, _ = self.stage0
        return relu(norm(convolution(x)))

    def features(self, stem: Tensor) -> List[Tensor]:
        """Return what `forward` returns, from the image's `stem`."""
        x = self.stage0[3](stem)
        features = []
        for stage in (self.stage1, self.stage2, self.stage3, self.stage4):
            x = stage(x)
            features.append(x)
        return features
