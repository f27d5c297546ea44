"""The preview of a click: asked for rarely, shown as an outline, never written."""

import numpy as np
import pytest
import vtk

from fakes.fakeEngine import fake_mask
from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.app.session import HoverPreview, Place
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.scene.views import ViewOutline, maskLoops


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outline(host, desk):
    view = addSliceNode(host, "Red", "Axial", (300, 300))
    view.show(desk.volume)
    outline = ViewOutline(vtk.vtkRenderer(), view.node, lambda: None)
    yield outline
    outline.close()


@pytest.fixture
def preview(desk, clock):
    preview = HoverPreview(desk.session, clock)
    preview.isEnabled = True
    desk.session.prefetch(most=1)
    desk.session.poll()
    desk.session.poll()
    yield preview
    preview.close()


@pytest.fixture
def at(desk, outline):
    def place(x, y, is_positive=True, plane=None):
        plane = plane or desk.session.plane
        return Place(plane, tuple(plane.pixelToRAS([[x, y]])[0]), is_positive, outline)

    return place


def poll(desk, clock, times=2):
    for _ in range(times):
        clock.now += 0.1
        desk.session.poll()


def area(loops, plane):
    """Pixels inside closed lines, by the shoelace formula."""
    total = 0.0
    for loop in loops:
        x, y = plane.rasToPixel(loop)[0].T
        total += abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return total


def test_what_a_click_would_do_is_outlined_and_nothing_is_written(desk, preview, outline, at, clock):
    desk.click(12, 20)
    before, steps = desk.voxels(), desk.session.undoLabel
    preview.hover(at(30, 22))
    poll(desk, clock)
    assert outline.isShown
    np.testing.assert_array_equal(desk.voxels(), before)
    assert len(desk.session.prompts()) == 1 and desk.session.undoLabel == steps


def test_the_question_holds_the_prompts_that_are_there_and_the_mouse(desk, preview, at, clock):
    desk.click(12, 20)
    desk.engine.is_automatic = False
    preview.hover(at(30, 22, False))
    poll(desk, clock)
    (job,) = desk.engine.waiting("predict")
    prompts = job.arguments["prompts"]
    np.testing.assert_allclose(prompts.points, [[12, 20], [30, 22]], atol=1e-3)
    assert prompts.labels.tolist() == [1, 0]


def test_without_a_segment_the_mouse_alone_is_asked_about(desk, preview, outline, at, clock):
    preview.hover(at(30, 22))
    poll(desk, clock)
    assert outline.isShown and desk.session.segmentationNode is None


def test_a_slice_that_is_not_encoded_waits_until_it_is(desk, preview, outline, at, clock):
    plane = desk.plane(8)
    preview.hover(at(30, 22, plane=plane))
    poll(desk, clock)
    assert not outline.isShown
    desk.session.prefetch(plane, most=1)
    poll(desk, clock, 5)
    assert outline.isShown


def test_questions_are_asked_one_at_a_time_and_the_last_place_counts(desk, preview, at, clock):
    desk.engine.is_automatic = False
    for x in range(10, 30):
        preview.hover(at(x, 22))
        poll(desk, clock, 1)
    assert len(desk.engine.waiting("predict")) == 1
    desk.engine.answer("predict")
    poll(desk, clock)
    (job,) = desk.engine.waiting("predict")
    assert job.arguments["prompts"].points[0, 0] == pytest.approx(29, abs=1e-3)


def test_a_fast_mouse_does_not_flood_the_engine(desk, preview, at, clock):
    desk.engine.is_automatic = False
    asked = 0
    for step in range(100):
        clock.now += 0.01
        preview.hover(at(5 + step % 40, 22))
        desk.session.poll()
        for _ in desk.engine.waiting("predict"):
            asked += 1
            desk.engine.answer("predict")
    assert 5 <= asked <= 13


def test_leaving_takes_the_outline_away_and_drops_a_late_answer(desk, preview, outline, at, clock):
    preview.hover(at(30, 22))
    poll(desk, clock)
    assert outline.isShown
    preview.hover(None)
    assert not outline.isShown
    desk.engine.is_automatic = False
    preview.hover(at(30, 22))
    poll(desk, clock)
    preview.hover(None)
    assert desk.engine.waiting("predict") == [] and desk.engine.pendingCount == 0
    poll(desk, clock)
    assert not outline.isShown


def test_a_mask_that_is_being_predicted_comes_first(desk, preview, at, clock):
    desk.click(12, 20)
    desk.engine.is_automatic = False
    desk.session.addPoint((30, 22))
    preview.hover(at(35, 30))
    poll(desk, clock)
    assert len(desk.engine.waiting("predict")) == 1


def test_it_is_off_on_the_cpu_unless_asked_for(desk, preview, outline, at, clock):
    preview.isEnabled = None
    assert not preview.isActive
    preview.hover(at(30, 22))
    poll(desk, clock)
    assert not outline.isShown


def test_the_outline_runs_around_the_pixels_of_the_mask(desk):
    plane = desk.plane(20, "J")
    mask = fake_mask(plane.shape, Prompts(np.array([[30, 4]], np.float32), np.array([1])))
    mask[0, :5] = True
    loops = maskLoops(mask, plane)
    assert len(loops) == 2
    assert abs(area(loops, plane) - mask.sum()) < 0.3 * mask.sum()
    _, distances = plane.rasToPixel(np.concatenate(loops))
    assert np.abs(distances).max() < 1e-6
    assert maskLoops(np.zeros(plane.shape, bool), plane) == []


def test_the_outline_of_a_ring_has_two_lines(desk):
    plane = desk.plane(4)
    mask = np.zeros(plane.shape, bool)
    mask[5:20, 5:20] = True
    mask[9:15, 9:15] = False
    assert len(maskLoops(mask, plane)) == 2
