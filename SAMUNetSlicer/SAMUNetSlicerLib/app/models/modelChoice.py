"""Turn the name of a model into what the engine is asked to load."""

from pathlib import Path
from typing import Optional

from ...engine.serving import ModelSpec
from ...errors import WeightsError
from ..common import cacheFolder
from .userModels import catalog
from .weights import installedWeights, isPublic


def modelSpec(
    modelId: Optional[str] = None,
    weights: Optional[Path] = None,
    device: str = "auto",
    precision: str = "auto",
    cache: Optional[Path] = None,
) -> ModelSpec:
    """Find a model of the catalog and its weights.

    :param modelId: the catalog's default if None.
    :param weights: a file to use instead of the installed one.
    :param cache: folder of the encoded slices, the user's own if None.
    :raises InputError: there is no such model.
    :raises WeightsError: its weights are not here; the sentence says how to get them.
    """
    models = catalog()
    card = models.get(modelId or models.default)
    path = weights or installedWeights(card)
    if path is None:
        source = "" if isPublic(card) else " --from FILE"
        raise WeightsError(
            f"The weights of {card.title} are not on this computer: get them with "
            f"`samunet models get {card.id}{source}`."
        )
    folder = str(cache or cacheFolder())
    return ModelSpec(card.to_json(), str(path), device, precision, cache_folder=folder)
