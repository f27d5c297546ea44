"""Export segments of a scene as files in a folder, for the front ends and ``samunet export``."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..common import nameAndJoint
from ..session import ProvenanceTags
from .exportFormats import DEFAULT_KEYS, LABELMAP_KEYS, ExportSource
from .resultFiles import OnFormat, ResultFiles


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export: folder, formats, names.

    ``folder``: made if it is not there; ``formats``: keys of `exportFormats.FORMATS`.
    ``pattern``: of the files' name without ending, see `exportNames.nameAndJoint`, with {case}, {volume},
    {segmentation}, {date}, {segment}.
    ``case``: for the pattern; by default the volume's name.
    ``existing``: "refuse", "overwrite" or "number", see `ResultFiles`.
    ``isPerSegment``, ``dicomSource``, ``volumeFile``, ``segmentIds``: see `ExportSource`.
    """

    folder: Path
    formats: Sequence[str] = DEFAULT_KEYS
    pattern: str = "{case}"
    case: str = ""
    existing: str = "refuse"
    isPerSegment: bool = False
    dicomSource: Any = None
    volumeFile: str = ""
    segmentIds: Optional[Tuple[str, ...]] = None


class ExportResult(NamedTuple):
    """Files of an export.

    ``notes``: sentences about what the files cannot hold.
    """

    files: List[Path]
    notes: List[str]


def exportSegmentation(
    segmentationNode,
    volumeNode,
    options: ExportOptions,
    confidences: Optional[Mapping[str, float]] = None,
    onFormat: Optional[OnFormat] = None,
) -> ExportResult:
    """Write all files or none; each is read back and compared before it gets its name.

    :param confidences: in [0, 1] by segment ID, for the tables; those of the provenance if None.
    :param onFormat: see `resultFiles.OnFormat`.
    :raises InputError: there is nothing to export, an unknown format or pattern, or a package is missing.
    :raises OutputError: a file is there already or cannot be written, or would replace the volume.
    """
    keys = list(options.formats)
    if not options.isPerSegment and any(key in LABELMAP_KEYS for key in keys):
        keys.append("label-table")
    name, joint = nameAndJoint(options.pattern, _fields(segmentationNode, volumeNode, options.case))
    source = ExportSource(
        segmentationNode,
        volumeNode,
        options.segmentIds,
        _leastConfidences(segmentationNode) if confidences is None else confidences,
        options.volumeFile or _fileOf(volumeNode),
        options.dicomSource,
        options.isPerSegment,
        joint,
    )
    results = ResultFiles(options.folder, name, options.existing, keys)
    return ExportResult(*results.writeSource(source, onFormat=onFormat))


def _leastConfidences(segmentationNode) -> Dict[str, float]:
    """Return the least confidence of each segment, by ID, where it is known: a segment is as sure as its
    worst slice.
    """
    tags, found = ProvenanceTags(segmentationNode), {}
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        known = [each.confidence for each in tags.of(segmentId).records() if each.confidence is not None]
        if known:
            found[segmentId] = min(known)
    return found


def _fields(segmentationNode, volumeNode, case: str) -> Mapping[str, str]:
    return {
        "case": case or volumeNode.GetName(),
        "volume": volumeNode.GetName(),
        "segmentation": segmentationNode.GetName(),
        "date": date.today().isoformat(),
    }


def _fileOf(volumeNode) -> str:
    storage = volumeNode.GetStorageNode()
    return (storage.GetFullNameFromFileName() or "") if storage is not None else ""
