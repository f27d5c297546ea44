"""Run ``samunet view``: segment the slices of a volume in a browser by clicks."""

import argparse
import sys
import webbrowser
from pathlib import Path

from ..errors import InputError
from .console import Console
from .engineOptions import addEngineArguments

NAME = "view"
HELP = "segment a volume in the browser, by clicks on its slices"

_MISSING = (
    "The viewer needs packages that are not installed ({name}): install them with "
    "`pip install 'SAMUNetSlicer[view]'`, or from a checkout with `pip install -e '.[view]'`."
)


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "volume", type=Path, help="NRRD, NIfTI, MetaImage, PNG, JPEG, TIFF, or a DICOM folder"
    )
    parser.add_argument("--model", metavar="ID", help="see `samunet models`; its default if not given")
    addEngineArguments(parser)
    parser.add_argument(
        "--window",
        default="auto",
        metavar="NAME",
        help="window to begin with: auto, or abdomen, bone, brain, ...",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where to listen; by default this computer only. Others need the address with its token, and "
        "what they send and see is not encrypted: give an address only in a network that you trust. The page "
        "can then name files below the folders of VOLUME and --out only",
    )
    parser.add_argument("--port", type=int, default=0, help="by default one that is free")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder of exported files")


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.models import modelSpec

    def specOf(modelId):
        return modelSpec(modelId, None, options.device, options.precision)

    spec = modelSpec(options.model, options.weights, options.device, options.precision)
    try:
        from ..viewer.server import isLoopback
        from ..viewer.serving import ViewOptions, serve
    except ModuleNotFoundError as error:
        raise InputError(_MISSING.format(name=error.name)) from error

    def onReady(address: str) -> None:
        console.result({"address": address}, f"Open {address}")
        console.note("Ctrl-C ends the viewer; the work is saved.")
        sys.stdout.flush()
        if not options.no_browser:
            webbrowser.open(address)

    volume = options.volume.expanduser()
    reach = None if isLoopback(options.host) else (volume.absolute().parent, options.out.absolute())
    view = ViewOptions(volume, spec, specOf, options.out, options.window, reach)
    serve(view, options.host, options.port, onReady)
