"""Run ``samunet demo``: the sample volumes from prompts to checked files, pictures and a table."""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

from ..errors import OutputError
from .console import Console
from .engineOptions import addEngineArguments, openEngine

NAME = "demo"
HELP = "segment the sample data, check and draw the results"

_SHEET_COLUMNS, _SHEET_WIDTH = 4, 400
_COLUMNS = ("structure", "slice", "prompt", "encode ms", "again", "decode ms", "write ms", "Dice")


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), metavar="DIR", help="folder of the results"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="sample data, by default those of the sources"
    )
    parser.add_argument("--model", metavar="ID", help="see `samunet models`; its default if not given")
    addEngineArguments(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.jobs import CASES, Demo
    from ..app.models import modelSpec

    cache = options.out / "cache"
    shutil.rmtree(cache, ignore_errors=True)  # the first run must show what an empty cache costs
    spec = modelSpec(options.model, options.weights, options.device, options.precision, cache)
    demo = Demo(options.data or _sampleData(), options.out, spec, openEngine)
    slices = []
    with console.progress("demo", "volumes") as progress:
        for number, case in enumerate(CASES):
            progress(number, len(CASES))
            slices += demo.run(case)
            _requireSameReplay(demo, case, spec)
    pictures = _savePictures(slices, options.out)
    console.result(
        {"model": spec.model_id, "slices": [_values(each) for each in slices], "pictures": pictures},
        _report(spec.model_id, slices, options.out),
    )


def _sampleData() -> Path:
    return Path(__file__).resolve().parents[3] / "Resources" / "SampleData"


def _requireSameReplay(demo, case, spec) -> None:
    """Require that the recorded masks can be made again.

    :raises OutputError: the recorded masks cannot be made again, bit by bit.
    """
    from ..app.jobs import runReplayJob

    provenance = demo.stem(case).with_name(f"{demo.stem(case).name}.provenance.json")
    with openEngine() as engine:
        replayed = runReplayJob(
            provenance,
            demo.volumeFile(case),
            engine,
            lambda model: replace(spec, device=model["device"], precision=model["precision"]),
            lambda done, total: None,
        )
    if not all(each.isIdentical for each in replayed):
        raise OutputError(f"The masks of {provenance} could not be made again as they are recorded.")


def _savePictures(slices: List, folder: Path) -> List[str]:
    from ..app.jobs import contactSheet, savePicture

    paths = [
        folder / f"{number:02d}-{each.name.replace(' ', '-')}.png" for number, each in enumerate(slices, 1)
    ]
    for path, each in zip(paths, slices):
        savePicture(each.picture, path)
    sheet = folder / "demo.png"
    savePicture(contactSheet([each.picture for each in slices], _SHEET_COLUMNS, _SHEET_WIDTH), sheet)
    return [str(path) for path in [sheet, *paths]]


def _values(each) -> Dict[str, Any]:
    return {
        "structure": each.name,
        "slice": each.place,
        "prompt": each.prompt,
        "encode ms": each.first.encodeMs,
        "again": each.again.source,
        "decode ms": each.first.decodeMs,
        "write ms": each.first.writeMs,
        "Dice": each.dice,
    }


def _report(model: str, slices: List, folder: Path) -> str:
    rows = [[_cell(value) for value in _values(each).values()] for each in slices]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths)) for row in [_COLUMNS, *rows]]
    hits = sum(each.again.source != "encoded" for each in slices)
    checks = (
        f"Model {model}. Second run: {hits} of {len(slices)} slices found in the cache.",
        "Read back: every file holds what was segmented, voxel by voxel. Replayed: every mask is the same.",
        f"Results and pictures: {folder}",
    )
    return "\n".join([*table, "", *checks])


def _cell(value) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
