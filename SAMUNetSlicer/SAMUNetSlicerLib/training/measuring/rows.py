"""Write and read the table of an evaluation: one row per answer, as CSV."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Iterable, List

from ...atomicFiles import replaceFile
from ...errors import InputError


@dataclass(frozen=True)
class Row:
    """One answer of one model; ``fraction``: of the image that is covered, ``shape``: see `shapes`."""

    model: str
    source: str
    modality: str
    case: str
    structure: str
    fraction: float
    shape: str
    protocol: str
    clicks: int
    dice: float
    iou: float
    surface_dice: float
    confidence: float

    @property
    def size_class(self) -> str:
        """Return the size's class: small below 0.5 % of the image, large from 3 %."""
        return "small" if self.fraction < 0.005 else "medium" if self.fraction < 0.03 else "large"


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a CSV file with one line per answer."""
    names = [field.name for field in fields(Row)]

    def write(temporary: Path) -> None:
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([getattr(row, name) for name in names] for row in rows)

    replaceFile(path, write)


def read_rows(path: Path) -> List[Row]:
    """Read what `write_rows` wrote.

    :raises InputError: the file is missing or is not such a table.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [
                Row(**{field.name: field.type(line[field.name]) for field in fields(Row)})
                for line in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a table of results: {error}.") from error
