from types import SimpleNamespace

import numpy as np
import pytest

from SAMUNetSlicerLib.training.measuring import protocols
from training.corpora import disc

TRUTH = disc(100, 40, 50, 20)


def _oracle(mask):
    return lambda prompts: SimpleNamespace(mask=mask, confidence=1.0)


def _painter(prompts):
    """Paints a small disc at every positive click: needs several to cover the structure."""
    mask = np.zeros_like(TRUTH)
    for (x, y), label in zip(prompts.points, prompts.labels):
        spot = disc(100, x, y, 9)
        mask = mask | spot if label else mask & ~spot
    return SimpleNamespace(mask=mask, confidence=0.5)


def test_a_perfect_model_is_asked_five_boxes_ten_clicks_and_a_box_with_five():
    answers = list(protocols.question(_oracle(TRUTH), TRUTH, "case"))
    assert len(answers) == 5 + 10 + 5
    assert all(answer.dice == answer.iou == answer.surface_dice == 1 for answer in answers)


def test_a_hopeless_model_is_asked_twenty_clicks():
    answers = list(protocols.question(_oracle(~TRUTH), TRUTH, "case"))
    clicks = [answer for answer in answers if answer.protocol == protocols.CLICKS]
    assert [answer.clicks for answer in clicks] == list(range(1, 21))
    assert all(answer.dice < 1e-6 for answer in answers)


def test_every_click_goes_where_the_last_mask_was_wrong():
    answers = [a for a in protocols.question(_painter, TRUTH, "case") if a.protocol == protocols.CLICKS]
    assert answers[0].dice < 0.6
    assert answers[9].dice > 0.85
    assert answers[9].confidence == 0.5


def test_the_boxes_differ_as_their_names_say():
    boxes = dict(protocols.boxes(TRUTH, "case"))
    widths = {name: box[2] - box[0] for name, box in boxes.items()}
    exact = widths[protocols.EXACT]
    assert exact == 41
    assert widths[protocols.LARGER_5] == pytest.approx(1.05 * exact)
    assert widths[protocols.LARGER_10] == pytest.approx(1.10 * exact)
    assert widths[protocols.SMALLER_5] == pytest.approx(0.95 * exact)
    assert np.abs(boxes[protocols.SHIFTED] - boxes[protocols.EXACT]).sum() == 10


def test_the_direction_of_the_shift_depends_on_the_case_alone():
    shifted = {tuple(dict(protocols.boxes(TRUTH, f"case {i}"))[protocols.SHIFTED]) for i in range(40)}
    assert len(shifted) == 4
    again = dict(protocols.boxes(TRUTH, "case 1"))[protocols.SHIFTED]
    assert np.array_equal(again, dict(protocols.boxes(TRUTH, "case 1"))[protocols.SHIFTED])


def test_boxes_at_the_border_stay_inside_the_image():
    corner = disc(100, 0, 0, 10)
    for _, (x0, y0, x1, y1) in protocols.boxes(corner, "case"):
        assert 0 <= x0 < x1 <= 100
        assert 0 <= y0 < y1 <= 100


def test_without_clicks_only_the_boxes_are_asked():
    answers = list(protocols.question(_oracle(TRUTH), TRUTH, "case", clicks=0))
    assert [answer.clicks for answer in answers] == [0] * 5


def test_as_many_clicks_are_asked_as_wished_and_at_most_five_after_a_box():
    answers = list(protocols.question(_oracle(~TRUTH), TRUTH, "case", clicks=7))
    asked = [(answer.protocol, answer.clicks) for answer in answers if answer.clicks]
    alone, boxed = [protocols.CLICKS] * 7, [protocols.BOX_CLICKS] * 5
    assert asked == list(zip([*alone, *boxed], [*range(1, 8), *range(1, 6)]))
