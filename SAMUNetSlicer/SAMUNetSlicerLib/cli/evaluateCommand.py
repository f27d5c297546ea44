"""Run ``samunet evaluate``: measure how well models follow boxes and clicks on labeled images."""

import argparse
from dataclasses import replace
from pathlib import Path

from ..engine.serving import limit_threads
from ..errors import WeightsError
from .console import Console

NAME = "evaluate"
HELP = "measure models on a folder of labeled images, side by side"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="corpus folder (manifest.csv or SA-Med2D layout)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for the report, tables and pictures"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="ID",
        help="may be repeated; the defaults if not given; NAME=FILE for weights of a compact SAM-UNet",
    )
    parser.add_argument(
        "--per-image", type=int, default=0, metavar="N", help="at most N structures per image"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="only the patients that `samunet train` leaves out"
    )
    parser.add_argument(
        "--clicks", type=int, default=20, metavar="N", help="clicks per structure (default 20), 0: boxes only"
    )
    parser.add_argument(
        "--outlines", action="store_true", help="draw the worst cases without their images, to publish them"
    )
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="cases to draw (default 20)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def run(options: argparse.Namespace, console: Console) -> None:
    limit_threads()  # before torch is imported
    from ..app.models import catalog
    from ..training.data import read_corpus, split_by_patient, usable
    from ..training.measuring import CompareOptions, compare

    known = catalog()
    names = options.model or list(dict.fromkeys(known.defaults.values()))
    data, samples = options.data.resolve().name, read_corpus(options.data)
    if options.held_out:
        data, samples = f"{data}, held-out patients", split_by_patient(usable(samples))[1]
    models = (_load(known, name, options.device) for name in names)
    how = CompareOptions(data, options.per_image, options.clicks, options.worst, options.outlines)
    with console.progress("images") as progress:
        figures = compare(models, samples, options.output, how, lambda done: progress(done, None))
    console.result(figures, f"The report is {options.output / 'report.md'}.")


def _load(known, name: str, device: str):
    from ..app.models import installedWeights
    from ..engine.models import load_model

    ownName, _, file = name.partition("=")
    if file:
        card = replace(known.get("samunet_compact"), id=ownName, sha256=None)
        return load_model(card, Path(file), device)
    card = known.get(name)
    path = installedWeights(card)
    if path is None:
        raise WeightsError(f"The weights of {card.title} are not here: run `samunet models get {card.id}`.")
    return load_model(card, path, device)
