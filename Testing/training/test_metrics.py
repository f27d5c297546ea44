import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.engine.overlap import dice
from SAMUNetSlicerLib.training.measuring import iou, surface_dice
from training.corpora import disc

EMPTY = np.zeros((40, 40), bool)
MASKS = hnp.arrays(bool, (9, 11))


def square(x, y=10):
    mask = EMPTY.copy()
    mask[y : y + 10, x : x + 10] = True
    return mask


def test_half_overlapping_squares_have_dice_one_half_and_iou_one_third():
    assert dice(square(10), square(15)) == pytest.approx(0.5)
    assert iou(square(10), square(15)) == pytest.approx(1 / 3)


def test_two_empty_masks_agree_and_one_empty_mask_does_not():
    for score in (dice, iou, surface_dice):
        assert score(EMPTY, EMPTY) == 1
        assert score(EMPTY, square(10)) == pytest.approx(0, abs=1e-6)


def test_a_shift_within_the_tolerance_costs_no_surface_dice():
    assert surface_dice(square(10), square(12)) == 1
    assert surface_dice(square(10), square(13)) < 1


def test_a_far_structure_has_no_surface_in_common():
    assert surface_dice(disc(40, 8, 8, 5), disc(40, 30, 30, 5)) == 0


@given(MASKS, MASKS)
@settings(deadline=None, max_examples=60)
def test_scores_are_symmetric_and_between_0_and_1(first, second):
    for score in (dice, iou, surface_dice):
        assert 0 <= score(first, second) <= 1
        assert score(first, second) == score(second, first)
        assert score(first, first) == 1
