"""``samunet evaluate``: how well models follow boxes and clicks on labelled images."""

import argparse
from pathlib import Path

from ..errors import WeightsError
from .console import Console

NAME = "evaluate"
HELP = "measure models on a folder of labelled images, side by side"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="corpus folder (manifest.csv or SA-Med2D layout)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for the report, tables and pictures"
    )
    parser.add_argument(
        "--model", action="append", metavar="ID", help="may be repeated; the defaults if not given"
    )
    parser.add_argument(
        "--per-image", type=int, default=0, metavar="N", help="at most N structures per image"
    )
    parser.add_argument("--boxes-only", action="store_true", help="no clicks: a sixth of the time")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="cases to draw (default 20)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.userModels import catalogue
    from ..training.comparison import compare
    from ..training.sa_med2d import read_corpus

    known = catalogue()
    names = options.model or list(dict.fromkeys(known.defaults.values()))
    samples = read_corpus(options.data)
    models = (_load(known.get(name), options.device) for name in names)
    with console.progress("images") as progress:
        figures = compare(
            models,
            samples,
            options.output,
            per_image=options.per_image,
            worst=options.worst,
            clicks=not options.boxes_only,
            progress=lambda done: progress(done, None),
        )
    console.result(figures, f"The report is {options.output / 'report.md'}.")


def _load(card, device: str):
    from ..app.downloads import installedWeights
    from ..engine.loader import load_model

    path = installedWeights(card)
    if path is None:
        raise WeightsError(f"The weights of {card.title} are not here: run `samunet models get {card.id}`.")
    return load_model(card, path, device)
