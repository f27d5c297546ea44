"""Print results on stdout and everything else on stderr."""

import argparse
import contextlib
import json
import re
import sys
from typing import Any, Callable, Iterator, Mapping, Optional

from ..errors import UserError, plainText


def addOutputArguments(parser: argparse.ArgumentParser) -> None:
    """Add what every command understands; left out they do not undo what was said before a sub-command."""
    options = {"action": "store_true", "default": argparse.SUPPRESS}
    parser.add_argument("--quiet", help="no notes and no progress bars", **options)
    parser.add_argument("--json", help="print one JSON object on stdout", **options)


class Console:
    """The one place that prints.

    :param quiet: no notes, no progress; results and errors still appear.
    :param asJson: one JSON object on stdout instead of text.
    """

    def __init__(self, quiet: bool = False, asJson: bool = False):
        self._quiet = quiet
        self._asJson = asJson

    def result(self, values: Mapping[str, Any], text: str) -> None:
        """Print what the command is about, as JSON ``values`` or as ``text``."""
        print(_json(values, indent=2) if self._asJson else plainText(text))

    def note(self, text: str) -> None:
        """Say something in passing."""
        if not self._quiet:
            print(plainText(text), file=sys.stderr)

    def error(self, error: UserError) -> None:
        """Print one sentence; as JSON also on stdout, so that a script always gets an object."""
        print(f"samunet: {error}", file=sys.stderr)
        if self._asJson:
            print(_json({"error": str(error), "exitCode": error.exitCode}))

    def agree(self, question: str) -> bool:
        """Ask on the terminal.

        :raises UserError: nobody is there to answer.
        """
        if not sys.stdin.isatty():
            raise UserError(f"{question} To agree, run the same command with --yes.")
        print(f"{plainText(question)} Download? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def progress(self, label: str, unit: str = "") -> Iterator[Callable[[int, Optional[int]], None]]:
        """Show a bar while a block runs; yields a function of (done, total or None).

        :param unit: "B" for bytes, else what is counted.
        """
        if self._quiet or not sys.stderr.isatty():
            yield _ignore
            return
        from tqdm import tqdm

        options = {"unit": unit or "it", "unit_scale": unit == "B", "unit_divisor": 1000}
        with tqdm(desc=plainText(label), file=sys.stderr, leave=False, dynamic_ncols=True, **options) as bar:

            def update(done: int, total: Optional[int]) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield update


def _json(values: Mapping[str, Any], **options) -> str:
    """Return JSON text in which what steers a terminal is escaped; it means the same."""
    text = json.dumps(values, ensure_ascii=False, default=str, **options)
    return re.sub(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", _escape, text)


def _escape(match: "re.Match[str]") -> str:
    return f"\\u{ord(match.group()):04x}"


def _ignore(_done: int, _total: Optional[int]) -> None:
    pass
