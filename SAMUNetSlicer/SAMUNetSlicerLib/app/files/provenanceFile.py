"""Write and read the provenance of a whole segmentation as one JSON file beside its results."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ... import __version__
from ...engine.json_schema import problems
from ...errors import InputError, OutputError
from ...scene.export import writeChecked
from ...scene.geometry import dimensions, ijkToRAS
from ..session import FORMAT, FORMAT_VERSION, ProvenanceTags, SegmentProvenance, SliceRecord, parseDocument

SCHEMA_FILE = Path(__file__).with_name("provenance.schema.json")


class RecordedSegment(NamedTuple):
    """One segment of a provenance file: ``records`` in the order in which they were written; ``learned``: see
    `SegmentProvenance.learned`."""

    name: str
    color: Tuple[float, float, float]
    records: List[SliceRecord]
    learned: Callable[[str], Optional[dict]]


class RecordedSegmentation(NamedTuple):
    """Segmentation as its provenance records it.

    ``volume``: name, file, dimensions and ijkToRAS of what was segmented.
    """

    volume: dict
    segments: List[RecordedSegment]


def writeProvenance(
    segmentationNode, volumeNode, path: Path, volumeFile: str = "", existing: str = "refuse"
) -> Path:
    """Write how every mask of a segmentation came to be.

    :param volumeFile: where the volume was read from, to be found again by ``samunet replay``.
    :param existing: see `exportFiles.writeChecked`.
    :return: the path that the file really has.
    :raises OutputError: the file cannot be written; nothing is left behind.
    """
    tags, segmentation = ProvenanceTags(segmentationNode), segmentationNode.GetSegmentation()
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "product": __version__,
        "volume": {
            "name": volumeNode.GetName(),
            "file": volumeFile,
            "dimensions": list(dimensions(volumeNode)),
            "ijkToRAS": ijkToRAS(volumeNode).tolist(),
        },
        "segments": [
            {
                "name": segmentation.GetSegment(segmentId).GetName(),
                "color": list(segmentation.GetSegment(segmentId).GetColor()),
                "provenance": json.loads(tags.of(segmentId).toJson()),
            }
            for segmentId in segmentation.GetSegmentIDs()
        ],
    }
    text = json.dumps(document, indent=1).encode()
    return writeChecked(
        path,
        existing,
        lambda temporary: temporary.write_bytes(text),
        lambda temporary: _requireContent(temporary, text),
    )


def readProvenance(path: Path) -> RecordedSegmentation:
    """Read a provenance file.

    :raises InputError: the file cannot be read, or is no provenance of a segmentation.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"The provenance file {path} cannot be read: {reason}.") from error
    document = parseDocument(text)
    for problem in problems(document, _schema(), _schema(), Path(path).name):
        raise InputError(f"The provenance file {path} is damaged: {problem}.")
    return RecordedSegmentation(document["volume"], [_segment(entry) for entry in document["segments"]])


@lru_cache(maxsize=1)
def _schema() -> Dict[str, Any]:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def _requireContent(path: Path, content: bytes) -> None:
    if path.read_bytes() != content:
        raise OutputError(f"{path.parent} does not keep what is written to it: choose another folder.")


def _segment(entry: dict) -> RecordedSegment:
    provenance = SegmentProvenance.fromJson(json.dumps(entry["provenance"]))
    return RecordedSegment(
        entry["name"], tuple(entry["color"]), list(provenance.records()), provenance.learned
    )
