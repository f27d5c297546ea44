import math

import pytest

from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.training.measuring import Row, protocols, read_rows, summary, write_report, write_rows


def row(case="a", protocol=protocols.EXACT, clicks=0, dice=0.8, iou=0.7, confidence=0.9, **changes):
    values = {
        "model": "ours",
        "source": "BUSI",
        "modality": "US",
        "case": case,
        "structure": "lesion",
        "fraction": 0.01,
        "shape": "compact",
        "surface_dice": 0.5,
        **changes,
    }
    return Row(**values, protocol=protocol, clicks=clicks, dice=dice, iou=iou, confidence=confidence)


def clicking(case, ious, **changes):
    return [
        row(case, protocols.CLICKS, i, dice=value, iou=value, **changes) for i, value in enumerate(ious, 1)
    ]


ROWS = [
    row("a", dice=0.9, confidence=0.95),
    row("b", dice=0.5, confidence=0.6, source="ACDC", modality="MR", fraction=0.001, shape="ring"),
    *clicking("a", [0.5, 0.86, *[0.95] * 8]),
    *clicking("b", [0.1, 0.2, *[0.3] * 18]),
]


def test_rows_survive_the_csv_file(tmp_path):
    write_rows(tmp_path / "answers.csv", ROWS)
    assert read_rows(tmp_path / "answers.csv") == ROWS


def test_a_file_that_is_no_table_of_results_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a table of results"):
        read_rows(tmp_path / "x.csv")


def test_clicks_needed_count_to_the_first_success_and_twenty_without():
    assert summary.clicks_needed(ROWS, 0.85) == {"a": 2, "b": 20}
    assert summary.unreached(ROWS, 0.85) == 0.5


def test_means_are_per_protocol_and_number_of_clicks():
    dice = summary.by_question(ROWS)
    assert dice[protocols.EXACT, 0] == pytest.approx(0.7)
    assert dice[protocols.CLICKS, 3] == pytest.approx(0.625)


def test_confidence_that_orders_the_errors_correlates_fully():
    assert summary.rank_correlation(summary.first_answers(ROWS, "box")) == pytest.approx(1)
    assert math.isnan(summary.rank_correlation([ROWS[0]]))


def test_calibration_shares_are_ordered_and_cover_all():
    shares = summary.calibration([row(str(i), dice=i / 20, confidence=1 - i / 20) for i in range(20)])
    assert [count for _, _, count in shares] == [4] * 5
    assert [confidence for confidence, _, _ in shares] == sorted(confidence for confidence, _, _ in shares)
    assert shares[0][1] > shares[-1][1]


def test_a_confidence_that_is_lowest_for_failures_foresees_them():
    rows = [row(str(i), dice=0.3 if i < 4 else 0.9, confidence=i / 40) for i in range(40)]
    assert summary.failures_foreseen(rows) == 1
    assert summary.failures_foreseen(rows, 0.05) == 0.5
    assert summary.failures_foreseen([row(str(i), dice=0.3, confidence=1 - i / 40) for i in range(40)]) == 0.1
    assert math.isnan(summary.failures_foreseen([row(dice=0.9)]))


def test_a_confidence_that_tells_the_dice_has_no_calibration_gap():
    told = [row(str(i), dice=i / 20, confidence=i / 20) for i in range(20)]
    boasting = [row(str(i), dice=i / 40, confidence=i / 40 + 0.25) for i in range(20)]
    assert summary.calibration_gap(told) == pytest.approx(0)
    assert summary.calibration_gap(boasting) == pytest.approx(0.25)


def test_the_worst_cases_come_worst_first_and_few_of_one_source():
    rows = [row(f"a{i}", dice=i / 10) for i in range(5)]
    rows += [row("b", dice=0.25, source="ACDC"), row("c", protocol=protocols.CLICKS, clicks=1, dice=0)]
    assert [each.case for each in summary.worst_cases(rows, 4)] == ["a0", "a1", "a2", "b"]
    assert [each.case for each in summary.worst_cases(rows, 2)] == ["a0", "a1"]


def test_structures_are_small_medium_or_large():
    classes = [row(fraction=fraction).size_class for fraction in (0.002, 0.02, 0.2)]
    assert classes == ["small", "medium", "large"]


def test_the_report_compares_models_side_by_side_with_pictures(tmp_path):
    others = [row("a", dice=0.4, model="theirs"), *clicking("a", [0.2, 0.3], model="theirs")]
    write_report([*ROWS, *others], tmp_path, "unseen data")
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "# Evaluation on unseen data: 2 structures" in page
    assert "| Dice, box exact | 0.700 | 0.400 |" in page
    assert "| NoC@85% | 11.000 |  |" in page
    assert "| ACDC (MR) | 0.500 |  |" in page
    assert "| ring | 0.500 |  |" in page
    assert "| ours | first box | 0.60 | 0.50 | 1 |" in page
    assert "| 1 | ACDC | MR | lesion | small | 0.50 | 0.30 |" in page
    assert "![worst cases](worst-theirs.png)" in page
    for picture in ("clicks.png", "calibration.png"):
        assert (tmp_path / picture).stat().st_size > 1000


def test_an_evaluation_of_boxes_alone_has_a_report_too(tmp_path):
    boxes = [each for each in ROWS if each.protocol == protocols.EXACT]
    write_report(boxes, tmp_path, "unseen data")
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| Dice, box exact | 0.700 |" in page
    assert "NoC@" not in page
