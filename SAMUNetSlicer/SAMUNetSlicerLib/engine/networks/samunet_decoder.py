"""Define SAM-UNet's mask decoder: SAM's two-way transformer with one token, and HQ-SAM's fusion of features.

Sources: arXiv 2408.09886v1; Ke et al., "Segment Anything in High Quality", NeurIPS 2023.
"""

from typing import Optional, Tuple

import torch
from torch import Tensor, nn

from .sam_blocks import MLP, LayerNorm2d, PromptEncoder, TwoWayTransformer
from .samunet_config import SAMUNetConfig


class SamPromptEncoder(nn.Module):
    """SAM's prompt encoder below the name that checkpoints of SAM-UNet give it."""

    def __init__(self, config: SAMUNetConfig):
        super().__init__()
        grid, side = config.grid_size, config.image_size
        self.sam_prompt_encoder = PromptEncoder(config.prompt_width, (grid, grid), (side, side), 16)

    def forward(
        self,
        points: Optional[Tensor],
        labels: Optional[Tensor],
        boxes: Optional[Tensor],
        mask_logits: Optional[Tensor],
    ) -> Tuple[Tensor, Tensor]:
        """Sparse tokens (n, t, C) and dense embedding (n, C, grid, grid); see `SAMUNet.decode_prompts`."""
        with_points = points is not None and points.shape[1] > 0
        return self.sam_prompt_encoder((points, labels) if with_points else None, boxes, mask_logits)

    def dense_position(self) -> Tensor:
        """Positional encoding (1, C, grid, grid) of the embedding."""
        return self.sam_prompt_encoder.get_dense_pe()


class _SamPart(nn.Module):
    """SAM's mask decoder without its mask tokens, IoU head and hypernetworks."""

    def __init__(self, config: SAMUNetConfig):
        super().__init__()
        width = config.prompt_width
        self.transformer = TwoWayTransformer(
            depth=2, embedding_dim=width, num_heads=8, mlp_dim=config.decoder_mlp
        )
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, stride=2),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, stride=2),
            nn.GELU(),
        )


class SAMUNetMaskDecoder(nn.Module):
    """One mask per set of prompts: no multimask output, no IoU head."""

    def __init__(self, config: SAMUNetConfig):
        super().__init__()
        width, narrow = config.prompt_width, config.prompt_width // 8
        self.sam_mask_decoder = _SamPart(config)
        self.med_token = nn.Embedding(1, width)
        self.hf_mlp = MLP(width, width, narrow, 3)
        self.embedding_maskfeature = nn.Sequential(
            nn.Conv2d(narrow, 2 * narrow, 3, padding=1),
            LayerNorm2d(2 * narrow),
            nn.GELU(),
            nn.Conv2d(2 * narrow, narrow, 3, padding=1),
        )

    def forward(
        self, embedding: Tensor, feature: Tensor, position: Tensor, sparse: Tensor, dense: Tensor
    ) -> Tensor:
        """Low-resolution logits (n, 1, L, L).

        :param embedding: (1 or n, C, grid, grid), ``feature`` (1 or n, C/8, L, L): the encoder's outputs.
        :param position: (1, C, grid, grid), of the embedding.
        :param sparse: (n, t, C) and ``dense`` (n, C, grid, grid): the prompt encoder's outputs.
        """
        token = self.med_token.weight.expand(sparse.shape[0], 1, -1)
        source = embedding + dense
        tokens, source_tokens = self.sam_mask_decoder.transformer(
            source, position, torch.cat([token, sparse], 1)
        )
        source = source_tokens.transpose(1, 2).reshape(source.shape)
        fine = self.embedding_maskfeature(self.sam_mask_decoder.output_upscaling(source)) + feature
        kernel = self.hf_mlp(tokens[:, 0])
        return torch.einsum("nc,nchw->nhw", kernel, fine).unsqueeze(1)
