"""Boxes, clicks and confidence are read off masks and logits as documented."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.engine.prompting import (
    bounding_box,
    box_with_point,
    clipped,
    covers,
    logits_of_mask,
    stability_score,
    violated,
)

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))


@settings(deadline=None, max_examples=100)
@given(masks.filter(np.any))
def test_the_bounding_box_is_half_open_and_touches_the_mask_on_all_sides(mask):
    x0, y0, x1, y1 = bounding_box(mask).astype(int)
    outside = mask.copy()
    outside[y0:y1, x0:x1] = False
    assert not outside.any()
    assert mask[y0].any() and mask[y1 - 1].any() and mask[:, x0].any() and mask[:, x1 - 1].any()


def test_a_box_grows_only_towards_the_point():
    grown = box_with_point(np.array([10.0, 20.0, 30.0, 60.0]), np.array([40.0, 30.0]), 0.2)
    assert grown.tolist() == [10, 20, 44, 60]
    assert clipped(grown, (50, 42)).tolist() == [10, 20, 42, 50]


def test_a_point_belongs_to_the_pixel_around_its_coordinates():
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    assert covers(mask, (1.5, 0.5)) and covers(mask, (2.4, 1.4))
    assert not covers(mask, (2.5, 1)) and not covers(mask, (2, 0.4))
    assert violated(mask, np.array([[2, 1], [0, 0], [3, 1]]), np.array([1, 0, 1])) == [2]


def test_the_stability_score_is_the_overlap_of_a_stricter_and_a_laxer_mask():
    logits = np.random.default_rng(0).normal(0, 2, (40, 50))
    strict, lax = logits > 1.5, logits > -0.5
    assert stability_score(logits, 0.5) == np.count_nonzero(strict & lax) / np.count_nonzero(strict | lax)


@pytest.mark.parametrize(("logit", "score"), [(-9.0, 0.0), (0.0, 0.0), (9.0, 1.0)])
def test_the_stability_of_no_mask_is_0_and_of_a_sure_one_1(logit, score):
    assert stability_score(np.full((4, 4), logit), 0.0) == score


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([(64, 256), (256, 256), (64, 64)]))
def test_a_drawn_mask_becomes_logits_at_its_place_in_the_square_input(height, width, sides):
    low_res, image_size = sides
    scale = image_size / max(height, width)
    input_size = max(1, round(height * scale)), max(1, round(width * scale))
    logits = logits_of_mask(np.ones((height, width), bool), input_size, image_size, low_res)
    rows, columns = (round(n * low_res / image_size) for n in input_size)
    assert logits.shape == (low_res, low_res) and np.isfinite(logits).all()
    assert (logits[:rows, :columns] > 6).all()
    assert (logits[max(1, rows) :] < -6).all() and (logits[:, max(1, columns) :] < -6).all()
