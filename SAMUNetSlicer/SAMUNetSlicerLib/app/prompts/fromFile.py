"""Read a prompts file, which names the structures to segment; docs/prompts-file.md and prompts.schema.json
define it.
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ...engine.json_schema import parse, problems
from ...engine.windowing import WindowSetting
from ...errors import InputError, PromptError

SCHEMA_FILE = Path(__file__).with_name("prompts.schema.json")

Triple = Tuple[float, float, float]


@dataclass(frozen=True)
class PointPrompt:
    """A click: ``position`` in ``space``, which is "ras" (mm), "ijk" (voxel indices, integers at centers) or
    "fraction" (of the volume's extent along its axes nearest to R, A and S)."""

    position: Triple
    space: str
    positive: bool


@dataclass(frozen=True)
class BoxPrompt:
    """A box on the slice: two opposite ``corners`` in a ``space``, see `PointPrompt`."""

    corners: Tuple[Triple, Triple]
    space: str


@dataclass(frozen=True)
class PlanePrompts:
    """The prompts of one segment on one slice, in the order given.

    ``plane``: the validated entry of the file; ``promptPlanes.resolvePlane`` places it in a volume.
    ``where``: its place in the file, for sentences about it.
    """

    plane: Mapping[str, Any]
    points: Tuple[PointPrompt, ...]
    boxes: Tuple[BoxPrompt, ...]
    where: str


@dataclass(frozen=True)
class SegmentPrompts:
    """One structure: ``color`` (r, g, b) in [0, 1] or None; ``terminology`` code triplets by role or None;
    ``propagation``: arguments of `PropagationOptions` if it is to be carried on from its slices, or None."""

    name: str
    planes: Tuple[PlanePrompts, ...]
    color: Optional[Triple] = None
    terminology: Optional[Mapping[str, Tuple[str, str, str]]] = None
    propagation: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class PromptsFile:
    """Contents of a prompts file.

    ``window``: how intensities become gray levels, for the whole volume.
    """

    segments: Tuple[SegmentPrompts, ...]
    window: WindowSetting


def readPromptsFile(path: Path) -> PromptsFile:
    """Read and check a prompts file.

    :raises InputError: the file cannot be read.
    :raises PromptError: it is not valid; the sentence names the first wrong place and what is wrong there.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"The prompts file {path} cannot be read: {reason}.") from error
    return parsePrompts(_parseJson(text, path.name), path.name)


def parsePrompts(document: Any, name: str = "prompts") -> PromptsFile:
    """Check what a JSON parser returned and give it types.

    :param name: what the sentences call the document.
    :raises PromptError: as for ``readPromptsFile``.
    """
    for problem in promptProblems(document, name):
        raise PromptError(f"{problem}.")
    segments = document["segments"]
    return PromptsFile(
        tuple(_segment(entry, f"{name}.segments[{index}]") for index, entry in enumerate(segments)),
        WindowSetting.from_dict(document.get("window", {"mode": "auto"})),
    )


def promptProblems(document: Any, name: str) -> Iterator[str]:
    """Yield everything that is wrong: first against the schema, and if it fits, what no schema can say."""
    bySchema = list(problems(document, _schema(), _schema(), name))
    yield from bySchema or _contradictions(document, name)


def _contradictions(document: Mapping[str, Any], name: str) -> Iterator[str]:
    window = document.get("window", {})
    if "lower" in window and not window["lower"] < window["upper"]:
        yield f"{name}.window.lower must be less than upper"
    names = Counter(segment["name"] for segment in document["segments"])
    for repeated in (key for key, count in names.items() if count > 1):
        yield f"{name}.segments names '{repeated}' twice: put all its planes into one segment"
    for s, segment in enumerate(document["segments"]):
        options = _propagation(segment.get("propagate", False)) or {}
        if "region" not in options and not any(map(_isPositive, segment["planes"])):
            yield f"{name}.segments[{s}] says only what is not in it: add a positive point or a box"
        if options.get("axes") and options.get("method") == "fill":
            yield f"{name}.segments[{s}].propagate has axes, which only the method 'propagate' can use"
        for p, plane in enumerate(segment["planes"]):
            if not plane.get("points") and not plane.get("boxes"):
                yield f"{name}.segments[{s}].planes[{p}] has neither points nor boxes"


def _isPositive(plane: Mapping[str, Any]) -> bool:
    """Tell whether prompts on a slice say where the segment is; no prompts at all is another problem."""
    points = plane.get("points", [])
    return bool(plane.get("boxes") or not points or any(each["label"] in ("positive", 1) for each in points))


@lru_cache(maxsize=1)
def _schema() -> Dict[str, Any]:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def _parseJson(text: str, name: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise PromptError(f"{name} is not valid JSON: {error}.") from error


def _segment(entry: Mapping[str, Any], where: str) -> SegmentPrompts:
    planes = enumerate(entry["planes"])
    codes = entry.get("terminology")
    return SegmentPrompts(
        name=entry["name"],
        planes=tuple(_plane(plane, f"{where}.planes[{index}]") for index, plane in planes),
        color=_color(entry["color"]) if "color" in entry else None,
        terminology=codes and {role: tuple(code) for role, code in codes.items()},
        propagation=_propagation(entry.get("propagate", False)),
    )


def _propagation(entry: Any) -> Optional[Mapping[str, Any]]:
    return ({} if entry else None) if isinstance(entry, bool) else entry


def _color(text: str) -> Triple:
    red, green, blue = bytes.fromhex(text[1:])
    return red / 255, green / 255, blue / 255


def _plane(entry: Mapping[str, Any], where: str) -> PlanePrompts:
    points = tuple(
        PointPrompt(_triple(point[space]), space, point["label"] in ("positive", 1))
        for point in entry.get("points", ())
        for space in point.keys() - {"label"}
    )
    boxes = tuple(
        BoxPrompt(tuple(map(_triple, corners)), space)
        for box in entry.get("boxes", ())
        for space, corners in box.items()
    )
    return PlanePrompts(entry["plane"], points, boxes, where)


def _triple(values) -> Triple:
    return tuple(map(float, values))
