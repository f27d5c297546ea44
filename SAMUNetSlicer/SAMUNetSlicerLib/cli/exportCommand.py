"""Run ``samunet export``: write an existing segmentation in other formats."""

import argparse
from pathlib import Path

from .console import Console
from .engineOptions import addExistingArguments
from .exportArguments import addDicomSeriesArgument, addFormatArgument, chosenFormats

NAME = "export"
HELP = "write a segmentation as label maps, DICOM SEG, surfaces, tables"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("segmentation", type=Path, help=".seg.nrrd file")
    parser.add_argument("--volume", type=Path, required=True, help="the image that was segmented")
    parser.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the files")
    addFormatArgument(parser)
    addDicomSeriesArgument(parser)
    parser.add_argument(
        "--per-segment", action="store_true", help="one label volume per segment, not one for all"
    )
    parser.add_argument(
        "--name",
        default="{segmentation}-{segment}",
        metavar="PATTERN",
        help="names of the files, with {segmentation}, {volume}, {date}, and {segment} at its end "
        "(default {segmentation}-{segment})",
    )
    addExistingArguments(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.files import (
        ExportOptions,
        baseName,
        exportSegmentation,
        loadVolume,
        readSegmentation,
        startScene,
    )

    with startScene() as host:
        volumeNode = loadVolume(host, options.volume, seriesUID=options.series)
        segmentationNode = readSegmentation(host, options.segmentation)
        name = baseName(options.segmentation)
        segmentationNode.SetName(name[:-4] if name.lower().endswith(".seg") else name)
        wanted = ExportOptions(
            options.out,
            chosenFormats(options),
            options.name,
            existing=options.existing,
            isPerSegment=options.per_segment,
            dicomSource=options.dicom_series or options.volume,
            volumeFile=str(options.volume.resolve()),
        )
        result = exportSegmentation(segmentationNode, volumeNode, wanted)
    files = [str(path) for path in result.files]
    text = "\n".join([*result.notes, *(f"wrote {file}" for file in files)])
    console.result({"files": files, "notes": result.notes}, text)
