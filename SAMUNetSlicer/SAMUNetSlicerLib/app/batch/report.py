"""Write the results of a batch as one HTML page that needs nothing else: numbers, pictures, the worst
first.
"""

import base64
from html import escape
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote

from ... import __version__
from ..common import utcNow
from ..jobs import DONE, FAILED, NEEDS_REVIEW, QUEUED, RUNNING, CaseRecord, SegmentResult, SliceResult
from .manifest import writeWhole

STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1c2430; --soft: #5b6675;
  --line: #dfe3e9; --done: #1f7a4d; --review: #a15c00; --failed: #b3261e; --queued: #5b6675;
  --good: #2e9e68; --fair: #d8921a; --poor: #d1453b; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --ink: #e6eaf0;
  --soft: #9aa6b5; --line: #2f3843; --done: #57c08b; --review: #e8ab4f; --failed: #f2877f;
  --queued: #9aa6b5; --good: #3fae79; --fair: #d8921a; --poor: #e0625a; --link: #7db8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 0.8rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.soft { color: var(--soft); } .small { font-size: 0.85rem; } p { margin: 0.3rem 0; }
.numbers { display: grid; gap: 0.8rem; margin-top: 1.4rem;
  grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.number, .card, table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.number { padding: 0.7rem 1rem; } .number b { display: block; font-size: 1.5rem; line-height: 1.25; }
.done { color: var(--done); } .review { color: var(--review); } .failed { color: var(--failed); }
.queued { color: var(--queued); }
.gallery { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); }
.card { overflow: hidden; } .card .text { padding: 0.5rem 0.8rem 0.8rem; }
.card img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #000; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.bar { height: 5px; border-radius: 3px; background: var(--line); margin-top: 0.4rem; overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 3px; }
.good { background: var(--good); } .fair { background: var(--fair); } .poor { background: var(--poor); }
.scroll { overflow-x: auto; } table { width: 100%; border-collapse: separate; border-spacing: 0; }
th, td { padding: 0.6rem 0.8rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { border-top: 0; font-weight: 600; color: var(--soft); font-size: 0.82rem; white-space: nowrap; }
td.value, th.value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td img { display: block; width: 5.5rem; height: 5.5rem; object-fit: contain; background: #000;
  border-radius: 6px; }
td ul { margin: 0; padding: 0; list-style: none; } td li { white-space: nowrap; }
td.what { min-width: 14rem; } footer { margin-top: 2rem; }
.state { font-weight: 600; white-space: nowrap; }
@media print { body { max-width: none; padding: 0; } .card, tr { break-inside: avoid; } }
"""


REPORT_FILE = "report.html"

_GALLERY = 24
# Pictures beyond these stay files beside the page, which would otherwise be too large to open.
_EMBEDDED = 400
_MOST_SEGMENTS = 8  # of one image; the others are in its table
_FAIR, _GOOD = 0.7, 0.85
_ORDER = (FAILED, NEEDS_REVIEW, DONE, RUNNING, QUEUED)
_CLASSES = {FAILED: "failed", NEEDS_REVIEW: "review", DONE: "done", RUNNING: "queued", QUEUED: "queued"}


class _Shown(NamedTuple):
    record: CaseRecord
    slice: SliceResult


def writeReport(folder: Path, records: Sequence[CaseRecord], facts: Mapping[str, Any]) -> Path:
    """Write the page.

    :param folder: of the results, which holds the pictures.
    :param facts: see `Manifest`.
    :raises OutputError: it cannot be written; the one before stays.
    """
    path = folder / REPORT_FILE
    writeWhole(path, "".join(_Page(folder, records, facts).parts()))
    return path


class _Page:
    def __init__(self, folder: Path, records: Sequence[CaseRecord], facts: Mapping[str, Any]):
        self._folder = folder
        self._records = sorted(records, key=_urgency)
        self._facts = facts
        self._embedded: Dict[str, str] = {}

    def parts(self) -> Iterator[str]:
        count = len(self._records)
        title = f"{count} image{'s' * (count != 1)} segmented by {escape(str(self._facts['model']['id']))}"
        yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f"<title>{title}</title><style>{STYLE}</style></head><body>"
        yield f"<h1>{title}</h1>"
        when, devices = utcNow()[:16].replace("T", " "), ", ".join(self._facts["devices"])
        yield f'<p class="soft">{when} UTC · {escape(devices)} · {escape(str(self._folder))}</p>'
        yield self._numbers()
        yield self._gallery()
        yield self._table()
        yield f'<footer class="soft small">SAMUNetSlicer {__version__}. For research use only, not a '
        yield "medical device. Confidence is the stability of the mask against its threshold, not the "
        yield "probability that it is right.</footer></body></html>\n"

    def _numbers(self) -> str:
        texts = {FAILED: "failed", NEEDS_REVIEW: "need review", DONE: "done", QUEUED: "not done"}
        counts = {state: sum(each.state == state for each in self._records) for state in _ORDER}
        counts[QUEUED] += counts.pop(RUNNING)
        tiles = [
            (str(counts[state]), f'<span class="{_CLASSES[state]}">{texts[state]}</span>')
            for state in (DONE, NEEDS_REVIEW, FAILED, QUEUED)
            if counts[state] or state == DONE
        ]
        segments = [segment for each in self._records for segment in each.segments]
        tiles.append((str(sum(segment.slices for segment in segments)), "slices segmented"))
        engine = sum(each.seconds.get("engine", 0.0) for each in self._records)
        tiles.append((_duration(engine), "spent by the network"))
        boxes = (f'<div class="number"><b>{value}</b>{text}</div>' for value, text in tiles)
        return f'<div class="numbers">{"".join(boxes)}</div>'

    def _gallery(self) -> str:
        found = [_Shown(record, each) for record in self._records for each in record.slices if each.picture]
        worst = sorted(found, key=lambda shown: _certainty(shown.slice))[:_GALLERY]
        if not worst:
            return ""
        cards = "".join(self._card(shown) for shown in worst)
        return f'<h2>The least certain slices</h2><div class="gallery">{cards}</div>'

    def _card(self, shown: _Shown) -> str:
        record, each = shown
        return (
            f'<div class="card">{self._image(record, each)}<div class="text">'
            f'<div class="name">{_link(record)}</div>'
            f'<div class="soft small">{escape(each.segment)}, {escape(each.place)} · '
            f"{_percent(each.confidence)}</div>{_bar(each.confidence)}</div></div>"
        )

    def _table(self) -> str:
        heads = (("", ""), ("", "Image"), ("", "State"), ("", "Segments"), ("value", "ml"))
        heads += (("value", "Slices"), ("value", "Confidence"), ("value", "Time"))
        head = "".join(f'<th class="{kind}">{text}</th>' for kind, text in heads)
        rows = "".join(self._row(record) for record in self._records)
        return f'<h2>All images</h2><div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'

    def _row(self, record: CaseRecord) -> str:
        first = next((each for each in record.slices if each.picture), None)
        worst = min((each for each in record.slices if each.picture), key=_certainty, default=first)
        picture = "" if worst is None else self._image(record, worst)
        sentences = [record.message, *record.reasons, *record.notes]
        said = "".join(f'<p class="small">{escape(text)}</p>' for text in sentences if text)
        time = _duration(sum(record.seconds.get(part, 0.0) for part in ("load", "segment", "write")))
        segments = sorted(record.segments, key=_doubt)[:_MOST_SEGMENTS]
        more = f"and {len(record.segments) - len(segments)} more" * (len(record.segments) > len(segments))
        cells = (
            ("", picture),
            ("", f'<div class="name">{_link(record)}</div><p class="soft small">{escape(record.source)}</p>'),
            ("what", f'<span class="state {_CLASSES[record.state]}">{record.state}</span>{said}'),
            ("", _list([*(escape(each.name) for each in segments), *([more] if more else [])])),
            ("value", _list(f"{each.volumeMl:.2f}" for each in segments)),
            ("value", _list(str(each.slices) for each in segments)),
            ("value", _list(_percent(each.confidence) for each in segments)),
            ("value", time if record.isFinished else ""),
        )
        return "<tr>" + "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells) + "</tr>"

    def _image(self, record: CaseRecord, each: SliceResult) -> str:
        place = f"{record.name}/{each.picture}"
        text = escape(f"{record.name}: {each.segment}, {each.place}")
        return f'<a href="{quote(place)}"><img loading="lazy" alt="{text}" src="{self._source(place)}"></a>'

    def _source(self, place: str) -> str:
        if place not in self._embedded and len(self._embedded) < _EMBEDDED:
            try:
                content = (self._folder / place).read_bytes()
            except OSError:
                return quote(place)
            self._embedded[place] = "data:image/jpeg;base64," + base64.b64encode(content).decode()
        return self._embedded.get(place) or quote(place)


def _urgency(record: CaseRecord):
    confidence = record.confidence
    return _ORDER.index(record.state), 2.0 if confidence is None else confidence, record.name


def _certainty(each: SliceResult) -> float:
    if each.pixels == 0:
        return -1.0
    return 2.0 if each.confidence is None else each.confidence


def _doubt(segment: SegmentResult) -> float:
    if not segment.voxels:
        return -1.0
    return 2.0 if segment.confidence is None else segment.confidence


def _link(record: CaseRecord) -> str:
    name = escape(record.name)
    return f'<a href="{quote(record.name)}/">{name}</a>' if record.isFinished else name


def _list(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"


def _percent(confidence: Optional[float]) -> str:
    return "–" if confidence is None else f"{100 * confidence:.0f} %"


def _bar(confidence: Optional[float]) -> str:
    share = confidence or 0.0
    kind = "good" if share >= _GOOD else "fair" if share >= _FAIR else "poor"
    return f'<div class="bar"><i class="{kind}" style="width:{100 * share:.0f}%"></i></div>'


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
