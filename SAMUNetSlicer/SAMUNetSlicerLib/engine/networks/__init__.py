"""Define the networks (SAM-UNet, the compact SAM-UNet, SAM) and faster forms of their blocks."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "compact_decoder": ("decode_compact",),
        "compact_samunet": ("compact_config", "COMPACT_TINY", "CompactSAMUNet", "early_tokens"),
        "fast_attention": ("FastAttention",),
        "fast_encoder": ("FastEncoder",),
        "onednn": ("Convolution", "linear"),
        "sam_blocks": ("ImageEncoderViT", "MaskDecoder", "PromptEncoder", "TwoWayTransformer"),
        "sam_decoder": ("decode_masks", "folded_product", "two_way", "upscaled"),
        "sam_network": ("build_sam_network", "SamNetwork"),
        "samunet": ("PIXEL_MEAN", "PIXEL_STD", "SAMUNet"),
        "samunet_config": ("RES34", "RES50", "SAMUNetConfig"),
        "samunet_decoder": ("SAMUNetMaskDecoder",),
        "tiny_vit": ("fold_batch_norm", "InvertedResidual", "Merging", "TinyViT", "WindowAttention"),
    },
)
