"""Prompts in a table: one row for each point or box, of one case or of all."""

import csv
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ..errors import InputError, PromptError
from .sliceChoice import ORIENTATIONS

COLUMNS = ("case", "segment", "kind", "space", "x", "y", "z", "x2", "y2", "z2", "orientation")
_REQUIRED = ("segment", "kind", "x", "y", "z")
_KINDS, _SPACES = ("positive", "negative", "box"), ("ras", "ijk", "fraction")


class PromptRow(NamedTuple):
    """``case``: name, "" for all cases; ``kind``: positive, negative or box; ``points``: (1, 3), of a box
    two opposite corners (2, 3), in ``space``: see `PointPrompt`; ``where``: file and line."""

    case: str
    segment: str
    kind: str
    space: str
    points: np.ndarray
    orientation: Optional[str]
    where: str


def readTable(path: Path) -> List[PromptRow]:
    """Read a CSV file with the columns ``COLUMNS``, of which case, space and orientation may be left out.

    :raises InputError: the file cannot be read.
    :raises PromptError: a row is wrong; the sentence names its line.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not a table in UTF-8"
        raise InputError(f"The prompts table {path} cannot be read: {reason}.") from error
    for missing in (name for name in _REQUIRED if name not in columns):
        raise PromptError(f"{Path(path).name} has no column '{missing}': it needs {', '.join(COLUMNS)}.")
    return [_row(row, f"{Path(path).name} line {number}") for number, row in rows]


def _row(row: Dict[str, str], where: str) -> PromptRow:
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
    points = np.array([_number(texts[name], f"{where}: {name}") for name in names]).reshape(-1, 3)
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
