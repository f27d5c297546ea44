"""Slices of thick-sliced volumes are stretched for the network, and its masks come back in place."""

import numpy as np
import pytest

from SAMUNetSlicerLib.app.engines import SquarePixels
from SAMUNetSlicerLib.engine.types import Prediction, Prompts


def square_of(shape, step_x=1.0, step_y=1.0):
    return SquarePixels(shape, (step_x, step_y))


def predicted(mask):
    logits = np.where(mask, 5.0, -5.0).astype(np.float32)
    return Prediction(mask, logits, logits[None], 1.0, np.zeros((0, 4)))


def disc(shape, step_x, step_y):
    """A disc of 12 mm radius around the middle of the grid."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot((x - shape[1] / 2 + 0.5) * step_x, (y - shape[0] / 2 + 0.5) * step_y) < 12


@pytest.mark.parametrize("step_y", [1.0, 1.2])
def test_nearly_square_pixels_are_left_alone(step_y):
    square = square_of((20, 30), 1.0, step_y)
    image, prompts = np.zeros((20, 30), np.uint8), Prompts(boxes=np.array([[1, 2, 3, 4]], np.float32))
    mask = np.zeros((20, 30), bool)
    assert square.image(image) is image
    assert square.prompts(prompts) is prompts
    assert square.prediction(predicted(mask), prompts).mask.shape == mask.shape


@pytest.mark.parametrize(("steps", "shape"), [((0.5, 4.0), (160, 100)), ((4.0, 0.5), (20, 800))])
def test_the_coarse_direction_is_stretched_to_the_fine_one(steps, shape):
    image = np.arange(2000, dtype=np.uint8).reshape(20, 100)
    assert square_of((20, 100), *steps).image(image).shape == shape


def test_color_is_kept():
    image = np.full((10, 40, 3), (10, 20, 30), np.uint8)
    stretched = square_of((10, 40), 1.0, 3.0).image(image)
    assert stretched.shape == (30, 40, 3)
    assert (stretched == (10, 20, 30)).all()


@pytest.mark.parametrize("steps", [(0.6, 5.0), (5.0, 0.6), (1.0, 2.0)])
def test_a_structure_lies_under_its_box_and_comes_back_in_place(steps):
    shape = (round(60 / steps[1]), round(60 / steps[0]))
    square, truth = square_of(shape, *steps), disc(shape, *steps)
    rows, columns = np.nonzero(truth)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    prompts = Prompts(boxes=box)

    stretched = square.image((truth * 255).astype(np.uint8)) > 127
    x0, y0, x1, y1 = square.prompts(prompts).boxes[0]
    rows, columns = np.nonzero(stretched)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.array(found) - [x0, y0, x1, y1]).max() <= 1 + 0.5 * max(steps) / min(steps)

    assert (square.prediction(predicted(stretched), prompts).mask == truth).all()


def test_a_point_stays_on_its_pixel():
    square = square_of((10, 40), 1.0, 3.0)
    points = np.array([[7, 4], [39, 9]], np.float32)
    moved = square.prompts(Prompts(points, np.array([1, 0]))).points
    assert moved.tolist() == [[7, 13], [39, 28]]  # the middle one of each row's three


@pytest.mark.parametrize("label", [1, 0])
def test_a_clicked_pixel_follows_the_click_where_the_network_does(label):
    square = square_of((10, 40), 1.0, 3.0)
    prompts = Prompts(np.array([[7, 4]], np.float32), np.array([label]))
    mask = np.full((30, 40), not label)
    mask[13, 7] = label  # one of the three rows that make up the clicked pixel
    result = square.prediction(predicted(mask), prompts).mask
    assert result[4, 7] == bool(label)
    assert (result != bool(label)).sum() == result.size - 1


def test_a_mask_to_start_from_is_stretched_too():
    square = square_of((10, 40), 1.0, 3.0)
    mask = np.zeros((10, 40), bool)
    mask[3:6, 10:20] = True
    stretched = square.prompts(Prompts(mask=mask)).mask
    assert stretched.shape == (30, 40)
    assert (stretched[9:18, 10:20]).all() and stretched.sum() == 9 * 10
