"""Images, coordinates and logits between a picture and the square input: nothing shifts, nothing is lost."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.phantom import ellipse
from SAMUNetSlicerLib.engine.models import InputFormat, network_input, to_image_logits, to_input_pixels

LITEMEDSAM = InputFormat(256, "pad", "area", "unit")
MEDSAM = InputFormat(1024, "squash", "bicubic", "unit", "probabilities")
SAM = InputFormat(1024, "pad", "bilinear", "imagenet")
SAM_MED2D = InputFormat(256, "squash", "nearest", "imagenet")
FORMATS = [LITEMEDSAM, MEDSAM, SAM, SAM_MED2D]
SIDES = st.integers(40, 700)


def center_of(values):
    """(x, y) center of mass in pixels, integers at pixel centers."""
    y, x = np.indices(values.shape)
    return np.array([(x * values).sum(), (y * values).sum()]) / values.sum()


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, max_examples=12)
@given(height=SIDES, width=SIDES, place=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)))
def test_an_object_lies_in_the_input_where_its_coordinates_are_mapped(form, height, width, place):
    center = np.array([place[0] * width, place[1] * height])
    radii = np.array([width, height]) * 0.15
    image = 255 * ellipse(height, width, center, radii).astype(np.uint8)
    square, shape = network_input(image, form)
    brightness = square[0, : shape[0], : shape[1]].numpy()
    brightness = brightness - brightness.min()
    expected = to_input_pixels(center_of(image), image.shape, shape)
    # SAM scales coordinates without regard to pixel centers: half a pixel of either picture at most.
    half_pixel = np.maximum(0.5, 0.5 * np.array([shape[1] / width, shape[0] / height])) + 0.3
    assert (np.abs(center_of(brightness) - expected) <= half_pixel).all()


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, max_examples=12)
@given(height=SIDES, width=SIDES, place=st.tuples(st.floats(0.35, 0.65), st.floats(0.35, 0.65)))
def test_logits_return_to_the_place_in_the_image_they_belong_to(form, height, width, place):
    side = form.size // 4 if form is not LITEMEDSAM else form.size
    _, shape = network_input(np.zeros((height, width), np.uint8), form)
    used = np.array([shape[1], shape[0]]) * side / form.size
    center, radii = np.array(place) * used - 0.5, 0.2 * used
    y, x = np.mgrid[:side, :side]
    low_res = 8 * (1 - ((x - center[0]) / radii[0]) ** 2 - ((y - center[1]) / radii[1]) ** 2)
    logits = to_image_logits(torch.tensor(low_res, dtype=torch.float32)[None], (height, width), shape, form)
    assert logits.shape == (1, height, width)
    expected = np.array(place) * (width, height) - 0.5
    # Rounding of the resized side moves the frame by up to half a pixel of the input.
    tolerance = 0.75 + 0.5 * np.array([width, height]) / (shape[1], shape[0])
    assert (np.abs(center_of(logits[0].numpy() > 0) - expected) <= tolerance).all()


def test_the_frame_keeps_the_aspect_ratio_or_fills_the_square():
    image = np.zeros((300, 600), np.uint8)
    assert network_input(image, LITEMEDSAM)[1] == (128, 256)
    assert network_input(image, SAM)[1] == (512, 1024)
    assert network_input(image, MEDSAM)[1] == (1024, 1024)
    assert network_input(image, SAM_MED2D)[1] == (256, 256)


def test_padding_is_zero_after_normalization():
    square, (height, width) = network_input(np.full((100, 50), 200, np.uint8), SAM)
    assert (height, width) == (1024, 512)
    assert (square[:, :, 512:] == 0).all()
    assert torch.allclose(square[:, 0, 0], torch.tensor([76.325 / 58.395, 83.72 / 57.12, 96.47 / 57.375]))


def test_the_unit_range_is_that_of_the_resized_image_over_all_channels():
    image = np.zeros((256, 256, 3), np.uint8)
    image[..., 0], image[:10, :, 1], image[:, :, 2] = 50, 150, 100
    square, _ = network_input(image, LITEMEDSAM)
    assert square.min() == 0
    assert square.max() == 1
    assert torch.allclose(square[:, -1, 0], torch.tensor([50 / 150, 0, 100 / 150]))


@pytest.mark.parametrize("form", FORMATS)
def test_a_gray_image_equals_its_three_equal_channels(form):
    gray = (np.arange(90 * 61).reshape(90, 61) % 251).astype(np.uint8)
    color = np.repeat(gray[..., None], 3, axis=2)
    assert torch.equal(network_input(gray, form)[0], network_input(color, form)[0])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (700, 2), (5, 5, 3)])
def test_tiny_and_constant_images_give_finite_inputs(form, shape):
    square, _ = network_input(np.full(shape, 7, np.uint8), form)
    assert square.shape == (3, form.size, form.size)
    assert torch.isfinite(square).all()


def test_area_is_the_mean_of_the_covered_pixels():
    image = np.random.default_rng(0).integers(0, 256, (512, 1024), np.uint8)
    square, _ = network_input(image, LITEMEDSAM)
    means = image.reshape(128, 4, 256, 4).mean((1, 3))
    rounded = np.floor(means + 0.5)
    expected = (rounded - rounded.min()) / (rounded.max() - rounded.min())
    np.testing.assert_allclose(square[0, :128].numpy(), expected, atol=1e-6)


def test_area_shares_a_pixel_that_two_new_pixels_cover():
    image = np.tile(np.array([0, 90, 255], np.uint8), (384, 128))
    square, _ = network_input(image, LITEMEDSAM)
    # 1.5 old pixels each: (0 + 90 / 2) / 1.5 and (90 / 2 + 255) / 1.5.
    np.testing.assert_allclose(square[0, 0, :2].numpy(), [0, 1])
    assert square[0, 0, 2] == 0


def test_nearest_takes_the_pixel_at_the_top_left_corner_as_opencv_does():
    image = np.arange(256, dtype=np.uint8).repeat(2)[None].repeat(512, 0)
    image[:, 1::2] = 0
    square, _ = network_input(image, SAM_MED2D)
    gray = square[0, 0] * 58.395 + 123.675
    np.testing.assert_allclose(gray.numpy(), np.arange(256), atol=1e-3)


def test_bicubic_is_pillows():
    image = (np.arange(64 * 64).reshape(64, 64) % 256).astype(np.uint8)
    square, _ = network_input(image, MEDSAM)
    large = np.asarray(Image.fromarray(image).resize((1024, 1024), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(square[1].numpy(), large / 255, atol=1e-6)


def test_probabilities_and_logits_agree_where_nothing_is_interpolated():
    low_res = torch.linspace(-12, 12, 256 * 256).view(1, 256, 256)
    as_logits = to_image_logits(low_res, (256, 256), (256, 256), LITEMEDSAM)
    as_probabilities = to_image_logits(low_res, (256, 256), (1024, 1024), MEDSAM)
    assert torch.allclose(as_logits, low_res)
    assert torch.allclose(as_probabilities, low_res, atol=0.05)
    assert torch.isfinite(to_image_logits(100 * low_res, (9, 9), (1024, 1024), MEDSAM)).all()


@settings(deadline=None, max_examples=30)
@given(
    sizes=st.tuples(SIDES, SIDES, SIDES, SIDES),
    box=st.tuples(st.floats(0, 30), st.floats(0, 30), st.floats(1, 9), st.floats(1, 9)),
)
def test_boxes_are_mapped_as_their_corners(sizes, box):
    original, framed = sizes[:2], sizes[2:]
    corners = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])
    mapped = to_input_pixels(corners[None], original, framed)
    assert mapped.dtype == np.float32
    np.testing.assert_allclose(mapped.reshape(2, 2), to_input_pixels(corners.reshape(2, 2), original, framed))
