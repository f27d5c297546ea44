"""Cut the transformer branch of SAM-UNet into stages, so that ResNet features can be added between blocks."""

from functools import partial

from torch import Tensor, nn

from .sam_blocks import ImageEncoderViT
from .samunet_config import SAMUNetConfig


class SamViTBranch(nn.Module):
    """SAM's ViT.

    Tokens are (B, grid, grid, vit_width); a stage is the blocks up to and including one globally
    attending block, which `mix` runs after the ResNet's features have been added.
    """

    def __init__(self, config: SAMUNetConfig):
        super().__init__()
        self.sam_img_encoder = ImageEncoderViT(
            img_size=config.image_size,
            embed_dim=config.vit_width,
            depth=config.vit_depth,
            num_heads=config.vit_heads,
            out_chans=config.prompt_width,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=config.vit_window,
            global_attn_indexes=config.vit_global_blocks,
        )
        self._global_blocks = config.vit_global_blocks

    def embed(self, x: Tensor) -> Tensor:
        """Return tokens of an image (B, 3, S, S)."""
        encoder = self.sam_img_encoder
        return encoder.patch_embed(x) + encoder.pos_embed

    def advance(self, stage: int, tokens: Tensor) -> Tensor:
        """Run the stage's blocks that precede the addition."""
        start = self._global_blocks[stage - 1] + 1 if stage else 0
        for block in self.sam_img_encoder.blocks[start : self._global_blocks[stage]]:
            tokens = block(tokens)
        return tokens

    def mix(self, stage: int, tokens: Tensor) -> Tensor:
        """Run the stage's last block."""
        return self.sam_img_encoder.blocks[self._global_blocks[stage]](tokens)

    def neck(self, tokens: Tensor) -> Tensor:
        """Return embedding (B, prompt_width, grid, grid) of the last stage's tokens."""
        return self.sam_img_encoder.neck(tokens.permute(0, 3, 1, 2))
