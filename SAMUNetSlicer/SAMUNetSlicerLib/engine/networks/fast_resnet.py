"""Run the ResNet for inference: batch normalization folded into the convolutions, channels-last memory."""

from typing import List

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .onednn import Convolution
from .resnet import ResNet


class FastResNet:
    """Same features as a `ResNet` in evaluation mode.

    :param device: and ``dtype``: of the computation.
    """

    def __init__(self, resnet: ResNet, device: str, dtype: torch.dtype):
        def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d, relu: bool) -> Convolution:
            weight, bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
            weight, bias = (t.detach().to(device=device, dtype=dtype) for t in (weight, bias))
            return Convolution(weight, bias, conv.stride[0], relu)

        stages = (resnet.stage1, resnet.stage2, resnet.stage3, resnet.stage4)
        self._stem = fold(resnet.stage0[0], resnet.stage0[1], relu=True)
        self._stages = [[_FastBlock(block, fold) for block in stage] for stage in stages]

    def __call__(self, x: Tensor) -> List[Tensor]:
        """Compute what `ResNet.forward` does, for an image in channels-last memory; so are the features."""
        x = functional.max_pool2d(self._stem(x), 3, stride=2, padding=1)
        features = []
        for stage in self._stages:
            for block in stage:
                x = block(x)
            features.append(x)
        return features


class _FastBlock:
    """A `BasicBlock` or `Bottleneck`.

    The shortcut's memory takes the result.  It is never a feature of the pyramid: each stage but the first
    begins with a block whose shortcut is a convolution.
    """

    def __init__(self, block, fold):
        pairs = [(block.conv1, block.bn1), (block.conv2, block.bn2)]
        if hasattr(block, "conv3"):
            pairs.append((block.conv3, block.bn3))
        self._convolutions = [fold(conv, norm, relu=True) for conv, norm in pairs]
        has_shortcut = not isinstance(block.downsample, nn.Identity)
        self._downsample = fold(*block.downsample, relu=False) if has_shortcut else lambda x: x

    def __call__(self, x: Tensor) -> Tensor:
        y = x
        for convolution in self._convolutions[:-1]:
            y = convolution(y)
        return self._convolutions[-1](y, self._downsample(x))
