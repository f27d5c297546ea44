"""Run ``samunet cache``: show or clear the slices that were encoded already."""

import argparse
from pathlib import Path

from .console import Console

NAME = "cache"
HELP = "show or clear the slices encoded so far"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=("stats", "clear"), default="stats", help="default stats"
    )
    parser.add_argument("--folder", type=Path, help="the cache folder, the user's own by default")


def run(options: argparse.Namespace, console: Console) -> None:
    from ..app.common import cacheFolder
    from ..engine.serving import DiskTier

    folder = options.folder or cacheFolder()
    tier = DiskTier(folder, max_bytes=0)
    slices, size, _ = tier.stats()
    values = {"folder": str(folder), "slices": slices, "bytes": size}
    if options.action == "clear":
        tier.clear()
        console.result(values, f"{slices} encoded slices ({size / 1e6:.1f} MB) were removed from {folder}.")
    else:
        console.result(values, f"{slices} encoded slices take {size / 1e6:.1f} MB in {folder}.")
