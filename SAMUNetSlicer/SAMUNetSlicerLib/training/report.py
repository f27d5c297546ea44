"""Writes what an evaluation found: a Markdown page with tables and the plots."""

from pathlib import Path
from typing import Dict, Sequence

from .plots import ByModel, plot_calibration, plot_clicks
from .rows import Row
from .summary import first_answers, headline, means


def write_report(rows: Sequence[Row], folder: Path, data_name: str) -> None:
    """Write report.md, clicks.png and calibration.png for the rows of one or several models."""
    models: ByModel = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    plot_clicks(models, folder / "clicks.png")
    plot_calibration(models, folder / "calibration.png")
    (folder / "report.md").write_text(_page(models, data_name), encoding="utf-8")


def _page(models, data_name):
    structures = len({row.case for row in next(iter(models.values()))})
    parts = [
        f"# Evaluation on {data_name}: {structures} structures",
        "Mean over structures at the images' own resolution; one mask per structure, NoC counts at most 20.",
        _table("figure", {name: headline(rows) for name, rows in models.items()}),
    ]
    for kind in ("box", "click"):
        for title, key in (
            ("modality", lambda row: row.modality),
            ("size", lambda row: row.size_class),
            ("source", lambda row: row.source),
        ):
            columns = {name: means(first_answers(rows, kind), key) for name, rows in models.items()}
            parts += [f"## Dice by {title}, first {kind}", _table(title, columns)]
    parts += ["## Pictures", "![clicks](clicks.png)", "![calibration](calibration.png)"]
    return "\n\n".join(parts) + "\n"


def _table(title: str, columns: Dict[str, Dict[str, float]]) -> str:
    """A Markdown table with a column per model; names that a model lacks are left blank."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        cells = [f"{column[name]:.3f}" if name in column else "" for column in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
