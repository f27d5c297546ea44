"""Keep the history of a segmentation's masks in its segments, and so save it with them."""

import hashlib
import json
import time
from typing import Dict, Iterator, List, Optional, Set, Tuple

from ... import __version__
from ...engine.json_schema import parse
from ...errors import InputError
from ...scene.segments import segmentTag
from ..common import utcNow
from .sliceRecord import SliceRecord

TAG = "SAMUNetSlicer.provenance"
UNREADABLE_TAG = f"{TAG}.unreadable"  # keeps what a later release wrote and this one cannot read
FORMAT = "SAMUNetSlicer provenance"
FORMAT_VERSION = 1
_LOG_LENGTH = 1000
_MOST_LEARNED = 8  # that no record names: undo may bring back one that does


class SegmentProvenance:
    """The records of one segment, one per plane and accepted object, and what was done to it.

    Records are kept as JSON texts: only the one that changes is serialized again, and a slice costs about
    a kilobyte of memory.
    """

    def __init__(self):
        self._records: Dict[str, str] = {}
        self._learned: Dict[str, dict] = {}
        self._log: List[str] = []

    def record(self, signature: str) -> Optional[SliceRecord]:
        """Return what is known about the current object on a plane."""
        text = self._records.get(signature)
        return None if text is None else SliceRecord.fromDict(json.loads(text))

    def put(self, signature: str, record: Optional[SliceRecord]) -> None:
        """Set the current object on a plane; None forgets it."""
        self._records.pop(signature, None)
        if record is not None:
            self._records[signature] = record.toJson()

    def accept(self, signature: str) -> None:
        """Keep the current object's record for good: the next object on the plane does not replace it."""
        record = self.record(signature)
        if record is not None:
            self._records[f"{signature}/{record.sequence}"] = self._records.pop(signature)

    def planeState(self, signature: str) -> Dict[str, str]:
        """Return all records of a plane as they are now, for ``restorePlane``."""
        return {key: text for key, text in self._records.items() if key.partition("/")[0] == signature}

    def restorePlane(self, signature: str, state: Dict[str, str]) -> None:
        for key in self.planeState(signature):
            del self._records[key]
        self._records.update(state)

    def keepLearned(self, learned: dict) -> None:
        """Keep what was learned about the segment (`Appearance.to_dict`): records name it by `learnedId`."""
        name = learnedId(learned)
        self._learned.pop(name, None)  # to be the newest one again
        self._learned[name] = learned
        named = {(record.origin or {}).get("learned") for record in self.records()}
        others = [key for key in self._learned if key not in named]
        for key in others[:-_MOST_LEARNED]:
            del self._learned[key]

    def learned(self, key: str) -> Optional[dict]:
        """Return what ``keepLearned`` has kept, None if there is nothing of the name."""
        return self._learned.get(key)

    def log(self, action: str, **details) -> None:
        """Add an entry with the time to the edit log; the oldest entries give way."""
        self._log.append(json.dumps({"time": utcNow(), "action": action, **details}))
        del self._log[:-_LOG_LENGTH]

    def records(self) -> Iterator[SliceRecord]:
        """Return all records in the order in which they were written."""
        found = [SliceRecord.fromDict(json.loads(text)) for text in self._records.values()]
        return iter(sorted(found, key=lambda record: record.sequence))

    def toJson(self) -> str:
        slices = ",".join(f"{json.dumps(key)}:{text}" for key, text in self._records.items())
        head = f'"format":"{FORMAT}","version":{FORMAT_VERSION},"product":"{__version__}"'
        learned = json.dumps(self._learned, separators=(",", ":"))
        text = f'{{{head},"slices":{{{slices}}},"learned":{learned},"log":[{",".join(self._log)}]}}'
        # Slicer's segmentation file separates tags by this sign; in JSON it stands in strings only.
        return text.replace("|", "\\u007c")

    @classmethod
    def fromJson(cls, text: str) -> "SegmentProvenance":
        """Read what ``toJson`` has written.

        :raises InputError: the text is not what ``toJson`` gives, or of a later version.
        """
        document = parseDocument(text)
        provenance = cls()
        provenance._records = {key: json.dumps(values) for key, values in document["slices"].items()}
        provenance._learned = document.get("learned", {})
        provenance._log = [json.dumps(entry) for entry in document["log"]]
        return provenance


class ProvenanceTags:
    """The provenance of all segments of a segmentation, read from and written to their tags."""

    def __init__(self, segmentationNode):
        self._segmentationNode = segmentationNode
        self._known: Dict[str, Tuple[str, SegmentProvenance]] = {}
        self._unreadable: Dict[str, str] = {}
        self._unsaved: Set[str] = set()
        self._lastSequence = 0

    def of(self, segmentId: str) -> SegmentProvenance:
        """Return the provenance of a segment as it is in the scene now: undo or loading may have changed it.

        :raises InputError: the segment is gone.
        """
        text = segmentTag(self._segmentationNode, segmentId, TAG) or ""
        known = self._known.get(segmentId)
        if known is None or known[0] != text:
            known = self._known[segmentId] = (text, self._read(segmentId, text))
        return known[1]

    def saveLater(self, segmentId: str) -> None:
        """Note that ``of(segmentId)`` was changed; a drag changes it many times before it is written."""
        self._unsaved.add(segmentId)

    def saveIfDue(self, segmentId: str) -> None:
        """Save if `saveLater` was called since."""
        if segmentId in self._unsaved:
            self.save(segmentId)

    def save(self, segmentId: str) -> None:
        """Put what was changed in ``of(segmentId)`` into the scene."""
        self._unsaved.discard(segmentId)
        provenance = self._known[segmentId][1]
        segment = self._segmentationNode.GetSegmentation().GetSegment(segmentId)
        if segmentId in self._unreadable:
            segment.SetTag(UNREADABLE_TAG, self._unreadable.pop(segmentId))
        text = provenance.toJson()
        segment.SetTag(TAG, text)
        self._known[segmentId] = (text, provenance)

    def _read(self, segmentId: str, text: str) -> SegmentProvenance:
        try:
            return SegmentProvenance.fromJson(text) if text else SegmentProvenance()
        except (InputError, KeyError, TypeError, AttributeError):
            # A damaged or newer tag must not keep the user from working on the segment.
            self._unreadable[segmentId] = text
            return SegmentProvenance()

    def nextSequence(self) -> int:
        """Return a number greater than any before, in this and in earlier sessions: microseconds of the
        clock.
        """
        self._lastSequence = max(self._lastSequence + 1, time.time_ns() // 1000)
        return self._lastSequence


def learnedId(learned: dict) -> str:
    """Return the name of what was learned, by its content."""
    return hashlib.blake2b(json.dumps(learned, sort_keys=True).encode(), digest_size=8).hexdigest()


def parseDocument(text: str) -> dict:
    """Check and return a provenance document.

    :raises InputError: no JSON, or not a provenance document this version can read.
    """
    try:
        document = parse(text)
    except ValueError as error:
        raise InputError(f"The provenance is not valid JSON: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError("The file is not a SAMUNetSlicer provenance file.")
    if document.get("version") != FORMAT_VERSION:
        found = document.get("version")
        raise InputError(f"The provenance has format version {found}; this release reads {FORMAT_VERSION}.")
    return document
