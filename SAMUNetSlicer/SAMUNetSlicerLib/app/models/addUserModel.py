"""Add weights that the user has trained or received as a model of their own, beside the product's."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Container

from ...atomicFiles import sha256Of
from ...engine.models import ModelCard
from ...errors import InputError
from .userModels import catalog, registerModel
from .weights import importWeights

_ENDINGS = (".pth", ".pt", ".safetensors")
_LONGEST_ID = 60


def addOwnModel(base: ModelCard, file: Path) -> str:
    """Take over a weights file as a model that works as ``base`` does.

    :param base: a card with the same architecture.
    :return: the ID of the new model, made from the name of the file.
    :raises InputError: the file is missing or has another ending than weights have.
    :raises WeightsError: the weights are another network's, damaged, or contain code; nothing is kept.
    :raises OutputError: the disk is full or the home folder cannot be written.
    """
    if not file.is_file():
        raise InputError(f"There is no file {file}: choose the weights of a network.")
    if file.suffix.lower() not in _ENDINGS:
        raise InputError(f"{file.name} is no weights file: choose one that ends with {', '.join(_ENDINGS)}.")
    from ...engine.models import load_model

    plain = replace(base, sha256=None, size_bytes=None, sources=())
    load_model(plain, file, device="cpu", precision="fp32")
    newId = _freeId(file.stem, catalog().cards)
    path = importWeights(replace(plain, file=f"{newId}{file.suffix.lower()}"), file)
    registerModel(_entry(base, newId, file, path))
    return newId


def _entry(base: ModelCard, newId: str, file: Path, path: Path) -> dict:
    return {
        **base.to_json(),
        "id": newId,
        "title": f"{file.stem} ({base.title})",
        "summary": f"Your own weights, for the network of {base.title}.",
        "file": path.name,
        "sources": [{"kind": "user", "page": base.homepage}],
        "sha256": sha256Of(path),
        "size_bytes": path.stat().st_size,
        "licence": {"code": base.license.code, "weights": "as stated by whoever gave you the file"},
        "training_data": "Not known to this program: ask whoever trained the weights.",
        "accuracy": [],
    }


def _freeId(name: str, taken: Container[str]) -> str:
    """Return ``name`` as the catalog wants IDs, with a number if it is taken."""
    wanted = re.sub(r"[^a-z0-9_.-]+", "_", name.lower()).strip("_.-")[:_LONGEST_ID] or "own"
    candidates = [wanted, *(f"{wanted}_{number}" for number in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in taken)
