import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from SAMUNetSlicerLib.training.data import prompt_simulation as simulation
from training.corpora import disc

MASKS = hnp.arrays(bool, (12, 15))


def _largest_error(mask, target):
    """The connected wrong areas (missed or superfluous) with the most pixels, as sets of (x, y)."""
    areas = []
    for wrong in (target & ~mask, mask & ~target):
        parts, count = ndimage.label(wrong, np.ones((3, 3)))
        areas += [set(zip(*np.nonzero(parts == i)[::-1])) for i in range(1, count + 1)]
    most = max(map(len, areas))
    return [area for area in areas if len(area) == most]


@given(MASKS, MASKS)
@settings(deadline=None, max_examples=60)
def test_the_next_click_lies_on_the_largest_error_and_says_what_belongs_there(mask, target):
    assume((mask != target).any())
    x, y, label = simulation.next_click(mask, target)
    assert any((x, y) in area for area in _largest_error(mask, target))
    assert label == int(target[y, x])


@given(MASKS, MASKS, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_a_careless_click_lies_on_the_largest_error_too(mask, target, seed):
    assume((mask != target).any())
    x, y, label = simulation.careless_click(mask, target, np.random.default_rng(seed))
    assert any((x, y) in area for area in _largest_error(mask, target))
    assert label == int(target[y, x])


@given(MASKS)
@settings(deadline=None, max_examples=20)
def test_a_perfect_mask_needs_no_click(mask):
    assert simulation.next_click(mask, mask) is None
    assert simulation.careless_click(mask, mask, np.random.default_rng(0)) is None


def test_half_of_the_careless_clicks_are_anywhere_in_the_error():
    target, rng = disc(60, 25, 33, 12), np.random.default_rng(0)
    clicks = [simulation.careless_click(np.zeros((60, 60), bool), target, rng) for _ in range(200)]
    centered = sum(click == (25, 33, 1) for click in clicks)
    assert 70 <= centered <= 130
    assert len(set(clicks)) > 50


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
    assert simulation.center(left_half) == (10, 10)


def test_the_largest_error_is_corrected_first():
    target = disc(100, 30, 30, 12)
    mask = target & ~disc(100, 22, 30, 3) | disc(100, 70, 70, 8)
    assert simulation.next_click(mask, target) == (70, 70, 0)


def test_a_scaled_box_keeps_its_center():
    assert simulation.scaled_box(np.array([10, 20, 30, 60], np.float32), 1.1).tolist() == [9, 18, 31, 62]


def test_some_careless_boxes_miss_a_part_and_some_are_much_too_large():
    target, rng = disc(100, 50, 50, 20), np.random.default_rng(0)
    boxes = [simulation.careless_box(target, rng) for _ in range(300)]
    held = [target[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))].sum() for x0, y0, x1, y1 in boxes]
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]
    assert 5 <= sum(part < 0.9 * target.sum() for part in held) <= 45
    assert 15 <= sum(area > 1.5 * 41**2 for area in areas) <= 60


def test_a_click_to_avoid_lies_beside_the_structure():
    target, rng = disc(100, 50, 50, 20), np.random.default_rng(0)
    for _ in range(50):
        x, y, label = simulation.avoiding_click(target, rng)
        assert label == 0
        assert 20 < np.hypot(x - 50, y - 50) < 50
    assert simulation.avoiding_click(np.ones((20, 20), bool), rng) is None


def test_a_neighboring_mask_resembles_the_structure_without_repeating_it():
    target = disc(100, 50, 50, 20) & ~disc(100, 50, 50, 12)
    masks = [simulation.neighboring_mask(target, np.random.default_rng(seed)) for seed in range(20)]
    overlaps = [2 * (mask & target).sum() / (mask.sum() + target.sum()) for mask in masks]
    assert 0.4 < np.mean(overlaps) < 0.95
    assert all(mask.any() for mask in masks)
    speck = np.zeros((100, 100), bool)
    speck[3, 4] = True
    assert all(simulation.neighboring_mask(speck, np.random.default_rng(s)).any() for s in range(20))
