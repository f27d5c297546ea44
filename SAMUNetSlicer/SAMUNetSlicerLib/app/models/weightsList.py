"""List the networks and whether their weights are installed, for a dialog in which the user works on them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from ...engine.models import ModelCard, Source
from ..common import weightsFolder
from .userModels import catalog, forgetModel, isOwnModel
from .weights import installedWeights, isPublic, removeWeights


@dataclass(frozen=True)
class WeightsRow:
    """A network; ``path`` of its weights, None if they are not here; ``isOwn``: one of the user's own."""

    card: ModelCard
    path: Optional[Path]
    isOwn: bool

    @property
    def isBundled(self) -> bool:
        """Tell whether the weights came with the product, so that they cannot be removed."""
        return self.path is not None and self.path.parent != weightsFolder()

    @property
    def canGet(self) -> bool:
        return self.path is None and isPublic(self.card)

    @property
    def canRemove(self) -> bool:
        return self.isOwn or (self.path is not None and not self.isBundled)


def weightsRows() -> List[WeightsRow]:
    """Return a row for each network, in the order of the catalog.

    :raises InputError: the user's catalog is damaged.
    """
    return [
        WeightsRow(card, installedWeights(card), isOwnModel(card.id)) for card in catalog().cards.values()
    ]


def removeRow(row: WeightsRow) -> int:
    """Delete the weights, and a model of the user's own altogether; return the bytes freed.

    :raises OutputError: the file cannot be deleted.
    """
    freed = removeWeights(row.card)
    if row.isOwn:
        forgetModel(row.card.id)
    return freed


def fileInFolder(card: ModelCard, folder: Path) -> Optional[Path]:
    """Find the weights of a card in a folder that was filled on another computer.

    :return: the weights file, or the package that holds it; None if neither is there.
    """
    file = folder / card.file
    if file.is_file():
        return file
    names = [_archiveName(source) for source in card.sources if source.kind == "package"]
    archives = sorted(path for path in folder.glob("*") if path.is_file())
    return next((path for path in archives if _normal(path.name).startswith(tuple(names))), None)


def _archiveName(source: Source) -> str:
    ending = ".tar.gz" if source.format == "sdist" else "-"
    return _normal(f"{source.package}-{source.version}{ending}")


def _normal(name: str) -> str:
    """Return a package's name in its normal form: it may be written with - or _ or . between words, see PEP
    503.
    """
    return re.sub(r"[-_.]+", "-", name).lower()
