import numpy as np
import pytest

from SAMUNetSlicerLib.training.data import (
    augmented,
    close_up_view,
    mask_on_canvas,
    on_canvas,
    smooth_field,
    synthetic_pair,
)
from training.corpora import disc_pair


@pytest.mark.parametrize("seed", range(12))
def test_labels_stay_on_the_structure_they_name(seed):
    image, labels = disc_pair()
    changed, moved = augmented(image, labels, np.random.default_rng(seed))
    assert changed.shape == (*moved.shape, 3)
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    gray = changed.mean(2)
    if 20 < (moved == 1).sum() < moved.size - 20:
        inside, outside = gray[moved == 1], gray[moved == 0]
        assert abs(inside.mean() - outside.mean()) > outside.std()


def test_the_same_random_numbers_give_the_same_view():
    views = [augmented(*disc_pair(), np.random.default_rng(5)) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(*views))


@pytest.mark.parametrize("seed", range(6))
def test_synthetic_structures_are_in_the_image_and_differ_by_seed(seed):
    image, labels = synthetic_pair(np.random.default_rng(seed), 96)
    other, _ = synthetic_pair(np.random.default_rng(seed + 1), 96)
    assert image.shape == (96, 96, 3)
    assert image.dtype == np.uint8
    assert labels.shape == (96, 96)
    assert labels.max() >= 1
    assert not np.array_equal(image, other)


def test_a_smooth_field_varies_between_0_and_1():
    field = smooth_field((30, 50), 4, np.random.default_rng(0))
    assert field.shape == (30, 50)
    assert 0 <= field.min() < field.max() <= 1


def test_an_image_lies_at_the_top_left_of_its_canvas_and_the_rest_is_zero():
    canvas = on_canvas(np.full((50, 100, 3), 255, np.float32), 64)
    assert canvas.shape == (3, 64, 64)
    assert (canvas[:, :32] > 2).all()
    assert (canvas[:, 32:] == 0).all()


def test_a_mask_on_the_canvas_keeps_its_covered_area():
    mask = np.zeros((50, 100), bool)
    mask[10:30, 20:60] = True
    canvas = mask_on_canvas(mask, 50)
    assert canvas.sum() == pytest.approx(mask.sum() / 4, rel=0.02)


def test_a_close_up_shows_one_structure_whole_and_enlarged():
    image, labels = disc_pair(side=300, x=150, y=140, radius=20)
    labels[labels == 2] = 0
    for seed in range(20):
        seen, moved = close_up_view(image, labels, np.random.default_rng(seed))
        assert (moved == 1).sum() == (labels == 1).sum()
        assert 1.5 * 41 <= max(seen.shape) <= 4 * 41 + 1
