"""``samunet train``: make the weights of the compact SAM-UNet from labelled images."""

import argparse
from pathlib import Path

from ..errors import InputError, WeightsError
from .console import Console

NAME = "train"
HELP = "train the compact SAM-UNet on a folder of labelled images"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="corpus folder (manifest.csv or SA-Med2D layout)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder of the run; a run found there goes on"
    )
    parser.add_argument(
        "--start", type=Path, help="MobileSAM's weights; those of `samunet models get mobilesam`"
    )
    parser.add_argument("--steps", type=int, default=0, help="length of the run in steps")
    parser.add_argument("--minutes", type=float, default=0, help="length of the run in minutes")
    parser.add_argument("--batch-size", type=int, default=4, help="images per step (default 4)")
    parser.add_argument("--targets", type=int, default=4, help="structures per image, even (default 4)")
    parser.add_argument(
        "--synthetic", type=float, default=0.35, help="fraction of generated images (default 0.35)"
    )
    parser.add_argument(
        "--rate", type=float, default=5e-4, help="learning rate of the added parts (default 5e-4)"
    )
    parser.add_argument(
        "--keep", type=float, default=0.5, help="share of the starting weights in the result (default 0.5)"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare images (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--exclude-licence",
        action="append",
        metavar="WORD",
        help="leave out sources whose licence contains this (default: GPL)",
    )


def run(options: argparse.Namespace, console: Console) -> None:
    from ..engine.checkpoint import read_state_dict
    from ..engine.device import resolve_device
    from ..training.batches import ExampleOptions
    from ..training.run import RunOptions, train
    from ..training.trainer import TrainOptions

    if not (options.steps or options.minutes):
        raise InputError("A run needs an end: give --steps or --minutes.")
    where = RunOptions(
        data=options.data,
        output=options.output,
        start=read_state_dict(options.start or _mobileSam()),
        exclude_licences=tuple(options.exclude_licence or ("GPL",)),
        keep=options.keep,
        batch_size=options.batch_size,
        workers=options.workers,
        device=resolve_device(options.device),
    )
    how = TrainOptions(
        steps=options.steps,
        minutes=options.minutes,
        rate=options.rate,
        precision=options.precision,
        seed=options.seed,
    )
    examples = ExampleOptions(targets=options.targets, synthetic=options.synthetic)
    weights = train(where, how, examples, console.note)
    console.result({"weights": str(weights)}, f"The weights are in {weights}.")


def _mobileSam() -> Path:
    from ..app.downloads import installedWeights
    from ..app.userModels import catalogue

    path = installedWeights(catalogue().get("mobilesam"))
    if path is None:
        raise WeightsError(
            "Training starts from MobileSAM: run `samunet models get mobilesam`, or give --start."
        )
    return path
