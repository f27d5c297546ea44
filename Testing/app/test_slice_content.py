import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.app.session import PixelOrigins, componentsTouchedBy, decodeMask, encodeMask
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import InputError

_MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))


def _mask(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def _points(*points):
    """(x, y, label) each."""
    table = np.array(points, np.float32).reshape(-1, 3)
    return Prompts(table[:, :2], table[:, 2].astype(np.int64))


def test_a_slice_as_we_left_it_holds_no_edits():
    content = PixelOrigins.untouched((1, 3))
    assert content.withEdits(_mask("..."), _points((0, 0, 1))) is content
    np.testing.assert_array_equal(content.merged(_mask("##.")), _mask("##."))


def test_painted_pixels_stay_and_erased_ones_stay_away():
    content = PixelOrigins(_mask("##.."), _mask("...."), _mask("...."))
    edited = content.withEdits(_mask(".#.#"), _points())
    np.testing.assert_array_equal(edited.merged(_mask("###.")), _mask(".###"))


def test_erasing_what_was_painted_before_forgets_the_painting():
    painted = PixelOrigins.untouched((1, 4)).withEdits(_mask("##.."), _points())
    erased = painted.withEdits(_mask("#..."), _points())
    np.testing.assert_array_equal(erased.added, _mask("#..."))
    np.testing.assert_array_equal(erased.removed, _mask(".#.."))
    np.testing.assert_array_equal(erased.withEdits(_mask("##.."), _points()).removed, _mask("...."))


def test_the_network_starts_from_the_edited_part_that_the_prompts_are_about():
    current = _mask("##..#", "#...#")
    content = PixelOrigins.untouched((2, 5))
    np.testing.assert_array_equal(
        content.withEdits(current, _points((1, 0, 1))).start, _mask("##...", "#....")
    )
    assert content.withEdits(current, _points((2, 1, 1))).start is None
    boxed = Prompts(boxes=np.array([[3, 1, 5, 2]], np.float32))
    np.testing.assert_array_equal(content.withEdits(current, boxed).start, _mask("....#", "....#"))


def test_a_click_that_contradicts_an_edit_gives_only_that_part_back_to_the_network():
    content = PixelOrigins(_mask("....."), added=_mask("##.##"), removed=_mask("....."))
    released = content.withPrompts(_points((4, 0, 0), (0, 0, 1)))
    np.testing.assert_array_equal(released.added, _mask("##..."))
    content = PixelOrigins(_mask("....."), added=_mask("....."), removed=_mask("##.##"))
    np.testing.assert_array_equal(content.withPrompts(_points((0, 0, 1), (4, 0, 0))).removed, _mask("...##"))


def test_prompts_outside_the_image_touch_nothing():
    mask = _mask("##", "##")
    assert not componentsTouchedBy(mask, _points((-1, 0, 1), (2, 0, 1), (0, 7, 1))).any()
    assert not componentsTouchedBy(mask, Prompts(boxes=np.array([[-4, -4, 0, 0]], np.float32))).any()


def test_a_part_that_winds_is_found_whole_and_its_diagonal_neighbor_is_not():
    spiral = _mask("#####", "....#", "###.#", "#...#", "#####")
    touched = componentsTouchedBy(spiral, _points((2, 2, 1)))
    np.testing.assert_array_equal(touched, spiral)
    assert not componentsTouchedBy(_mask("#.", ".#"), _points((0, 0, 1)))[1, 1]


@settings(deadline=None, max_examples=80)
@given(_MASKS, st.data())
def test_touched_parts_are_closed_under_neighborhood(mask, data):
    row, column = (data.draw(st.integers(0, side - 1)) for side in mask.shape)
    touched = componentsTouchedBy(mask, _points((column, row, 1)))
    assert touched[row, column] == mask[row, column]
    assert not (touched & ~mask).any()
    for shifted, kept in (
        (touched[1:], mask[:-1] & ~touched[:-1]),
        (touched[:, 1:], mask[:, :-1] & ~touched[:, :-1]),
    ):
        assert not (shifted & kept).any()


@settings(deadline=None, max_examples=80)
@given(_MASKS)
def test_a_mask_survives_being_a_text(mask):
    np.testing.assert_array_equal(decodeMask(encodeMask(mask), mask.shape), mask)


@pytest.mark.parametrize(
    "text", ["%%%", "AAAA", encodeMask(np.ones((4, 9), bool)), encodeMask(np.ones((900, 900), bool))]
)
def test_a_text_that_is_no_mask_of_this_shape_is_refused(text):
    with pytest.raises(InputError, match="stored mask"):
        decodeMask(text, (3, 3))
