"""Define the sizes of a SAM-UNet, and the two that were published."""

from dataclasses import dataclass
from typing import Tuple


@dataclass(frozen=True)
class SAMUNetConfig:
    """Everything that determines the shapes of a SAM-UNet.

    ``image_size``: side of the square input, pixels; ``vit_*``: width, depth and heads of the ViT, the blocks
    that attend globally (one per ResNet stage: that stage's features are added before the block) and the
    window side, in tokens, of the others; ``resnet_*``: residual blocks per stage, kind of block, channels of
    the stem; ``prompt_width``: channels of the embedding and the prompt tokens; ``decoder_mlp``: hidden width
    of the two-way transformer's MLP; ``bridge_width``: hidden channels of the skip connections;
    ``quality``: the compact network estimates the IoU of its masks.
    """

    image_size: int = 256
    vit_width: int = 768
    vit_depth: int = 12
    vit_heads: int = 12
    vit_global_blocks: Tuple[int, int, int, int] = (2, 5, 8, 11)
    vit_window: int = 14
    resnet_blocks: Tuple[int, int, int, int] = (3, 4, 6, 3)
    resnet_bottleneck: bool = False
    resnet_width: int = 64
    prompt_width: int = 256
    decoder_mlp: int = 2048
    bridge_width: int = 256
    quality: bool = False

    @property
    def grid_size(self) -> int:
        """Side of the token grid: one token per 16x16 pixels."""
        return self.image_size // 16

    @property
    def low_res_size(self) -> int:
        """Side of the decoder's logits: a quarter of the input."""
        return self.image_size // 4


RES34 = SAMUNetConfig()
RES50 = SAMUNetConfig(resnet_bottleneck=True)
