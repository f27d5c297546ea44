"""Pictures for people show the mask and the prompts where they are, in true proportions."""

import numpy as np
import pytest

from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.views import orientationLetters, renderOverlay
from scene.segmentation_scene import add_volume

RED = (255, 0, 0)


def gray(height=60, width=80, value=100):
    return np.full((height, width), value, np.uint8)


def disc(height=60, width=80, x=30, y=20, radius=12):
    rows, columns = np.indices((height, width))
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def colored(picture, color):
    """(n, 2) x, y of picture pixels near a color."""
    return np.argwhere(np.abs(picture.astype(int) - color).max(axis=2) < 40)[:, ::-1]


@pytest.mark.parametrize(("size", "expected"), [(768, (576, 768)), (512, (384, 512))])
def test_a_small_slice_is_enlarged_to_a_readable_size(size, expected):
    assert renderOverlay(gray(), size=size).shape == (*expected, 3)


def test_a_large_slice_keeps_every_pixel():
    assert renderOverlay(gray(900, 1200)).shape == (900, 1200, 3)


def test_unequal_spacing_gives_true_proportions():
    assert renderOverlay(gray(40, 80), spacing=(1.0, 2.0)).shape == (768, 768, 3)


def test_a_slice_of_a_few_rows_gets_room_for_its_letters():
    height, width, _ = renderOverlay(gray(1, 80), letters={"left": "R", "top": "S"}, spacing=(1, 1)).shape
    assert width == 768 and height >= 150


def test_the_mask_is_colored_where_it_is_and_nowhere_else():
    image, mask = gray(), disc()
    plain, picture = renderOverlay(image), renderOverlay(image, mask, color=RED)
    changed = np.argwhere((plain != picture).any(axis=2))[:, ::-1] / 9.6 - 0.5
    distance = np.hypot(*(changed - (30, 20)).T)
    assert distance.max() < 12 + 1.2
    assert len(changed) == pytest.approx(np.pi * 12.5**2 * 9.6**2, rel=0.1)
    outline = np.hypot(*(colored(picture, RED) / 9.6 - 0.5 - (30, 20)).T)
    assert outline.min() > 10.5 and outline.max() < 13.5
    assert picture[int(20.5 * 9.6), int(30.5 * 9.6)].tolist() == pytest.approx([131, 80, 80], abs=2)


def test_a_single_pixel_and_a_one_pixel_line_stay_visible():
    mask = np.zeros((60, 80), bool)
    mask[10, 10] = mask[30, 20:60] = True
    x, y = (colored(renderOverlay(gray(), mask, color=RED), RED) / 9.6 - 0.5).T
    assert (np.hypot(x - 10, y - 10) < 1.5).any()
    assert ((np.abs(y - 30) < 1) & (x > 25) & (x < 55)).sum() > 200


def test_the_reference_is_a_white_outline_below_the_mask():
    both = renderOverlay(gray(), disc(), reference=disc(radius=20), color=RED)
    same = renderOverlay(gray(), disc(), reference=disc(), color=RED)
    white = np.hypot(*(colored(both, (245, 245, 245)) / 9.6 - 0.5 - (30, 20)).T)
    assert len(white) and white.min() > 18 and white.max() < 22
    assert len(colored(same, (245, 245, 245))) == 0


@pytest.mark.parametrize(("label", "color"), [(1, (46, 204, 113)), (0, (231, 76, 60))])
def test_points_are_marked_at_their_pixel_in_the_color_of_their_label(label, color):
    found = colored(renderOverlay(gray(), points=[(50, 40)], labels=[label]), color) / 9.6 - 0.5
    assert len(found) > 50
    np.testing.assert_allclose((found.max(axis=0) + found.min(axis=0)) / 2, (50, 40), atol=0.1)


def test_a_box_is_drawn_along_the_borders_of_its_pixels():
    found = (colored(renderOverlay(gray(), boxes=[(10, 20, 30, 50)]), (255, 214, 64)) + 0.5) / 9.6
    np.testing.assert_allclose(found.min(axis=0), (10, 20), atol=0.2)
    np.testing.assert_allclose(found.max(axis=0), (30, 50), atol=0.2)


@pytest.mark.parametrize(("spacing", "mm"), [(2.0, 50), (0.2, None), (0.5, 10)])
def test_the_scale_bar_has_the_length_it_states(spacing, mm):
    plain = renderOverlay(gray())
    picture = renderOverlay(gray(), spacing=(spacing, spacing))
    drawn = np.argwhere((plain != picture).any(axis=2))[:, ::-1]
    mm = mm or 1
    bar = drawn[drawn[:, 1] > picture.shape[0] - 24]
    length = (bar[:, 0].max() - bar[:, 0].min()) / 9.6 * spacing
    assert length == pytest.approx(mm, abs=6 / 9.6 * spacing)


def test_without_a_spacing_there_is_no_scale_bar():
    np.testing.assert_array_equal(renderOverlay(gray()), np.full((576, 768, 3), 100))


def test_a_caption_is_a_strip_below_the_picture_however_long_it_is():
    plain = renderOverlay(gray())
    for caption in ("Liver · axial · Dice 0.94", "word " * 30):
        picture = renderOverlay(gray(), caption=caption)
        np.testing.assert_array_equal(picture[:576], plain)
        strip = picture[576:]
        assert strip.shape[0] >= 30 and strip.max() > 150
        assert strip[:, -8:].max() < 40


def test_color_slices_keep_their_color_and_inputs_are_not_changed():
    image = np.zeros((60, 80, 3), np.uint8)
    image[..., 2] = 200
    mask = disc()
    picture = renderOverlay(image, mask, color=RED)
    assert picture[-1, -1].tolist() == [0, 0, 200]
    assert (image[..., :2] == 0).all() and (image[..., 2] == 200).all() and (mask == disc()).all()


def test_an_empty_mask_changes_nothing():
    np.testing.assert_array_equal(renderOverlay(gray(), np.zeros((60, 80), bool)), renderOverlay(gray()))


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        ("axial", {"left": "R", "right": "L", "top": "A", "bottom": "P"}),
        ("coronal", {"left": "R", "right": "L", "top": "S", "bottom": "I"}),
        ("sagittal", {"left": "A", "right": "P", "top": "S", "bottom": "I"}),
    ],
)
def test_the_borders_are_named_after_the_patient(scene, orientation, letters):
    volume = add_volume(scene)
    assert orientationLetters(planeFromAxis(volume, orientation).planeToRAS) == letters


def test_a_slanted_border_has_two_letters_the_nearer_direction_first(scene):
    plane = planeFromNormal(add_volume(scene), (9, 9, 20), (0, -0.5, 0.866))
    assert orientationLetters(plane.planeToRAS) == {"left": "R", "right": "L", "top": "AS", "bottom": "PI"}
