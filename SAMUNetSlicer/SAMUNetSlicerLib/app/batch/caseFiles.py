"""Write and verify the folder of results of one case: there as a whole, with checksums of its files, or not
at all.
"""

import json
import os
import shutil
import uuid
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Callable, Dict, Optional

from ...atomicFiles import WORKSPACE_PREFIX, flushToDisk, sha256Of, sweepWorkspaces
from ...errors import OutputError
from ..common import outputErrors
from ..jobs import CaseRecord

RECORD = "record.json"
_STAGING = ".samunet-"
_EARLIER = ".samunet-earlier-"  # with the name of the case: what its new results take the place of


def caseFolder(folder: Path, name: str) -> Path:
    """Return where the results of a case are."""
    return Path(folder) / name


def readRecord(folder: Path, name: str) -> Optional[CaseRecord]:
    """Return the record of a case that was finished earlier, None if there is none.

    :raises OutputError: there is a folder of that name that is no result of a batch.
    """
    place = caseFolder(folder, name)
    if not os.path.lexists(place):
        return None
    try:
        return CaseRecord.fromDict(json.loads((place / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise OutputError(
            f"{place} is there already and is no result of a batch: choose another folder or move it away."
        ) from error


def isCaseIntact(folder: Path, record: CaseRecord) -> bool:
    """Tell whether every file of a finished case is as it was written."""
    place = caseFolder(folder, record.name)
    try:
        return all(sha256Of(place / name) == digest for name, digest in record.files.items())
    except OSError:
        return False


def setAside(folder: Path, name: str) -> Path:
    """Rename a case's folder, so that nothing that somebody has changed in it is lost."""
    places = (caseFolder(folder, f"{name}.changed-{number}") for number in count(1))
    place = next(each for each in places if not os.path.lexists(each))
    with outputErrors(place):
        caseFolder(folder, name).rename(place)
    return place


def writeCase(folder: Path, name: str, fill: Callable[[Path], CaseRecord]) -> CaseRecord:
    """Write a case's results and put them in place in one step, instead of earlier ones.

    :param fill: writes the files into the folder that it is given and returns the record; on any error
        nothing is left behind.
    :return: the record with the checksums of the files, as it was written.
    :raises OutputError: a file cannot be written.
    """
    place = caseFolder(folder, name)
    staging = place.with_name(_STAGING + uuid.uuid4().hex[:12])
    try:
        with outputErrors(place):
            staging.mkdir(parents=True)
        record = fill(staging)
        with outputErrors(place):
            record = replace(record, files=_checksums(staging))
            text = json.dumps(record.toDict(), ensure_ascii=False, indent=1)
            (staging / RECORD).write_text(text, encoding="utf-8")
            _flush(staging)
            _swap(staging, place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return record


def removeLeftovers(folder: Path) -> None:
    """Remove what a batch that was killed has left unfinished.  No other batch may be writing there.

    Earlier results that were to be replaced in that moment come back.
    """
    for left in Path(folder).glob(f"{_STAGING}*"):
        if left.name.startswith(_EARLIER):
            _bringBack(left)
        elif not left.is_dir():
            left.unlink()
        elif not left.name.startswith(WORKSPACE_PREFIX):
            shutil.rmtree(left, ignore_errors=True)
    sweepWorkspaces(folder)


def _bringBack(earlier: Path) -> None:
    place = earlier.with_name(earlier.name[len(_EARLIER) :])
    if os.path.lexists(place):
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        with outputErrors(place):
            earlier.rename(place)


def _checksums(staging: Path) -> Dict[str, str]:
    files = sorted(path for path in staging.rglob("*") if path.is_file())
    return {path.relative_to(staging).as_posix(): sha256Of(path) for path in files}


def _flush(staging: Path) -> None:
    for path in staging.rglob("*"):
        if path.is_file():
            flushToDisk(path)


def _swap(staging: Path, place: Path) -> None:
    """Put a finished folder in the place of an earlier one, which comes back if that fails."""
    earlier = place.with_name(_EARLIER + place.name)
    if os.path.lexists(place):
        shutil.rmtree(earlier, ignore_errors=True)
        place.rename(earlier)
    try:
        staging.rename(place)
    except OSError:
        if os.path.lexists(earlier):
            earlier.rename(place)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
