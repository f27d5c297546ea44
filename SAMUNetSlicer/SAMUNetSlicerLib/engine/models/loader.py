"""Load a model card and a weights file as a model that is ready to encode."""

from dataclasses import replace
from pathlib import Path
from typing import Union

import torch
from torch import nn

from ...errors import WeightsError
from ..networks import (
    RES34,
    RES50,
    CompactSAMUNet,
    SAMUNet,
    build_sam_network,
    compact_config,
    fold_batch_norm,
)
from .base import PromptableModel
from .cards import ModelCard
from .checkpoint import file_sha256, load_weights, read_state_dict, samunet_architecture
from .compact import CompactModel, prepared
from .device import resolve_device, resolve_precision
from .preprocessing import FRAMING_VERSION
from .sam import SamModel
from .samunet import SAMUNetModel

# MobileSAM's file keeps TinyViT's classifier, which SAM does not use.
_UNUSED_KEYS = {"tiny_vit_sam": ("image_encoder.norm_head.", "image_encoder.head.")}

_SAMUNETS = {"samunet_res34": RES34, "samunet_res50": RES50}


def load_model(
    card: ModelCard, path: Union[str, Path], device: str = "auto", precision: str = "auto"
) -> PromptableModel:
    """Read the weights and put the model on a device.

    Weights of a SAM-UNet decide themselves between ResNet-34 and ResNet-50; the id of the model says which.

    :param path: the weights file.
    :param device: "auto", "cpu", "cuda" or "cuda:N"; ``precision``: "auto", "fp32", "bf16" or "fp16".
    :raises WeightsError: the file is missing, damaged, unsafe, altered, or another network's.
    :raises EngineError: the device or the precision is not available.
    """
    device = resolve_device(device)
    precision = resolve_precision(precision, device)
    path = Path(path)
    key = f"{_checked_sha256(card, path)[:16]}-{FRAMING_VERSION}"
    weights = read_state_dict(path)
    load = _LOADERS.get(card.architecture, _load_sam)
    model = load(card, weights, path.name, key)
    return model.to(device, precision)


def _checked_sha256(card, path):
    sha256 = file_sha256(path)
    if card.sha256 and sha256 != card.sha256:
        raise WeightsError(
            f"The weights file {path} is damaged or not the published one of {card.title}: its SHA-256 begins"
            f" with {sha256[:16]}, not {card.sha256[:16]}; remove it and get it again."
        )
    return sha256


def _load_sam(card, weights, name, key) -> SamModel:
    network = _on_meta(build_sam_network, card.architecture, card.input.size, card.config)
    load_weights(network, weights, name, _UNUSED_KEYS.get(card.architecture, ()))
    network.eval().requires_grad_(False)
    return SamModel(fold_batch_norm(network), card, f"{card.id}-{key}")


def _load_samunet(card, weights, name, key) -> SAMUNetModel:
    card = _card_of(card, samunet_architecture(weights))
    network = _on_meta(SAMUNet, replace(_SAMUNETS[card.architecture], **card.config))
    load_weights(network, weights, name)
    return SAMUNetModel(network.eval().requires_grad_(False), card, f"{card.id}-{key}")


def _card_of(card, found):
    """Return the card, or its sister's if the weights are those of the other ResNet."""
    if found not in _SAMUNETS or found == card.architecture:
        return card
    old, new = card.architecture[-2:], found[-2:]
    return replace(card, id=card.id.replace(old, new), title=card.title.replace(old, new), architecture=found)


def _load_compact(card, weights, name, key) -> CompactModel:
    network = _on_meta(CompactSAMUNet, compact_config(weights))
    load_weights(network, weights, name)
    return CompactModel(prepared(network), card, f"{card.id}-{key}")


_LOADERS = {"samunet_compact": _load_compact, **dict.fromkeys(_SAMUNETS, _load_samunet)}


def _on_meta(build, *arguments) -> nn.Module:
    """Build without allocating: the tensors of the file become the parameters."""
    with torch.device("meta"):
        return build(*arguments)
