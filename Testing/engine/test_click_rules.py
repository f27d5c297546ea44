"""How a click becomes a box, and how a mask is changed around a click."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.phantom import ellipse
from SAMUNetSlicerLib.engine.prompting import (
    EdgeMap,
    bounding_box,
    candidate_boxes,
    choose_box,
    follow_clicks,
)

SIZE = (150, 200)
ORGAN = ellipse(*SIZE, center=(80.0, 70.0), radii=(40.0, 25.0))
LEAK = ellipse(*SIZE, center=(135.0, 70.0), radii=(18.0, 15.0))
NOISE = np.random.default_rng(0).normal(0, 3, SIZE)
IMAGE = np.clip(60 + 70 * ORGAN + 40 * LEAK + NOISE, 0, 255).astype(np.uint8)
RELIEF = EdgeMap(IMAGE)


def overlap(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def box_overlap(a, b):
    def area(box):
        return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])

    common = area(np.hstack([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))
    return common / (area(a) + area(b) - common)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 70), st.integers(1, 70), st.data())
def test_candidate_boxes_hold_the_click_inside_the_image_and_differ(height, width, data):
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    relief = EdgeMap(np.full((height, width), 9, np.uint8))
    boxes = candidate_boxes(np.array([x, y]), (height, width), relief)
    assert len(np.unique(boxes, axis=0)) == len(boxes) <= 20
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= [width, height]).all()
    assert (boxes[:, 0] < x + 1).all() and (boxes[:, 2] > x).all()
    assert (boxes[:, 1] < y + 1).all() and (boxes[:, 3] > y).all()


@pytest.mark.parametrize("click", [(80, 70), (60, 62), (105, 70)])
def test_one_of_the_boxes_fits_the_structure_also_when_the_click_is_off_center(click):
    boxes = candidate_boxes(np.array(click), SIZE, RELIEF)
    assert max(box_overlap(box, bounding_box(ORGAN)) for box in boxes) > 0.55


def test_the_structure_that_many_boxes_agree_on_is_chosen():
    masks = [np.roll(ORGAN, shift, axis=1) for shift in (0, 1, -1)]
    masks += [ellipse(*SIZE, center=(80.0, 70.0), radii=(r, r)) for r in (5.0, 60.0)]
    points, labels = np.array([[80, 70]]), np.array([1])
    assert choose_box(masks, points, labels, EdgeMap(np.zeros(SIZE, np.uint8))) == 0
    assert choose_box(masks[::-1], points, labels, RELIEF) in (2, 3, 4)


def test_a_mask_that_follows_all_clicks_goes_before_those_that_do_not():
    small = ellipse(*SIZE, center=(80.0, 70.0), radii=(10.0, 10.0))
    masks = [ORGAN, ORGAN.copy(), ORGAN.copy(), small]
    assert choose_box(masks, np.array([[110, 70], [80, 70]]), np.array([0, 1]), RELIEF) == 3


def test_some_mask_is_chosen_even_if_none_holds_the_click():
    assert choose_box([LEAK, LEAK], np.array([[5, 5]]), np.array([1]), RELIEF) in (0, 1)


def test_a_negative_click_takes_the_leak_away_and_leaves_the_organ():
    mask, notes = follow_clicks(ORGAN | LEAK, np.array([[138, 70]]), np.array([0]), RELIEF)
    assert overlap(mask, ORGAN) > 0.93
    assert len(notes) == 1 and "click 1" in notes[0]


def test_a_negative_click_leaves_the_other_pieces_of_the_mask_alone():
    far = ellipse(*SIZE, center=(185.0, 70.0), radii=(6.0, 6.0))
    mask, _ = follow_clicks(ORGAN | LEAK | far, np.array([[138, 70]]), np.array([0]), RELIEF)
    assert mask[far].all() and not mask[70, 138]


def test_a_piece_close_by_keeps_its_border():
    left, right = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    left[40:100, 50:98], right[40:100, 100:150] = True, True
    mask, _ = follow_clicks(
        left | right, np.array([[104, 70]]), np.array([0]), EdgeMap(np.zeros(SIZE, np.uint8))
    )
    assert mask[left].all() and not mask[70, 100:106].any()


def test_a_negative_click_takes_nothing_that_is_closer_to_a_positive_one():
    points, labels = np.array([[138, 70], [122, 70]]), np.array([0, 1])
    mask, _ = follow_clicks(ORGAN | LEAK, points, labels, RELIEF)
    assert mask[67:74, 120:125].all() and not mask[67:74, 136:141].any()


def test_a_positive_click_adds_the_missing_part_up_to_the_edges():
    half = ORGAN & (np.arange(SIZE[1]) < 90)
    mask, _ = follow_clicks(half, np.array([[105, 70]]), np.array([1]), RELIEF)
    assert overlap(mask, ORGAN) > overlap(half, ORGAN) + 0.15
    assert not mask[:40].any()


def test_what_other_clicks_say_is_not_undone():
    points, labels = np.array([[100, 70], [138, 70], [60, 70]]), np.array([1, 0, 1])
    mask, _ = follow_clicks(ORGAN | LEAK, points, labels, RELIEF)
    assert mask[70, 100] and mask[70, 60] and not mask[70, 138]
    both, _ = follow_clicks(np.zeros(SIZE, bool), points, labels, RELIEF)
    assert both[70, 100] and both[70, 60] and not both[70, 138]


def test_clicks_that_are_followed_already_change_nothing():
    mask, notes = follow_clicks(ORGAN, np.array([[80, 70], [5, 5]]), np.array([1, 0]), RELIEF)
    assert np.array_equal(mask, ORGAN) and notes == []


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 39), st.integers(0, 29), st.integers(0, 1)),
        min_size=1,
        max_size=6,
        unique_by=lambda click: click[:2],
    ),
    st.integers(0, 2**32 - 1),
)
def test_clicks_on_different_pixels_are_always_all_followed(clicks, seed):
    rng = np.random.default_rng(seed)
    relief = EdgeMap(rng.integers(0, 256, (30, 40)).astype(np.uint8))
    mask = rng.random((30, 40)) < rng.random()
    rows = np.array(clicks)
    changed, _ = follow_clicks(mask, rows[:, :2], rows[:, 2], relief)
    assert all(changed[y, x] == bool(label) for x, y, label in clicks)
