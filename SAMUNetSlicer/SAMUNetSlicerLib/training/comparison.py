"""`samunet evaluate`: several models, one corpus, one folder with everything that was found."""

from pathlib import Path
from typing import Callable, Dict, Iterable, List, Sequence

from ..engine.model import PromptableModel
from ..engine.predictor import Predictor
from ..engine.types import Prompts
from .corpus import Sample
from .evaluation import cases, evaluate
from .plots import plot_worst
from .prompt_simulation import tight_box
from .report import write_report
from .rows import Row, write_rows
from .summary import first_answers, headline

ROWS = "answers.csv"


def compare(
    models: Iterable[PromptableModel],
    samples: Sequence[Sample],
    folder: Path,
    per_image: int,
    worst: int,
    progress: Callable[[int], None],
    clicks: bool = True,
) -> Dict[str, Dict[str, float]]:
    """Evaluate one model after the other; writes answers.csv, report.md, plots and worst-MODEL.png.

    :param models: loaded one at a time, so that only one needs memory.
    :return: the headline figures of every model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: List[Row] = []
    figures = {}
    for model in models:
        own = list(evaluate(model, samples, per_image, progress, clicks))
        rows += own
        figures[model.model_id] = headline(own)
        _draw_worst(model, samples, own, worst, folder / f"worst-{model.model_id}.png")
        write_rows(folder / ROWS, rows)
    write_report(rows, folder, folder.resolve().name)
    return figures


def _draw_worst(model, samples, rows, count, path):
    """Pictures of the structures for which an exact box gave the lowest Dice, the worst first."""
    chosen = sorted(first_answers(rows, "box"), key=lambda row: row.dice)[:count]
    names = [row.case for row in chosen]
    predictor = Predictor(model)
    pictures = {}
    for image, found in cases([s for s in samples if any(n.startswith(f"{s.name}#") for n in names)]):
        embedding = model.encode([image])[0]
        for case in found:
            if case.name in names:
                truth = case.target.mask
                mask = predictor.predict(embedding, Prompts(boxes=tight_box(truth)[None]), image).mask
                pictures[case.name] = (image, truth, mask)
    titled = [(f"{row.case}\n{row.structure}: {row.dice:.2f}", *pictures[row.case]) for row in chosen]
    plot_worst(titled, path)
