"""Define the options of every command that writes segments."""

import argparse
from pathlib import Path
from typing import Sequence


def addFormatArgument(parser: argparse.ArgumentParser) -> None:
    """Add which files to write."""
    parser.add_argument(
        "--format",
        dest="formats",
        metavar="LIST",
        help="seg.nrrd, nifti, nrrd, mha, dicom-seg, stl, obj, ply, csv, parquet, prompts, separated by "
        "commas (default seg.nrrd,nifti,csv,prompts)",
    )


def addDicomSeriesArgument(parser: argparse.ArgumentParser) -> None:
    """Add what DICOM SEG refers to."""
    parser.add_argument(
        "--dicom-series",
        type=Path,
        metavar="DIR",
        help="for dicom-seg: the images that the volume was made from (default: the volume itself)",
    )


def chosenFormats(options: argparse.Namespace) -> Sequence[str]:
    """Return the formats of ``--format``; those not known are refused by the export."""
    from ..app.files import DEFAULT_KEYS

    if options.formats is None:
        return DEFAULT_KEYS
    return tuple(key.strip().lower() for key in options.formats.split(",") if key.strip())
