"""Read prompts from a table: one row for each point or box, of one case or of all."""

import csv
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ...errors import InputError, PromptError
from .sliceChoice import ORIENTATIONS

COLUMNS = ("case", "segment", "kind", "space", "x", "y", "z", "x2", "y2", "z2", "orientation")
_REQUIRED = ("segment", "kind", "x", "y", "z")
_DELIMITERS = (",", ";", "\t")
_KINDS, _SPACES = ("positive", "negative", "box"), ("ras", "ijk", "fraction")


class PromptRow(NamedTuple):
    """Row of a table of prompts.

    ``case``: name, "" for all cases; ``kind``: positive, negative or box; ``points``: (1, 3), of a box
    two opposite corners (2, 3), in ``space``: see `PointPrompt`; ``where``: file and line.
    """

    case: str
    segment: str
    kind: str
    space: str
    points: np.ndarray
    orientation: Optional[str]
    where: str


def readTable(path: Path) -> List[PromptRow]:
    """Read a CSV file with the columns ``COLUMNS``, of which case, space and orientation may be left out.

    Between columns are commas, or semicolons or tabs as spreadsheets write them in some countries.

    :raises InputError: the file cannot be read.
    :raises PromptError: it has no rows or a row is wrong; the sentence names its line.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            heads = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=heads.count)
            reader = csv.DictReader(file, delimiter=delimiter)
            rows = [(reader.line_num, row) for row in reader]
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not a table in UTF-8"
        raise InputError(f"The prompts table {path} cannot be read: {reason}.") from error
    for missing in (name for name in _REQUIRED if name not in columns):
        there = ", ".join(columns) or "an empty first line"
        needed = ", ".join(_REQUIRED)
        raise PromptError(f"{Path(path).name} has no column '{missing}', only {there}: it needs {needed}.")
    if not rows:
        raise PromptError(f"{Path(path).name} has no rows: write one for each point or box.")
    decimal = "," if delimiter == ";" else "."
    return [_row(row, f"{Path(path).name} line {number}", decimal) for number, row in rows]


def _row(row: Dict[str, str], where: str, decimal: str) -> PromptRow:
    texts = {name: (row.get(name) or "").strip() for name in COLUMNS}
    kind, space = texts["kind"].lower(), texts["space"].lower() or "ras"
    orientation = texts["orientation"].lower() or None
    _require(kind, _KINDS, f"{where}: kind")
    _require(space, _SPACES, f"{where}: space")
    if orientation is not None:
        _require(orientation, ORIENTATIONS, f"{where}: orientation")
    if not texts["segment"]:
        raise PromptError(f"{where} names no segment.")
    names = ("x", "y", "z", "x2", "y2", "z2")[: 6 if kind == "box" else 3]
    numbers = [_number(texts[name].replace(decimal, "."), f"{where}: {name}") for name in names]
    points = np.array(numbers).reshape(-1, 3)
    return PromptRow(texts["case"], texts["segment"], kind, space, points, orientation, where)


def _require(value: str, known: Tuple[str, ...], what: str) -> None:
    if value not in known:
        raise PromptError(f"{what} must be one of {', '.join(known)}, not '{value}'.")


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise PromptError(f"{what} must be a number, not '{text}'.")
    return value
