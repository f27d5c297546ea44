"""Run ``samunet segment``: segment a volume as a prompts file says."""

import argparse
from pathlib import Path
from typing import Any, Dict, List

from .console import Console
from .engineOptions import addEngineArguments, addExistingArguments, openEngine
from .exportArguments import addDicomSeriesArgument, addFormatArgument, chosenFormats

NAME = "segment"
HELP = "segment a volume as a prompts file says"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "volume", type=Path, help="NRRD, NIfTI, MetaImage, PNG, JPEG, TIFF, or a DICOM folder"
    )
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="prompts file (JSON)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    parser.add_argument("--model", metavar="ID", help="see `samunet models`; its default if not given")
    addFormatArgument(parser)
    addDicomSeriesArgument(parser)
    parser.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    parser.add_argument("--overlays", action="store_true", help="also a picture of each segmented slice")
    addEngineArguments(parser)
    addExistingArguments(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.jobs import SegmentJob, runSegmentJob
    from ..app.models import modelSpec
    from ..app.prompts import readPromptsFile

    job = SegmentJob(
        volume=options.volume,
        prompts=readPromptsFile(options.prompts),
        folder=options.out,
        spec=modelSpec(options.model, options.weights, options.device, options.precision),
        existing=options.existing,
        withPictures=options.overlays,
        seriesUID=options.series,
        formats=chosenFormats(options),
        dicomSource=options.dicom_series,
    )
    with openEngine() as engine, console.progress("segmenting", "slices") as progress:
        engine.noticed.connect(console.note)
        result = runSegmentJob(job, engine, progress)
    slices = [sliceValues(each) for each in result.slices]
    values = {"files": [str(path) for path in result.files], "slices": slices, "notes": result.notes}
    console.result(values, _text(slices, result))


def sliceValues(each) -> Dict[str, Any]:
    """Return the values to print about one segmented slice, as plain JSON."""
    report = each.report
    return {
        "segment": each.name,
        "slice": each.place,
        "pixels": each.pixels,
        "confidence": report.confidence,
        "encoding": report.source,
        "encodeMs": report.encodeMs,
        "decodeMs": report.decodeMs,
        "writeMs": report.writeMs,
        "notes": list(report.notes),
    }


def _text(slices: List[Dict[str, Any]], result) -> str:
    width = max(len(each["segment"]) for each in slices)
    lines = [f"{each['segment']:{width}}  {each['slice']:12}  {_confidence(each)}" for each in slices]
    notes = [f"{each['segment']}, {each['slice']}: {note}" for each in slices for note in each["notes"]]
    return "\n".join([*lines, *notes, *result.notes, *(f"wrote {path}" for path in result.files)])


def _confidence(each: Dict[str, Any]) -> str:
    if not each["pixels"]:
        return "nothing found"
    return "" if each["confidence"] is None else f"confidence {each['confidence']:.2f}"
