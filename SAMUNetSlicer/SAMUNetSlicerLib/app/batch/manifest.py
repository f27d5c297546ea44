"""Write the list of a batch's cases and their states as one JSON file; manifest.schema.json defines it."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

from ... import __version__
from ...atomicFiles import replaceText
from ..common import outputErrors, utcNow
from ..jobs import DONE, FAILED, NEEDS_REVIEW, QUEUED, RUNNING, CaseRecord

MANIFEST_FILE = "manifest.json"
FORMAT, VERSION = "SAMUNetSlicer batch", 1
STATES = (QUEUED, RUNNING, DONE, NEEDS_REVIEW, FAILED)

# Writing it may take this part of the time, however many cases there are.
_SHARE_OF_TIME, _SHORTEST_SECONDS = 0.02, 1.0


class Manifest:
    """Writes the file when something has changed, but not too often.

    :param facts: what holds for the whole batch: model, devices, choices.
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any]):
        self._path = folder / MANIFEST_FILE
        self._facts = {"started": utcNow(), **facts}
        self._due = 0.0

    def offer(self, records: Sequence[CaseRecord]) -> None:
        """Write the states if the last time is long enough ago."""
        if time.monotonic() >= self._due:
            self.write(records)

    def write(self, records: Sequence[CaseRecord]) -> None:
        """Write the manifest.

        :raises OutputError: it cannot be written; the one before stays.
        """
        started = time.monotonic()
        document = {
            "format": FORMAT,
            "version": VERSION,
            "product": __version__,
            **self._facts,
            "updated": utcNow(),
            "counts": countStates(records),
            "cases": [_entry(record) for record in records],
        }
        writeWhole(self._path, json.dumps(document, ensure_ascii=False, indent=1))
        now = time.monotonic()
        self._due = now + max(_SHORTEST_SECONDS, (now - started) / _SHARE_OF_TIME)


def countStates(records: Sequence[CaseRecord]) -> Dict[str, int]:
    """Count the cases in each state."""
    counts = Counter(record.state for record in records)
    return {state: counts[state] for state in STATES}


def writeWhole(path: Path, text: str) -> None:
    """Write a text file in one step.

    :raises OutputError: it cannot be written; the one before stays.
    """
    with outputErrors(path):
        replaceText(path, text)


def _entry(record: CaseRecord) -> Dict[str, Any]:
    values = record.toDict()
    names = (
        "name",
        "source",
        "state",
        "message",
        "error",
        "reasons",
        "segments",
        "notes",
        "seconds",
        "files",
    )
    entry = {name: values[name] for name in names}
    return {**entry, "confidence": record.confidence, "folder": record.name if record.isFinished else None}
