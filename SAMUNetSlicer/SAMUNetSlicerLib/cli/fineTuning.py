"""Fine-tune a network on a user's segmentation and add it to the catalog, for ``samunet finetune``."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np

from ..errors import InputError, WeightsError

_ARCHITECTURE = "samunet_compact"


def fineTune(
    volume: np.ndarray,
    labels: np.ndarray,
    modelId: str,
    newId: str,
    window: str,
    steps: int,
    device: str,
    say: Callable[[str], None],
):
    """Train on the slices of a segmented volume; if that helped, store the weights and register the model.

    :param volume: (slices, H, W) any numeric type; ``labels``: likewise, 0 background.
    :param window: mode of `engine.windowing.WindowSetting`.
    :return: `training.learning.fine_tuning.Outcome`.
    :raises InputError: the model cannot be fine-tuned or there are too few slices.
    """
    from ..app.common import homeFolder
    from ..app.models import catalog, installedWeights
    from ..engine.models import CompactModel, resolve_device
    from ..engine.windowing import WindowSetting, looks_like_hounsfield
    from ..training.learning import finetune, labeled_slices

    card = catalog().get(modelId)
    if card.architecture != _ARCHITECTURE:
        raise InputError(f"{card.title} cannot be fine-tuned: choose a compact SAM-UNet.")
    weights = installedWeights(card)
    if weights is None:
        raise WeightsError(f"The weights of {card.title} are not here: run `samunet models get {card.id}`.")
    is_hounsfield = looks_like_hounsfield(float(np.nanmin(volume)), float(np.nanmax(volume)))
    pairs = labeled_slices(volume, labels, WindowSetting(window).resolved(is_hounsfield))
    network = _network(weights)
    folder = homeFolder() / "finetuning" / newId
    outcome = finetune(
        network,
        lambda trained: CompactModel(trained, card, newId),
        pairs,
        folder,
        say,
        steps=steps,
        device=resolve_device(device),
    )
    shutil.rmtree(folder, ignore_errors=True)
    if outcome.better:
        _keep(network, card, newId, outcome, len(pairs))
    return outcome


def _network(weights: Path):
    from ..engine.models import load_weights, read_state_dict
    from ..engine.networks import CompactSAMUNet, compact_config

    tensors = read_state_dict(weights)
    network = CompactSAMUNet(compact_config(tensors))
    load_weights(network, tensors, weights.name)
    return network


def _keep(network, card, newId, outcome, sliceCount):
    from ..app.common import outputErrors, weightsFolder
    from ..app.models import registerModel
    from ..engine.models import file_sha256
    from ..training.learning import save_half

    path = weightsFolder() / f"{newId}.safetensors"
    with outputErrors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_half(network.state_dict(), path)
    entry = {
        **card.to_json(),
        "id": newId,
        "title": f"{newId} (from {card.title})",
        "summary": "Your own model, fine-tuned on your segmentation.",
        "file": path.name,
        "sources": [{"kind": "user", "page": card.homepage}],
        "sha256": file_sha256(path),
        "size_bytes": path.stat().st_size,
        "training_data": f"{card.training_data} Then {sliceCount} slices of the user's own.",
        "accuracy": [_figure(outcome, card)],
    }
    registerModel(entry)


def _figure(outcome, card) -> Dict[str, Any]:
    return {
        "metric": "Dice",
        "value": round(outcome.after, 3),
        "prompt": "exact box and first click",
        "data": f"held-out slices of the user's volume; {outcome.before:.3f} with {card.id}",
        "origin": "measured",
    }
