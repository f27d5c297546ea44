import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.training import prompt_simulation as simulation
from training.corpora import disc

MASKS = hnp.arrays(bool, (12, 15))


@given(MASKS, MASKS)
@settings(deadline=None, max_examples=60)
def test_the_next_click_lies_on_an_error_and_says_what_belongs_there(mask, target):
    click = simulation.next_click(mask, target)
    if click is None:
        assert (mask == target).all()
    else:
        x, y, label = click
        assert mask[y, x] != target[y, x]
        assert label == int(target[y, x])


@given(MASKS, MASKS, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_a_careless_click_still_corrects_the_mask(mask, target, seed):
    click = simulation.careless_click(mask, target, np.random.default_rng(seed))
    if click is not None:
        x, y, label = click
        assert mask[y, x] != target[y, x]
        assert label == int(target[y, x])


@given(MASKS.filter(np.any), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_a_careless_box_is_a_box_inside_the_image(mask, seed):
    x0, y0, x1, y1 = simulation.careless_box(mask, np.random.default_rng(seed))
    assert 0 <= x0 < x1 <= 15
    assert 0 <= y0 < y1 <= 12


def test_the_tight_box_is_half_open():
    mask = np.zeros((10, 20), bool)
    mask[2:5, 7:15] = True
    assert simulation.tight_box(mask).tolist() == [7, 2, 15, 5]


def test_the_first_click_is_the_middle_of_a_disc():
    assert simulation.next_click(np.zeros((60, 60), bool), disc(60, 25, 33, 12)) == (25, 33, 1)


def test_the_border_of_the_image_counts_as_outside():
    left_half = np.zeros((21, 40), bool)
    left_half[:, :21] = True
    assert simulation.centre(left_half) == (10, 10)


def test_the_largest_error_is_corrected_first():
    target = disc(100, 30, 30, 12)
    mask = target & ~disc(100, 22, 30, 3) | disc(100, 70, 70, 8)
    assert simulation.next_click(mask, target) == (70, 70, 0)


def test_a_scaled_box_keeps_its_centre():
    assert simulation.scaled_box(np.array([10, 20, 30, 60], np.float32), 1.1).tolist() == [9, 18, 31, 62]
