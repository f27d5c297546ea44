"""Define SAM-UNet: a ViT and a ResNet encoder side by side, one prompt encoder, one mask per set of prompts.

Source: Yang et al., "SAM-UNet: Enhancing Zero-Shot Segmentation of SAM for Universal Medical Images",
arXiv 2408.09886v1.  Parameter names are those of the authors' implementation, in its order.
"""

from typing import Optional, Tuple

from torch import Tensor, nn

from .adapters import Reshaper, up_twice
from .image_branch import SamViTBranch
from .resnet import ResNet
from .samunet_config import RES34, RES50, SAMUNetConfig
from .samunet_decoder import SamPromptEncoder, SAMUNetMaskDecoder

__all__ = ["PIXEL_MEAN", "PIXEL_STD", "RES34", "RES50", "SAMUNet", "SAMUNetConfig"]

# ImageNet statistics of RGB values 0..255.
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_STD = (58.395, 57.12, 57.375)


class SAMUNet(nn.Module):
    """The network; trainable as it is (the published recipe keeps ``image_encoder`` frozen).

    Encoding and decoding are two calls, so that an image is encoded once for any number of prompts.
    """

    def __init__(self, config: SAMUNetConfig = RES34):
        super().__init__()
        self.config = config
        width, narrow = config.prompt_width, config.prompt_width // 8
        self.image_encoder = SamViTBranch(config)
        self.prompt_encoder = SamPromptEncoder(config)
        self.mask_decoder = SAMUNetMaskDecoder(config)
        self.resnet = ResNet(config.resnet_blocks, config.resnet_bottleneck, config.resnet_width)
        channels = self.resnet.channels
        self.adapters_in = nn.ModuleList(
            Reshaper(stage, channels[stage], channels[2], config.vit_width) for stage in range(4)
        )
        self.adapters_bridge = nn.ModuleList(
            up_twice(config.vit_width, config.bridge_width, narrow) for _ in range(3)
        )
        self.embedding_encoder = up_twice(width, width // 4, narrow)

    def encode_image(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Encode normalized images.

        :param x: (B, 3, S, S) RGB, ``(value 0..255 - PIXEL_MEAN) / PIXEL_STD``, padded right and bottom
            with 0.
        :return: embedding (B, C, S/16, S/16) and multi-scale feature (B, C/8, S/4, S/4), C = prompt_width.
        """
        branch = self.image_encoder
        tokens = branch.embed(x)
        skips = []
        for stage, pyramid in enumerate(self.resnet(x)):
            tokens = branch.advance(stage, tokens)
            tokens = branch.mix(stage, tokens + self.adapters_in[stage](pyramid))
            if stage < 3:
                # Numbered from the decoder outwards.
                skips.append(self.adapters_bridge[2 - stage](tokens.permute(0, 3, 1, 2)))
        embedding = branch.neck(tokens)
        return embedding, self.embedding_encoder(embedding) + sum(skips)

    def decode_prompts(
        self,
        embedding: Tensor,
        feature: Tensor,
        points: Optional[Tensor] = None,
        labels: Optional[Tensor] = None,
        boxes: Optional[Tensor] = None,
        mask_logits: Optional[Tensor] = None,
    ) -> Tensor:
        """Low-resolution logits (n, 1, L, L), L = S/4, positive inside; one mask for each set of prompts.

        :param embedding: `encode_image`'s, of one image for all n sets (batch 1) or of one each (batch n).
        :param feature: likewise.
        :param points: (n, k, 2) (x, y) pixels of the network's input, integers at pixel centers.
        :param labels: (n, k) 1 foreground, 0 background, -1 not a point.
        :param boxes: (n, 4) [x0, y0, x1, y1) pixels of the network's input.
        :param mask_logits: (n, 1, L, L) logits of an earlier call.
        """
        sparse, dense = self.prompt_encoder(points, labels, boxes, mask_logits)
        position = self.prompt_encoder.dense_position()
        return self.mask_decoder(embedding, feature, position, sparse, dense)

    def forward(self, x: Tensor, **prompts: Optional[Tensor]) -> Tensor:
        """Run `encode_image`, then `decode_prompts` with one set of prompts per image."""
        return self.decode_prompts(*self.encode_image(x), **prompts)
