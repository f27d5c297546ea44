"""Run the command ``samunet``: pick a command, run it, turn what goes wrong into a sentence and a number."""

import argparse
import contextlib
import os
import signal
import sys
from typing import Iterator, List, Optional, Sequence

from .. import __version__
from ..errors import UserError
from . import (
    batchCommand,
    cacheCommand,
    demoCommand,
    doctorCommand,
    evaluateCommand,
    exportCommand,
    finetuneCommand,
    modelsCommand,
    replayCommand,
    segmentCommand,
    trainCommand,
    viewCommand,
)
from .console import Console, addOutputArguments

_COMMANDS = (
    segmentCommand,
    batchCommand,
    modelsCommand,
    doctorCommand,
    replayCommand,
    cacheCommand,
    demoCommand,
    viewCommand,
    exportCommand,
    evaluateCommand,
    finetuneCommand,
    trainCommand,
)
_INTERRUPTED = 130  # as shells say for Ctrl-C
_BROKEN_PIPE = 141  # as shells say when the reader of our output has gone

_EPILOG = """\
exit codes: 0 done, 1 other failure, 2 wrong usage, 3 input, 4 prompts, 5 weights, 6 output, 7 engine,
130 cancelled.  For research use only.
"""


def buildParser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="samunet",
        description="Segment structures of a volume from points and boxes on its slices, with SAM-UNet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(quiet=False, json=False)
    parser.add_argument("--version", action="version", version=f"samunet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        subparser = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        subparser.set_defaults(run=command.run)
        command.addArguments(subparser)
        addOutputArguments(subparser)
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command.

    :param arguments: without the program's name; those of the process if None.
    :return: the exit code, see the epilog of ``samunet --help``; wrong usage ends the process with 2.
    """
    options = buildParser().parse_args(arguments)
    console = Console(options.quiet, options.json)
    with _interruptions() as interruptions:
        try:
            code = options.run(options, console)
            sys.stdout.flush()
            return code or 0
        except UserError as error:
            console.error(error)
            return error.exitCode
        except BrokenPipeError:
            # Python would complain once more when it flushes stdout at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _BROKEN_PIPE
        except (KeyboardInterrupt, ImportError) as error:
            # Ctrl-C while VTK is being loaded arrives as an import error.
            if isinstance(error, ImportError) and not interruptions:
                raise
            print("samunet: stopped.", file=sys.stderr)
            return _INTERRUPTED


@contextlib.contextmanager
def _interruptions() -> Iterator[List[int]]:
    """Note every Ctrl-C in the list that this yields, besides raising ``KeyboardInterrupt``."""
    noted: List[int] = []

    def note(number, frame):
        noted.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
