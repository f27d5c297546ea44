"""Keep the user's own models: a catalog beside the product's, in the home folder."""

import json
from pathlib import Path
from typing import Any, Dict

from ...atomicFiles import replaceFile
from ...engine.models import Catalog, load_catalog
from ..common import homeFolder, outputErrors


def userCatalogFile() -> Path:
    """Return the file of the user's model cards; it need not exist."""
    return homeFolder() / "models.json"


def catalog() -> Catalog:
    """Return the product's models and the user's.

    :raises InputError: the user's file is damaged.
    """
    path = userCatalogFile()
    return load_catalog([path] if path.exists() else [])


def registerModel(entry: Dict[str, Any]) -> None:
    """Add a model card to the user's catalog; an older one with the same id is replaced.

    :param entry: as in models.schema.json.
    :raises InputError: the entry or the user's file is not valid; nothing is changed.
    :raises OutputError: the home folder cannot be written.
    """
    document = _document(userCatalogFile())
    others = [model for model in document["models"] if model["id"] != entry["id"]]
    _write({**document, "models": [*others, entry]})


def isOwnModel(modelId: str) -> bool:
    """Tell whether a model is one of the user's own."""
    return any(model["id"] == modelId for model in _document(userCatalogFile())["models"])


def forgetModel(modelId: str) -> None:
    """Take a model out of the user's catalog; its weights stay, see `downloads.removeWeights`.

    :raises OutputError: the home folder cannot be written.
    """
    document = _document(userCatalogFile())
    _write({**document, "models": [model for model in document["models"] if model["id"] != modelId]})


def _write(document: Dict[str, Any]) -> None:
    """Replace the user's file in one step, if it is valid."""
    path = userCatalogFile()
    text = json.dumps(document, indent=2) + "\n"

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")
        load_catalog([temporary])

    with outputErrors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replaceFile(path, write)


def _document(path: Path) -> Dict[str, Any]:
    if not path.exists():
        return {"models": []}
    load_catalog([path])
    return json.loads(path.read_text(encoding="utf-8"))
