"""The resize and the padding in front of the network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.engine.models import normalized_square, resize_longest_side, resized_shape

MEAN, STD = (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)


@given(st.integers(1, 2000), st.integers(1, 2000))
@settings(deadline=None, max_examples=100)
def test_the_longest_side_fills_the_square_and_no_side_vanishes(height, width):
    h, w = resized_shape(height, width, 256)
    assert max(h, w) == 256
    assert min(h, w) >= 1


@pytest.mark.parametrize(
    ("shape", "expected"), [((155, 225), (176, 256)), ((512, 512), (256, 256)), ((1, 999), (1, 256))]
)
def test_small_images_are_enlarged_and_thin_ones_survive(shape, expected):
    assert resize_longest_side(np.zeros(shape, np.uint8), 256).shape == expected


def test_gray_and_three_equal_channels_resize_to_the_same_values():
    gray = np.random.default_rng(0).integers(0, 256, (300, 211), np.uint8)
    color = resize_longest_side(np.repeat(gray[..., None], 3, axis=2), 256)
    assert np.array_equal(color, np.repeat(resize_longest_side(gray, 256)[..., None], 3, axis=2))


def test_a_view_that_is_not_contiguous_resizes_like_its_copy():
    gray = np.random.default_rng(1).integers(0, 256, (64, 90), np.uint8)
    assert np.array_equal(resize_longest_side(gray.T[::-1], 32), resize_longest_side(gray.T[::-1].copy(), 32))


def test_padding_follows_the_normalization():
    square = normalized_square(np.full((2, 3), 40, np.uint8), 4, MEAN, STD).numpy()
    assert np.array_equal(square[:, :2, :3], np.broadcast_to([[[15.0]], [[5.0]], [[2.0]]], (3, 2, 3)))
    assert not square[:, 2:].any() and not square[:, :, 3:].any()


def test_color_channels_keep_their_order():
    pixel = np.array([[[12, 24, 35]]], np.uint8)
    assert normalized_square(pixel, 1, MEAN, STD).flatten().tolist() == [1.0, 1.0, 1.0]
