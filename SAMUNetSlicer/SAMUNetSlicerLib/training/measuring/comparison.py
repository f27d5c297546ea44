"""Compare several models on one corpus, for `samunet evaluate`: one folder with everything that was found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Sequence

import numpy as np

from ...engine.models import PromptableModel
from ...engine.types import Prompts
from ..data import Sample, tight_box
from .evaluation import cases, evaluate, product_answers
from .plots import plot_worst
from .protocols import MAX_CLICKS
from .report import worst_picture, write_report
from .rows import Row, write_rows
from .summary import headline, worst_cases

ROWS = "answers.csv"


@dataclass(frozen=True)
class CompareOptions:
    """Options of a comparison.

    ``data``: its name in the report; ``per_image``, ``clicks``: see `evaluation.evaluate`.

    ``worst``: number of cases to draw; ``outlines``: without their images, for pages that may not copy them.
    """

    data: str
    per_image: int = 0
    clicks: int = MAX_CLICKS
    worst: int = 20
    outlines: bool = False


def compare(
    models: Iterable[PromptableModel],
    samples: Sequence[Sample],
    folder: Path,
    options: CompareOptions,
    progress: Callable[[int], None],
) -> Dict[str, Dict[str, float]]:
    """Evaluate one model after the other; writes answers.csv, report.md and its pictures.

    :param models: loaded one at a time, so that only one needs memory.
    :return: the headline figures of every model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: List[Row] = []
    figures = {}
    for model in models:
        own = list(evaluate(model, samples, options.per_image, progress, options.clicks))
        rows += own
        figures[model.model_id] = headline(own)
        _draw_worst(model, samples, own, options, folder / worst_picture(model.model_id))
        write_rows(folder / ROWS, rows)
    write_report(rows, folder, options.data, options.worst)
    return figures


def _draw_worst(model, samples, rows, options, path):
    """Draw pictures of the `worst_cases`, numbered as in the report."""
    chosen = worst_cases(rows, options.worst)
    names = [row.case for row in chosen]
    pictures = {}
    for image, found in cases([s for s in samples if any(n.startswith(f"{s.name}#") for n in names)]):
        ask = product_answers(model, image)
        for case in found:
            if case.name in names:
                truth = case.target.mask
                mask = ask(Prompts(boxes=tight_box(truth)[None])).mask
                shown = np.full_like(image, 255) if options.outlines else image
                pictures[case.name] = (shown, truth, mask)
    titled = [
        (f"{i}. {row.source}: {row.structure}, {row.dice:.2f}", *pictures[row.case])
        for i, row in enumerate(chosen, 1)
    ]
    plot_worst(titled, path)
