"""Run ``samunet replay``: make the masks of a provenance file again and compare them."""

import argparse
from pathlib import Path
from typing import Any, Dict, Optional

from .console import Console
from .engineOptions import addEngineArguments, addExistingArguments, openEngine

NAME = "replay"
HELP = "make the masks of a provenance file again and compare them"

_DIFFERENT = 1


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provenance", type=Path, help="the .provenance.json beside a result")
    parser.add_argument("volume", type=Path, help="the volume that was segmented")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the segmentation here")
    addEngineArguments(parser)
    addExistingArguments(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Return 0 if every mask is the same, pixel by pixel."""
    from ..app.files import ResultFiles, baseName
    from ..app.jobs import runReplayJob

    files: Optional[ResultFiles] = None
    if options.out is not None:
        files = ResultFiles(options.out, baseName(options.volume), options.existing)
    with openEngine() as engine, console.progress("replaying", "slices") as progress:
        replayed = runReplayJob(
            options.provenance, options.volume, engine, specLike(options), progress, files
        )
    slices = [_values(each) for each in replayed]
    identical = all(each.isIdentical for each in replayed)
    verdict = "Every mask is the same." if identical else "Some masks are not the same."
    lines = [f"{s['segment']}: {s['differing']} of {s['pixels']} pixels differ" for s in slices]
    console.result({"identical": identical, "slices": slices}, "\n".join([*lines, verdict]))
    return 0 if identical else _DIFFERENT


def specLike(options: argparse.Namespace):
    """Return how a model that a record names is loaded: as it was then, unless the options say otherwise."""
    from ..app.models import modelSpec

    def specFor(model: Dict[str, str]):
        device = model["device"] if options.device == "auto" else options.device
        precision = model["precision"] if options.precision == "auto" else options.precision
        return modelSpec(model["id"], options.weights, device, precision)

    return specFor


def _values(each) -> Dict[str, Any]:
    return {"segment": each.segment, "pixels": each.pixels, "differing": each.differing}
