"""Write measurements of segments as a table, and as a CSV file."""

import csv
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ...errors import InputError, OutputError
from ..segments import Measurement, measureSegments
from .exportFiles import writeChecked

Value = Optional[Union[int, float, str]]

_TYPES = {
    "label": int,
    "segment": str,
    "voxels": int,
    "volume_ml": float,
    "mean": float,
    "sd": float,
    "extent_i_mm": float,
    "extent_j_mm": float,
    "extent_k_mm": float,
    "largest_diameter_mm": float,
    "slices": int,
    "confidence": float,
}
COLUMNS = tuple(_TYPES)


def measurementRows(
    segmentationNode, volumeNode, segmentIds: Sequence[str], confidences: Mapping[str, float]
) -> List[Dict[str, Value]]:
    """Return one row per segment with a value, or None, for each of ``COLUMNS``, see `Measurement`.

    :param confidences: confidence in [0, 1] by segment ID.
    :raises InputError: the volume has no image, or a segment is gone.
    """
    measured = measureSegments(segmentationNode, volumeNode, segmentIds)
    return [_row(label, each, confidences) for label, each in enumerate(measured, 1)]


def exportCsv(rows: List[Dict[str, Value]], path, existing: str = "refuse") -> Path:
    """Write the table as UTF-8 with a header, see ``exportFiles.writeChecked``; None is an empty field."""
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    return writeChecked(
        path,
        existing,
        lambda temporary: _writeTable(temporary, texts),
        lambda temporary: _checkTable(temporary, texts),
    )


def exportParquet(rows: List[Dict[str, Value]], path, existing: str = "refuse") -> Path:
    """Write the table as Apache Parquet with typed columns, see ``exportFiles.writeChecked``.

    :raises InputError: the package pyarrow is missing.
    """
    pyarrow, parquet = requirePyarrow()
    arrowTypes = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = pyarrow.schema([(name, arrowTypes[kind]) for name, kind in _TYPES.items()])
    table = pyarrow.Table.from_pylist(rows, schema=schema)

    def check(temporary: Path) -> None:
        # Read to memory: a mapped file could not be renamed on Windows.
        if parquet.read_table(temporary, memory_map=False).to_pylist() != rows:
            raise _lost(temporary)

    return writeChecked(path, existing, lambda temporary: parquet.write_table(table, temporary), check)


def requirePyarrow() -> Tuple[Any, Any]:
    """Import and return the modules pyarrow and pyarrow.parquet.

    :raises InputError: the package pyarrow is missing.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet files need the package pyarrow: pip install pyarrow, or export CSV instead."
        ) from error
    return pyarrow, parquet


def _row(label: int, measured: Measurement, confidences: Mapping[str, float]) -> Dict[str, Value]:
    values = (
        label,
        measured.name,
        measured.voxels,
        measured.volumeMl,
        measured.mean,
        measured.sd,
        *(measured.extentsMm or (None, None, None)),
        measured.diameterMm,
        measured.slices,
        confidences.get(measured.segmentId),
    )
    return dict(zip(COLUMNS, values))


def _writeTable(path: Path, rows: List[Dict[str, str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _checkTable(path: Path, rows: List[Dict[str, str]]) -> None:
    with open(path, newline="", encoding="utf-8") as file:
        if list(csv.DictReader(file)) != rows:
            raise _lost(path)


def _lost(path: Path) -> OutputError:
    return OutputError(f"The measurements could not be written to '{path.parent}': choose another folder.")
