"""Small networks of SAM's kind with random weights, for tests that need no trained ones."""

import torch

from SAMUNetSlicerLib.engine.models import InputFormat, ModelCard, load_catalog
from SAMUNetSlicerLib.engine.networks import SamNetwork, build_sam_network
from SAMUNetSlicerLib.engine.types import Capabilities

TINY_VIT = {"stem_stride": 1, "widths": (8, 16, 16, 16), "depths": (1, 1, 1, 1), "heads": (1, 2, 2, 2)}
TINY_SAM_VIT = {"embed_dim": 32, "depth": 2, "num_heads": 2, "global_attn_indexes": (1,)}


def small_card(form=None, **capabilities) -> ModelCard:
    """A card of a TinyViT SAM at 64 pixels: embedding 16 x 16, logits 64 x 64."""
    published = load_catalog().get("litemedsam").to_json()
    form = form or InputFormat(64, "pad", "area", "unit")
    accepted = {"points": True, "boxes": True, "mask": "logits", "multimask": False, "iou": True}
    changes = {
        "id": "small",
        "title": "Small SAM",
        "config": TINY_VIT,
        "file": "small.pth",
        "sha256": None,
        "input": vars(form),
        "prompts": vars(Capabilities(**{**accepted, **capabilities})),
    }
    return ModelCard.from_json({**published, **changes})


def small_network(seed: int = 0, size: int = 64) -> SamNetwork:
    torch.manual_seed(seed)
    network = build_sam_network("tiny_vit_sam", size, TINY_VIT)
    randomise_batch_norm(network)
    return network.eval().requires_grad_(False)


def randomise_batch_norm(network) -> None:
    """Give batch normalizations statistics that matter, as training would."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
