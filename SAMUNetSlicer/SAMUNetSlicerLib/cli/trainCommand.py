"""Run ``samunet train``: make the weights of the compact SAM-UNet from labeled images."""

import argparse
from pathlib import Path

from ..engine.serving import limit_threads
from ..errors import InputError, WeightsError
from .console import Console

NAME = "train"
HELP = "train the compact SAM-UNet on a folder of labeled images"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="corpus folders (manifest.csv or SA-Med2D layout)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder of the run; a run found there is continued"
    )
    parser.add_argument(
        "--start",
        default="mobilesam",
        help="model of the catalog, or weights file, of a compact SAM-UNet or MobileSAM; or none",
    )
    parser.add_argument("--steps", type=int, default=0, help="length of the run in steps")
    parser.add_argument("--minutes", type=float, default=0, help="length of the run in minutes")
    parser.add_argument("--batch-size", type=int, default=4, help="images per step (default 4)")
    parser.add_argument("--targets", type=int, default=4, help="structures per image, even (default 4)")
    parser.add_argument(
        "--synthetic", type=float, default=0.25, help="fraction of generated images (default 0.25)"
    )
    parser.add_argument(
        "--regions", type=float, default=0.2, help="fraction of real images cut at edges (default 0.2)"
    )
    parser.add_argument(
        "--rate", type=float, default=5e-4, help="learning rate of the added parts (default 5e-4)"
    )
    parser.add_argument(
        "--pretrained-rate",
        type=float,
        default=2e-5,
        help="learning rate of the pretrained parts (default 2e-5)",
    )
    parser.add_argument(
        "--thaw",
        choices=("none", "last", "all"),
        default="last",
        help="how much of the transformer is trained: its last stage if not given",
    )
    parser.add_argument("--decoder", metavar="ID", help="SAM whose prompt encoder and decoder to start from")
    parser.add_argument("--teacher", metavar="ID", help="box model whose answers are learned from, too")
    parser.add_argument(
        "--keep", type=float, default=0.5, help="share of the starting weights in the result (default 0.5)"
    )
    parser.add_argument(
        "--shift", type=float, default=0.35, help="added to the result's logits (default 0.35)"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare images (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="default fp32")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default 0)")
    parser.add_argument(
        "--exclude-license",
        action="append",
        metavar="WORD",
        help="leave out sources whose license contains this (default: GPL)",
    )


def run(options: argparse.Namespace, console: Console) -> None:
    limit_threads()  # before torch is imported
    from ..engine.models import resolve_device
    from ..training.data import EXCLUDED_LICENSES, ExampleOptions
    from ..training.learning import RunOptions, TrainOptions, train

    if not (options.steps or options.minutes):
        raise InputError("A run needs an end: give --steps or --minutes.")
    where = RunOptions(
        data=options.data,
        output=options.output,
        start=_start(options),
        exclude_licenses=tuple(options.exclude_license or EXCLUDED_LICENSES),
        keep=options.keep,
        shift=options.shift,
        batch_size=options.batch_size,
        workers=options.workers,
        teacher=_teacher(options),
        device=resolve_device(options.device),
    )
    how = TrainOptions(
        steps=options.steps,
        minutes=options.minutes,
        rate=options.rate,
        pretrained_rate=options.pretrained_rate,
        thaw=options.thaw,
        precision=options.precision,
        seed=options.seed,
    )
    examples = ExampleOptions(targets=options.targets, synthetic=options.synthetic, regions=options.regions)
    weights = train(where, how, examples, console.note)
    console.result({"weights": str(weights)}, f"The weights are in {weights}.")


def _start(options):
    from ..engine.models import read_state_dict
    from ..training.learning import with_decoder_of

    if options.start == "none":
        return None
    weights = read_state_dict(_weights(options.start))
    if options.decoder is None:
        return weights
    return with_decoder_of(read_state_dict(_weights(options.decoder)), weights)


def _teacher(options):
    from ..app.models import catalog
    from ..engine.models import load_model

    if options.teacher is None:
        return None
    return load_model(catalog().get(options.teacher), _weights(options.teacher), options.device)


def _weights(start: str) -> Path:
    from ..app.models import catalog, installedWeights

    if Path(start).is_file():
        return Path(start)
    path = installedWeights(catalog().get(start))
    if path is None:
        raise WeightsError(f"The weights of {start} are not here: run `samunet models get {start}`.")
    return path
