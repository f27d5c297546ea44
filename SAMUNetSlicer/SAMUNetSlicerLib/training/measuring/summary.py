"""Compute figures of one or several evaluations: means, clicks needed, calibration. Plain numbers, no
text.
"""

import math
from collections import defaultdict
from statistics import mean
from typing import Callable, Dict, Hashable, Iterable, List, Sequence, Tuple

import numpy as np
from scipy import stats

from .protocols import BOX_CLICKS, CLICKS, EXACT, MAX_CLICKS, REPORTED_CLICKS
from .rows import Row

# The measurements that the summary table shows, as (protocol, clicks).
Question = Tuple[str, int]
CLICK_STEPS = (1, 2, 3, 5, 10)
FAILURE_DICE = 0.7


def means(rows: Iterable[Row], key: Callable[[Row], Hashable], score: str = "dice") -> Dict[Hashable, float]:
    """Return mean score of the rows that share a key."""
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(getattr(row, score))
    return {name: mean(values) for name, values in groups.items()}


def by_question(rows: Iterable[Row], score: str = "dice") -> Dict[Question, float]:
    """Return mean over all structures for every protocol and number of clicks."""
    return means(rows, lambda row: (row.protocol, row.clicks), score)


def first_answers(rows: Iterable[Row], kind: str) -> List[Row]:
    """Return the rows of the exact box (``kind`` "box") or of the first click alone ("click")."""
    wanted = (EXACT, 0) if kind == "box" else (CLICKS, 1)
    return [row for row in rows if (row.protocol, row.clicks) == wanted]


def worst_cases(rows: Iterable[Row], count: int, per_source: int = 3) -> List[Row]:
    """Return the rows of the exact boxes with the lowest Dice, the worst first, few of one source."""
    chosen: List[Row] = []
    for row in sorted(first_answers(rows, "box"), key=lambda row: row.dice):
        if len(chosen) < count and sum(other.source == row.source for other in chosen) < per_source:
            chosen.append(row)
    return chosen


def clicks_needed(rows: Iterable[Row], iou: float) -> Dict[str, int]:
    """Count the clicks until a case first reaches an IoU, at most 20 (NoC of RITM), by case."""
    needed: Dict[str, int] = {}
    for row in rows:
        if row.protocol == CLICKS:
            reached = row.clicks if row.iou >= iou else MAX_CLICKS
            needed[row.case] = min(needed.get(row.case, MAX_CLICKS), reached)
    return needed


def unreached(rows: Sequence[Row], iou: float) -> float:
    """Fraction of cases that never reach an IoU within 20 clicks."""
    best: Dict[str, float] = {}
    for row in rows:
        if row.protocol == CLICKS:
            best[row.case] = max(best.get(row.case, 0.0), row.iou)
    return mean(value < iou for value in best.values())


def rank_correlation(rows: Sequence[Row]) -> float:
    """Spearman correlation of confidence and Dice: 1 if the confidence orders the errors perfectly."""
    if len({row.confidence for row in rows}) < 2 or len({row.dice for row in rows}) < 2:
        return float("nan")
    return float(stats.spearmanr([r.confidence for r in rows], [r.dice for r in rows]).statistic)


def calibration(rows: Sequence[Row], bins: int = 5) -> List[Tuple[float, float, int]]:
    """Return (mean confidence, mean Dice, count) of equal shares of the rows in order of confidence."""
    ordered = sorted(rows, key=lambda row: row.confidence)
    shares = [share for share in np.array_split(np.array(ordered, object), bins) if len(share)]
    return [(mean(r.confidence for r in share), mean(r.dice for r in share), len(share)) for share in shares]


def failures_foreseen(rows: Sequence[Row], share: float = 0.1) -> float:
    """Return the fraction of the failures (Dice below 0.7) in the least confident ``share`` of the answers.

    NaN without failures; ``share`` is what a confidence without any worth gives.
    """
    ordered = sorted(rows, key=lambda row: row.confidence)
    failed = np.array([row.dice < FAILURE_DICE for row in ordered])
    return (
        float(failed[: max(1, round(share * len(failed)))].sum() / failed.sum()) if failed.any() else math.nan
    )


def calibration_gap(rows: Sequence[Row]) -> float:
    """Return the mean difference of confidence and Dice in the shares of `calibration`; 0 is best."""
    shares = calibration(rows, bins=10)
    return sum(abs(confidence - dice) * count for confidence, dice, count in shares) / len(rows)


def headline(rows: Sequence[Row]) -> Dict[str, float]:
    """Return the figures by which models are compared, by name, for the rows of one model."""
    dice = by_question(rows)
    figures = {f"Dice, {protocol}": value for (protocol, clicks), value in dice.items() if clicks == 0}
    for protocol in (CLICKS, BOX_CLICKS):
        for clicks in CLICK_STEPS:
            if (protocol, clicks) in dice:
                figures[f"Dice, {protocol}, {clicks}"] = dice[protocol, clicks]
    clicks = max((row.clicks for row in rows if row.protocol == CLICKS), default=0)
    for iou in (0.85, 0.90) if clicks >= REPORTED_CLICKS else ():
        figures[f"NoC@{iou:.0%}"] = mean(clicks_needed(rows, iou).values())
        figures[f"never {iou:.0%} IoU"] = unreached(rows, iou)
    for kind in ("box", "click") if clicks else ("box",):
        first = first_answers(rows, kind)
        figures[f"surface Dice 2 px, {kind}"] = mean(row.surface_dice for row in first)
        figures[f"confidence ranks errors, {kind}"] = rank_correlation(first)
        figures[f"failures in the least confident tenth, {kind}"] = failures_foreseen(first)
        figures[f"calibration gap, {kind}"] = calibration_gap(first)
    return figures
