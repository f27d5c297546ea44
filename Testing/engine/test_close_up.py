"""What the network is shown of an image, and how its answer comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.engine.prompting import close_up
from SAMUNetSlicerLib.engine.types import Capabilities, Prediction, Prompts

ABLE = Capabilities(points=True, boxes=True, mask="logits", close_up=True)
SIZE = (512, 400)


def boxed(*box, **others):
    return Prompts(boxes=np.array([box], np.float32), **others)


def points(*rows):
    return np.array(rows, np.float32), np.ones(len(rows), np.int64)


def test_a_small_box_is_looked_at_from_near_with_surroundings():
    view = close_up(boxed(200, 300, 220, 312), SIZE, ABLE)
    (top, bottom), (left, right) = view.rows, view.columns
    assert top < 297 and bottom > 315 and left < 197 and right > 223
    assert bottom - top == right - left <= 60


@pytest.mark.parametrize(
    "prompts",
    [
        boxed(10, 10, 300, 60),
        Prompts(*points((200, 300))),
        boxed(200, 300, 220, 312, points=points((20, 20))[0], labels=points((20, 20))[1]),
        boxed(200, 300, 220, 312, mask=np.arange(512 * 400).reshape(SIZE) % 7 == 0),
    ],
    ids=["large box", "click alone", "click far away", "mask all over"],
)
def test_prompts_that_reach_far_are_seen_on_the_whole_image(prompts):
    assert close_up(prompts, SIZE, ABLE).is_whole


def test_a_network_that_does_not_gain_from_it_sees_the_whole_image():
    view = close_up(boxed(200, 300, 220, 312), SIZE, Capabilities(points=True, boxes=True))
    image = np.zeros(SIZE, np.uint8)
    assert view.is_whole and view.image(image).shape == SIZE


def test_neighboring_boxes_share_a_part_that_needs_encoding_once():
    views = {close_up(boxed(x, 300, x + 20, 312), SIZE, ABLE) for x in range(198, 203)}
    assert len(views) <= 2


@st.composite
def small_boxes(draw):
    height, width = draw(st.integers(40, 700)), draw(st.integers(40, 700))
    x, y = draw(st.floats(0, width - 6)), draw(st.floats(0, height - 6))
    w, h = draw(st.floats(2, 5)), draw(st.floats(2, 5))
    return (height, width), (x, y, x + w, y + h)


@settings(deadline=None, max_examples=200)
@given(small_boxes())
def test_the_part_lies_in_the_image_and_holds_the_box(case):
    size, box = case
    prompts = boxed(*box)
    view = close_up(prompts, size, ABLE)
    (top, bottom), (left, right) = view.rows, view.columns
    assert 0 <= top < bottom <= size[0] and 0 <= left < right <= size[1]
    x0, y0, x1, y1 = view.prompts(prompts).boxes[0]
    assert x0 >= 0 and y0 >= 0 and x1 <= right - left and y1 <= bottom - top


def test_prompts_and_answer_travel_to_the_part_and_back():
    rng = np.random.default_rng(0)
    image, drawn = rng.integers(0, 255, SIZE, np.uint8), np.zeros(SIZE, bool)
    drawn[302:310, 205:215] = True
    given = boxed(200, 300, 220, 312, points=points((207, 305))[0], labels=points((207, 305))[1], mask=drawn)
    view = close_up(given, SIZE, ABLE)
    seen, asked = view.image(image), view.prompts(given)
    column, row = asked.points[0].astype(int)
    assert seen[row, column] == image[305, 207]
    assert np.count_nonzero(asked.mask) == 80
    logits = np.where(asked.mask, 3, -3).astype(np.float32)
    low_res = np.zeros((1, 4, 4), np.float32)
    answer = view.prediction(Prediction(asked.mask, logits, low_res, 0.9, asked.boxes, ("A note.",)))
    np.testing.assert_array_equal(answer.mask, drawn)
    np.testing.assert_array_equal(answer.logits > 0, drawn)
    np.testing.assert_array_equal(answer.boxes, given.boxes)
    assert (answer.confidence, answer.notes) == (0.9, ("A note.",))


def test_a_box_that_reaches_beyond_the_image_is_looked_at_as_far_as_it_goes():
    clipped, beyond = boxed(0, 300, 20, 312), boxed(-90, 300, 20, 312)
    assert not close_up(clipped, SIZE, ABLE).is_whole
    assert close_up(beyond, SIZE, ABLE) == close_up(clipped, SIZE, ABLE)
