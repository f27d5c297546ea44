"""Initialize a compact SAM-UNet from its own weights, or from MobileSAM's in every part the two share."""

from typing import Dict

import torch
from torch import Tensor

from ...engine.models import load_weights, samunet_architecture
from ...engine.networks import CompactSAMUNet
from ...errors import WeightsError

_QUALITY = "mask_decoder.quality."
_RENAMED = {
    "prompt_encoder.": "prompt_encoder.sam_prompt_encoder.",
    "mask_decoder.output_hypernetworks_mlps.0.": "mask_decoder.hf_mlp.",
}
# MobileSAM chooses among four masks by estimated quality; mask 0 is the one for unambiguous prompts.
_DROPPED = (
    "mask_decoder.iou_token",
    "mask_decoder.iou_prediction_head",
    "mask_decoder.mask_tokens",
    "mask_decoder.output_hypernetworks_mlps",
    # The classifier that TinyViT was pretrained with, and indices that the attention computes itself.
    "image_encoder.norm_head",
    "image_encoder.head",
    "attention_bias_idxs",
)


def start_from(weights: Dict[str, Tensor], network: CompactSAMUNet) -> None:
    """Load the weights of a compact SAM-UNet or of MobileSAM, whichever these are.

    A quality head that the weights lack stays as it is.

    :raises WeightsError: they are neither.
    """
    if samunet_architecture(weights):
        own = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(_QUALITY)}
        load_weights(network, {**own, **weights}, "to start from")
    else:
        from_mobile_sam(weights, network)


def with_decoder_of(other: Dict[str, Tensor], weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Return the weights of a SAM with the prompt encoder and the mask decoder of another."""
    kept = {name: tensor for name, tensor in weights.items() if name.startswith("image_encoder.")}
    return {**kept, **{n: tensor for n, tensor in other.items() if not n.startswith("image_encoder.")}}


def from_mobile_sam(weights: Dict[str, Tensor], network: CompactSAMUNet) -> None:
    """Load MobileSAM's encoder, prompt encoder and mask decoder; the added parts start neutral.

    :param weights: state dict of the published ``mobile_sam.pt`` (Apache-2.0).
    :raises WeightsError: the weights are not MobileSAM's.
    """
    masks, quality = weights["mask_decoder.mask_tokens.weight"], weights["mask_decoder.iou_token.weight"]
    renamed = {
        "mask_decoder.med_token.weight": masks[:1],
        "mask_decoder.context_tokens.weight": torch.cat([quality, masks[1:]]),
    }
    for name, tensor in weights.items():
        new_name = _rename(name)
        if new_name is not None:
            renamed[new_name] = tensor
    if network.config.quality:
        renamed.update(_quality_of_first_mask(weights))
    missing, unexpected = network.load_state_dict(renamed, strict=False)
    shared = ("image_encoder.", "prompt_encoder.")
    lost = [name for name in missing if name.startswith(shared)]
    if unexpected or lost:
        raise WeightsError(
            f"These weights are not MobileSAM's: {len(unexpected)} unknown and {len(lost)} missing tensors, "
            f"first {(unexpected + lost)[0]}; give the published mobile_sam.pt."
        )
    network.start_as_sam()


def _rename(name):
    for old, new in _RENAMED.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return None if any(part in name for part in _DROPPED) else name


def _quality_of_first_mask(weights):
    """Take the head that estimates the IoU of four masks, for the first of them alone."""
    head = "mask_decoder.iou_prediction_head."
    found = {
        _QUALITY + name[len(head) :]: tensor for name, tensor in weights.items() if name.startswith(head)
    }
    return {
        name: tensor[:1] if name.startswith(f"{_QUALITY}layers.2.") else tensor
        for name, tensor in found.items()
    }
