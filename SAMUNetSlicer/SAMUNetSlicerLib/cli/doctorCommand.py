"""Run ``samunet doctor``: print one page about this installation, for a bug report."""

import argparse

from .console import Console

NAME = "doctor"
HELP = "show what is installed, what is missing and how to get it"


def addArguments(_parser: argparse.ArgumentParser) -> None:
    pass


def run(_options: argparse.Namespace, console: Console) -> int:
    """Return 0 if everything that segmenting needs is in place, else 1."""
    from ..app.jobs import examine, reportText

    report = examine()
    console.result(report, reportText(report))
    return 1 if report["problems"] else 0
