"""Run ``samunet batch``: segment many images into one folder of results, resumable."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from .console import Console
from .exportArguments import addFormatArgument, chosenFormats

if TYPE_CHECKING:  # numpy, which the help of a command does not need
    from ..app.batch import BatchJob, BatchOptions

NAME = "batch"
HELP = "segment many images; the same command continues an interrupted batch"

_SOME_FAILED = 1
_CACHE_BYTES = 160 << 20  # for the slices that are under way


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        type=Path,
        nargs="+",
        metavar="INPUT",
        help="images, folders of them, folders of DICOM series",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        required=True,
        action="append",
        metavar="SOURCE",
        help="prompts (.json), markups (.mrk.json), table (.csv) or label map, or a folder of them named as "
        "the images; may be repeated: the first one that has prompts for an image is used",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace results of other prompts or options"
    )
    addFormatArgument(parser)
    _addSliceArguments(parser.add_argument_group("boxes in space, points in space, label maps"))
    _addEngineArguments(parser.add_argument_group("model and machine"))


def _addSliceArguments(group) -> None:
    group.add_argument("--orientation", default="axial", help="axial (default), sagittal or coronal slices")
    group.add_argument(
        "--slices",
        type=_count,
        metavar="N",
        help="prompt N slices of each structure, evenly spread (default: all)",
    )
    group.add_argument(
        "--margin",
        type=float,
        default=5,
        metavar="PERCENT",
        help="margin of the boxes around labels (default 5)",
    )
    group.add_argument("--propagate", action="store_true", help="propagate each segment from these slices")
    group.add_argument(
        "--window",
        default="auto",
        metavar="MODE",
        help="auto (default: preset:abdomen for a CT, else slice), slice, percentile, preset:NAME or "
        "LOWER,UPPER",
    )


def _addEngineArguments(group) -> None:
    group.add_argument("--model", metavar="ID", help="see `samunet models`; its default if not given")
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="use this file, not the installed weights"
    )
    group.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16 (default auto)")
    group.add_argument(
        "--devices",
        default="auto",
        metavar="LIST",
        help="cpu, or cuda:0,cuda:1,... (default: every GPU, or cpu)",
    )
    group.add_argument(
        "--workers", type=_count, metavar="N", help="processes (default: one per GPU, or by cores)"
    )
    group.add_argument(
        "--ray",
        default="",
        metavar="ADDRESS",
        help="use a Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or local; all its machines must see "
        "images and results under the same paths (--devices is for this machine)",
    )
    group.add_argument(
        "--threads", type=_count, metavar="N", help="threads of each process on the CPU (default 1)"
    )
    group.add_argument(
        "--review-below",
        type=float,
        default=0.7,
        metavar="C",
        help="confidence below which a case needs review (default 0.7)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Return 1 if an image failed; all others are done then."""
    from ..app.batch import BatchJob, BatchListener

    with console.progress("segmenting", "images") as progress:

        def changed(record, done: int, total: int) -> None:
            progress(done, total)
            if record.state not in ("queued", "running") and not sys.stderr.isatty():
                console.note(f"{done}/{total} {record.name}: {record.state}")

        job = BatchJob(_options(options), BatchListener(changed, noticed=console.note))
        try:
            job.run()
        except KeyboardInterrupt:
            console.note(f"{_summary(job)}; the same command goes on from there.")
            raise
    console.result(_values(job), _text(job))
    return _SOME_FAILED if any(record.state == "failed" for record in job.records) else 0


def _options(options: argparse.Namespace) -> "BatchOptions":
    from dataclasses import replace

    from ..app.batch import BatchOptions, threadsVariables
    from ..app.engines import EngineLaunch
    from ..app.models import modelSpec

    threads = options.threads or int(os.environ.get("OMP_NUM_THREADS") or 1)
    spec = modelSpec(options.model, options.weights, precision=options.precision)
    choice = _choice(options)
    devices = _devices(options, threads)
    return BatchOptions(
        inputs=tuple(options.inputs),
        prompts=tuple(options.prompts),
        folder=options.out,
        # What is encoded for a batch is not looked at again: it must not push out what a user works on.
        spec=replace(spec, cache_folder=None, memory_bytes=_CACHE_BYTES),
        choice=choice,
        devices=devices,
        reviewBelow=options.review_below,
        overwrite=options.overwrite,
        formats=_formats(options),
        launch=EngineLaunch(environment=threadsVariables(devices or ("cpu",), threads)),
        ray=options.ray,
    )


def _formats(options: argparse.Namespace) -> Tuple[str, ...]:
    if options.formats is None:
        return ()
    from ..app.files import formatsOf

    keys = tuple(chosenFormats(options))
    formatsOf(keys)  # what is wrong is said once and not for every image
    return keys


def _devices(options: argparse.Namespace, threads: int) -> Tuple[str, ...]:
    from ..app.batch import workerDevices

    if options.ray and options.devices == "auto":
        return ("auto",) * (options.workers or 0)
    return workerDevices(options.devices.split(","), options.workers, threads)


def _choice(options: argparse.Namespace):
    from ..app.prompts import SliceChoice

    return SliceChoice(
        options.orientation, options.slices, options.margin / 100, options.propagate, _window(options.window)
    )


def _window(text: str):
    from ..engine.windowing import WindowSetting
    from ..errors import InputError

    lower, isRange, upper = text.partition(",")
    try:
        return WindowSetting("manual", float(lower), float(upper)) if isRange else WindowSetting(text)
    except ValueError as error:
        raise InputError(f"'{text}' is not a window: give two numbers LOWER,UPPER.") from error


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _summary(job: "BatchJob") -> str:
    from ..app.batch import countStates

    counts = countStates(job.records)
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _values(job: "BatchJob") -> Dict[str, Any]:
    from ..app.batch import MANIFEST_FILE, REPORT_FILE, countStates

    return {
        "manifest": str(job.folder / MANIFEST_FILE),
        "report": str(job.folder / REPORT_FILE),
        "counts": countStates(job.records),
        "cases": [
            {"name": each.name, "state": each.state, "message": each.message, "reasons": list(each.reasons)}
            for each in job.records
        ],
    }


def _text(job: "BatchJob") -> str:
    from ..app.batch import REPORT_FILE

    lines: List[str] = []
    for record in job.records:
        lines += [f"{record.name}: {record.message}"] if record.message else []
        lines += [f"{record.name}: {reason}" for reason in record.reasons]
    return "\n".join([*lines, f"{_summary(job)}; wrote {job.folder / REPORT_FILE}"])
