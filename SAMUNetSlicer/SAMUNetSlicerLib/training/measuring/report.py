"""Write what an evaluation found: a Markdown page with tables and the plots."""

from pathlib import Path
from typing import Dict, Iterable, List, Sequence

from .plots import ByModel, plot_calibration, plot_clicks
from .protocols import CLICKS, REPORTED_CLICKS
from .rows import Row
from .summary import calibration, first_answers, headline, means, worst_cases

_GROUPS = (
    ("modality", lambda row: row.modality),
    ("size", lambda row: row.size_class),
    ("shape", lambda row: row.shape),
    ("source", lambda row: f"{row.source} ({row.modality})"),
)


def write_report(rows: Sequence[Row], folder: Path, data_name: str, worst: int = 20) -> None:
    """Write report.md, clicks.png and calibration.png for the rows of one or several models.

    :param worst: how many of every model's worst cases the page lists; their pictures are `worst_picture`.
    """
    models: ByModel = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    plot_clicks(models, folder / "clicks.png")
    plot_calibration(models, folder / "calibration.png")
    (folder / "report.md").write_text(_page(models, data_name, worst), encoding="utf-8")


def worst_picture(model_id: str) -> str:
    """Name of the file with the pictures of a model's worst cases."""
    return f"worst-{model_id}.png"


def _page(models, data_name, worst):
    structures = len({row.case for row in next(iter(models.values()))})
    parts = [
        f"# Evaluation on {data_name}: {structures} structures",
        "Mean over structures at the images' own resolution; one mask per structure, NoC counts at most 20.",
        _table("figure", {name: headline(rows) for name, rows in models.items()}),
        "![clicks](clicks.png)",
    ]
    for kind in ("box", "click"):
        for title, key in _GROUPS:
            columns = {name: means(first_answers(rows, kind), key) for name, rows in models.items()}
            parts += [f"## Dice by {title}, first {kind}", _table(title, columns)]
    parts += ["## Does the confidence rank the errors?", *_calibration(models)]
    for name, rows in models.items():
        parts += _worst(name, rows, worst)
    return "\n\n".join(parts) + "\n"


def _calibration(models) -> List[str]:
    """Return text, table and plot about the stability score."""
    lines = []
    for name, rows in models.items():
        for kind in ("box", "click"):
            for confidence, dice, count in calibration(first_answers(rows, kind)):
                lines.append((name, f"first {kind}", f"{confidence:.2f}", f"{dice:.2f}", count))
    return [
        "Every fifth of the answers in order of confidence, which is the stability score of the mask.",
        _lines(("model", "prompt", "mean confidence", "mean Dice", "answers"), lines),
        "![calibration](calibration.png)",
    ]


def _worst(name, rows, count) -> List[str]:
    """Return the section about the cases for which an exact box gave the lowest Dice."""
    chosen = worst_cases(rows, count)
    after = {row.case: row.dice for row in rows if (row.protocol, row.clicks) == (CLICKS, REPORTED_CLICKS)}
    lines = [
        (i, row.source, row.modality, row.structure, row.size_class, f"{row.dice:.2f}", _figure(after, row))
        for i, row in enumerate(chosen, 1)
    ]
    titles = ("", "source", "modality", "structure", "size", "Dice, exact box", f"{REPORTED_CLICKS} clicks")
    return [
        f"## The {len(chosen)} worst cases of {name}",
        "Lowest Dice with an exact box, at most three of one source; truth green, mask red.",
        _lines(titles, lines),
        f"![worst cases]({worst_picture(name)})",
    ]


def _figure(values, row):
    return f"{values[row.case]:.2f}" if row.case in values else ""


def _table(title: str, columns: Dict[str, Dict[str, float]]) -> str:
    """Return a Markdown table with a column per model; names that a model lacks are left blank."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    lines = (
        (name, *(f"{column[name]:.3f}" if name in column else "" for column in columns.values()))
        for name in names
    )
    return _lines((title, *columns), lines)


def _lines(titles: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
