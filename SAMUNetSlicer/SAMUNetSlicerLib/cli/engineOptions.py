"""Define the options of every command that computes, and open the engine they describe."""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

if TYPE_CHECKING:  # numpy, which the help of a command does not need
    from ..app.engines import ThreadEngine


def addEngineArguments(parser: argparse.ArgumentParser) -> None:
    """Add which weights compute, and where."""
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="use this file, not the installed weights"
    )
    parser.add_argument("--device", default="auto", help="auto, cuda, cuda:N or cpu (default auto)")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16 (default auto)")


def addExistingArguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do where results of the same name are there already; refused if nothing is said."""
    existing = parser.add_mutually_exclusive_group()
    choice = {"dest": "existing", "action": "store_const", "default": "refuse"}
    existing.add_argument("--overwrite", const="overwrite", help="replace results that are there", **choice)
    existing.add_argument("--number", const="number", help="keep them, and number the new ones", **choice)


@contextlib.contextmanager
def openEngine() -> Iterator["ThreadEngine"]:
    """Open an engine on a thread of this process, stopped at the end."""
    from ..app.engines import ThreadEngine

    engine = ThreadEngine()
    try:
        yield engine
    finally:
        engine.close()
