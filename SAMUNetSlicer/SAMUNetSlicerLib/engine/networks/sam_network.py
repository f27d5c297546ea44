"""Build networks like SAM: an image encoder of some kind, SAM's prompt encoder and mask decoder."""

from functools import partial
from typing import Any, Mapping

from torch import nn

from .adapter_vit import add_adapters
from .sam_blocks import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer
from .tiny_vit import TinyViT

WIDTH = 256
_VIT = {
    "sam_vit_b": {"embed_dim": 768, "depth": 12, "num_heads": 12, "global_attn_indexes": (2, 5, 8, 11)},
    "sam_vit_l": {"embed_dim": 1024, "depth": 24, "num_heads": 16, "global_attn_indexes": (5, 11, 17, 23)},
    "sam_vit_h": {"embed_dim": 1280, "depth": 32, "num_heads": 16, "global_attn_indexes": (7, 15, 23, 31)},
}


class SamNetwork(nn.Module):
    """Modules below the names that SAM's checkpoints give them.

    :param image_encoder: (B, 3, S, S) to (B, 256, grid, grid).
    :param image_size: S; ``grid``: side of the embedding.
    """

    def __init__(self, image_encoder: nn.Module, image_size: int, grid: int):
        super().__init__()
        self.image_encoder = image_encoder
        self.prompt_encoder = PromptEncoder(WIDTH, (grid, grid), (image_size, image_size), 16)
        transformer = TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=2048)
        self.mask_decoder = MaskDecoder(transformer_dim=WIDTH, transformer=transformer)


def build_sam_network(architecture: str, image_size: int, config: Mapping[str, Any]) -> SamNetwork:
    """Return the network that a model card describes, with random weights.

    :param architecture: "sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_med2d" or "tiny_vit_sam".
    :param image_size: side of the input, pixels.
    :param config: arguments of `ImageEncoderViT` or `TinyViT` that differ from the architecture's.
    """
    if architecture == "tiny_vit_sam":
        encoder = TinyViT(**config)
        return SamNetwork(encoder, image_size, image_size // (4 * encoder.stem_stride))
    if architecture == "sam_med2d":
        encoder = add_adapters(_vit("sam_vit_b", image_size, config))
    else:
        encoder = _vit(architecture, image_size, config)
    return SamNetwork(encoder, image_size, image_size // 16)


def _vit(architecture, image_size, config):
    sizes = {
        "img_size": image_size,
        "window_size": 14,
        "use_rel_pos": True,
        "out_chans": WIDTH,
        "norm_layer": partial(nn.LayerNorm, eps=1e-6),
        **_VIT[architecture],
        **config,
    }
    return ImageEncoderViT(**sizes)
