"""Define the compact SAM-UNet: SAM-UNet's scheme around TinyViT, small enough to ship and quick on a CPU.

As in SAM-UNet (arXiv 2408.09886v1) a trained ResNet runs beside a frozen transformer, its features are added
to the tokens, skip connections carry what the token grid cannot hold, and a decoder with one token makes one
mask.  Three things differ:

- The transformer is MobileSAM's TinyViT (arXiv 2306.14289) at 448 pixels, where its windows of 7 and 14 tile
  the token grids 56 and 28 without padding.
- TinyViT is a pyramid.  At strides 4 and 8 the sum of tokens and ResNet feature goes to a skip connection
  only; at stride 16 it goes on through the two last blocks.  So no gradient ever passes the costly early
  stages, and training the ResNet costs little more than running it.
- The skip connections are added to the upscaled tokens, then refined by two narrow convolutions, which
  replaces HQ-SAM's wide ones: half the cost of a click.  Then the ResNet's stem doubles the resolution to
  half of the input's, with a few channels: vessels and small lesions are lost on a grid of stride 4.
"""

from dataclasses import replace
from typing import Mapping, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .adapters import up_twice
from .resnet import ResNet
from .sam_blocks import MLP, LayerNorm2d, TwoWayTransformer
from .samunet_config import SAMUNetConfig
from .samunet_decoder import SamPromptEncoder
from .tiny_vit import TinyViT

COMPACT_TINY = SAMUNetConfig(image_size=448, resnet_blocks=(2, 2, 2, 2), resnet_width=24, bridge_width=64)
_TOKEN_WIDTHS = (64, 128, 320, 320)
# SAM's upscaled tokens are of the order 0.1 and are multiplied by kernels of the order 20; the gain lets the
# layers that make the feature keep weights of the usual size, for which learning rates are made.
FEATURE_GAIN = 1 / 32
DETAIL_CHANNELS = 8


def compact_config(weights: Mapping[str, Tensor]) -> SAMUNetConfig:
    """Return the sizes of the compact network that weights belong to."""
    return replace(COMPACT_TINY, quality="mask_decoder.quality.layers.0.weight" in weights)


def _adapter(stage: int, channels: int, width: int) -> nn.Sequential:
    """Make the adapter of the ResNet feature of ``stage`` to the tokens' width; only the last stage (stride
    32) changes size.
    """
    conv = (
        nn.ConvTranspose2d(channels, channels, 2, 2) if stage == 3 else nn.Conv2d(channels, channels, 3, 1, 1)
    )
    return nn.Sequential(conv, LayerNorm2d(channels), nn.GELU(), nn.Conv2d(channels, width, 1))


def _bridge(stage: int, hidden: int, channels: int) -> nn.Sequential:
    """Make the bridge from tokens of ``stage`` 0, 1, 2 (stride 4, 8, 16) to a feature of stride 4."""
    width = _TOKEN_WIDTHS[stage]
    if stage == 2:
        return up_twice(width, hidden, channels)
    first = nn.Conv2d(width, hidden, 1) if stage == 0 else nn.ConvTranspose2d(width, hidden, 2, 2)
    return nn.Sequential(first, LayerNorm2d(hidden), nn.GELU(), nn.Conv2d(hidden, channels, 3, 1, 1))


class CompactMaskDecoder(nn.Module):
    """SAM's two-way transformer with a single mask token, and a refinement of the fused features.

    SAM's quality token and its three other mask tokens make no output, but stay as context: the pretrained
    attention is off balance without them (box Dice 0.43 instead of 0.79 before any training).
    """

    def __init__(self, config: SAMUNetConfig):
        super().__init__()
        width, narrow = config.prompt_width, config.prompt_width // 8
        self.transformer = TwoWayTransformer(2, width, 8, config.decoder_mlp)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, 2),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, narrow, 2, 2),
            nn.GELU(),
        )
        self.med_token = nn.Embedding(1, width)
        self.context_tokens = nn.Embedding(4, width)
        self.hf_mlp = MLP(width, width, narrow, 3)
        self.refinement = nn.Sequential(
            nn.Conv2d(narrow, narrow // 2, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(narrow // 2, narrow, 3, padding=1),
        )
        self.logit_bias = nn.Parameter(torch.zeros(1))
        self.detail_upscaling = nn.ConvTranspose2d(narrow, DETAIL_CHANNELS, 2, 2)
        self.detail_mlp = MLP(width, width // 4, DETAIL_CHANNELS, 3)
        self.detail_refinement = nn.Conv2d(DETAIL_CHANNELS, DETAIL_CHANNELS, 3, padding=1)
        # As in SAM, its own token knows the mask's quality: the first of the context.
        self.quality = MLP(width, width, 1, 3) if config.quality else None

    def forward(
        self,
        embedding: Tensor,
        feature: Tensor,
        detail: Tensor,
        position: Tensor,
        sparse: Tensor,
        dense: Tensor,
    ) -> Tensor:
        """Return logits (n, 1, L, L), L = S/2.

        :param detail: (1 or n, 8, L, L); the other arguments are `SAMUNetMaskDecoder.forward`'s.
        """
        own = torch.cat([self.med_token.weight, self.context_tokens.weight])
        own = own.expand(sparse.shape[0], -1, -1)
        source = embedding + dense
        tokens, source_tokens = self.transformer(source, position, torch.cat([own, sparse], 1))
        source = source_tokens.transpose(1, 2).reshape(source.shape)
        fine = self.output_upscaling(source) + FEATURE_GAIN * feature
        fine = fine + self.refinement(fine)
        coarse = torch.einsum("nc,nchw->nhw", self.hf_mlp(tokens[:, 0]), fine) + self.logit_bias
        finest = functional.gelu(self.detail_upscaling(fine) + detail)
        change = torch.einsum("nc,nchw->nhw", self.detail_mlp(tokens[:, 0]), self.detail_refinement(finest))
        return twice_as_fine(coarse).unsqueeze(1) + change.unsqueeze(1)


def twice_as_fine(logits: Tensor) -> Tensor:
    """Interpolate (n, h, w) to (n, 2h, 2w)."""
    return functional.interpolate(logits[:, None], scale_factor=2, mode="bilinear")[:, 0]


class CompactSAMUNet(nn.Module):
    """Same two calls as `SAMUNet`, with a third encoded tensor; ``image_encoder`` stays frozen in training.

    With the last layers of its added parts zero, the network is MobileSAM with one mask token, its mask
    interpolated: training starts there (`start_as_sam`).
    """

    def __init__(self, config: SAMUNetConfig = COMPACT_TINY):
        super().__init__()
        self.config = config
        width, narrow = config.prompt_width, config.prompt_width // 8
        self.image_encoder = TinyViT()
        self.prompt_encoder = SamPromptEncoder(config)
        self.mask_decoder = CompactMaskDecoder(config)
        self.resnet = ResNet(config.resnet_blocks, config.resnet_bottleneck, config.resnet_width)
        self.adapters_in = nn.ModuleList(
            _adapter(stage, self.resnet.channels[stage], _TOKEN_WIDTHS[stage]) for stage in range(4)
        )
        self.adapters_bridge = nn.ModuleList(_bridge(s, config.bridge_width, narrow) for s in range(3))
        self.embedding_encoder = up_twice(width, width // 4, narrow)
        self.detail_encoder = nn.Sequential(
            nn.Conv2d(config.resnet_width, 2 * DETAIL_CHANNELS, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(2 * DETAIL_CHANNELS, DETAIL_CHANNELS, 1),
        )

    @property
    def low_res_size(self) -> int:
        """Side L of the logits: half of the input."""
        return self.config.image_size // 2

    def start_as_sam(self) -> None:
        """Zero the last layer of every added part, so that the untrained network acts as its SAM parts do."""
        parts = [*self.adapters_in, *self.adapters_bridge, self.embedding_encoder]
        for part in [*parts, self.mask_decoder.refinement, [self.mask_decoder.detail_refinement]]:
            nn.init.zeros_(part[-1].weight)
            nn.init.zeros_(part[-1].bias)

    def encoding_parts(self) -> Tuple[nn.Module, ...]:
        """Return the modules that `encode_image` uses."""
        branches = self.image_encoder, self.resnet
        joints = self.adapters_in, self.adapters_bridge, self.embedding_encoder, self.detail_encoder
        return (*branches, *joints)

    def encode_image(
        self, x: Tensor, frozen: Optional[Tuple[Tensor, Tensor, Tensor]] = None
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """Return embedding (B, 256, S/16, S/16), feature (B, 32, S/4, S/4) and detail (B, 8, S/2, S/2).

        :param x: as for `SAMUNet`.
        :param frozen: what `early_tokens` gives for ``x``, if it is known already.
        """
        x = x.contiguous(memory_format=torch.channels_last)
        stem = self.resnet.stem(x)
        first, second, third, fourth = (
            adapter(feature) for adapter, feature in zip(self.adapters_in, self.resnet.features(stem))
        )
        stride4, stride8, tokens = frozen or early_tokens(self.image_encoder, x)
        blocks = self.image_encoder.layers[3].blocks
        tokens = blocks[1](blocks[0](tokens + third) + fourth)
        embedding = self.image_encoder.neck(tokens)
        sums = (stride4 + first, stride8 + second, tokens)
        skips = sum(bridge(sum_) for bridge, sum_ in zip(self.adapters_bridge, sums))
        return embedding, self.embedding_encoder(embedding) + skips, self.detail_encoder(stem)

    def decode_prompts(
        self,
        embedding: Tensor,
        feature: Tensor,
        detail: Tensor,
        points: Optional[Tensor] = None,
        labels: Optional[Tensor] = None,
        boxes: Optional[Tensor] = None,
        mask_logits: Optional[Tensor] = None,
    ) -> Tensor:
        """Return logits (n, 1, L, L), L = S/2, from what `encode_image` made; see `SAMUNet.decode_prompts`.

        :param mask_logits: (n, 1, L, L); SAM's prompt encoder sees them at stride 4.
        """
        sparse, dense = self.embed_prompts(points, labels, boxes, mask_logits)
        position = self.prompt_encoder.dense_position()
        return self.mask_decoder(embedding, feature, detail, position, sparse, dense)

    def embed_prompts(
        self,
        points: Optional[Tensor],
        labels: Optional[Tensor],
        boxes: Optional[Tensor],
        mask_logits: Optional[Tensor],
    ) -> Tuple[Tensor, Tensor]:
        """Sparse tokens and dense embedding as `SamPromptEncoder.forward` makes them."""
        coarse = None if mask_logits is None else functional.avg_pool2d(mask_logits, 2)
        return self.prompt_encoder(points, labels, boxes, coarse)


def early_tokens(encoder: TinyViT, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Compute TinyViT's tokens at strides 4 and 8, and those of stride 16 that enter its last stage.

    :param x: as for `CompactSAMUNet.encode_image`, channels last.
    """
    tokens = encoder.patch_embed(x)
    outputs = []
    for layer in encoder.layers[:3]:
        for block in layer.blocks:
            tokens = block(tokens)
        outputs.append(tokens)
        tokens = layer.downsample(tokens)
    return outputs[0], outputs[1], tokens
