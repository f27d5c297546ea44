"""Undo and redo: prompts, mask and provenance together; what the user painted is never lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.desk import Desk
from fakes.fakeEngine import fake_mask
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import TAG
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.scene.segments import segmentTag


def blob(desk, *centers):
    points = np.array(centers, np.float32).reshape(-1, 2)
    return fake_mask(desk.session.plane.shape, Prompts(points, np.ones(len(points), np.int64)))


def rectangle(desk, rows, columns):
    mask = np.zeros(desk.session.plane.shape, bool)
    mask[rows, columns] = True
    return mask


def state(desk):
    """Everything that undo is about, in a form that can be compared."""
    session = desk.session
    store, provenance = session.workspace.prompts, session.workspace.provenance.of(session.segmentId)
    prompts = [(r.id, r.kind, np.round(r.ras, 6).tolist()) for r in store.prompts(session.segmentId)]
    records = [(r.plane["index"], r.prompts, r.written, r.added, r.removed) for r in provenance.records()]
    return prompts, desk.voxels().tobytes(), records


def test_many_steps_go_back_and_forth_exactly(desk):
    desk.session.addSegment("A")
    states = [state(desk)]
    desk.click(12, 20)
    states.append(state(desk))
    prompt = desk.click(30, 22)
    states.append(state(desk))
    desk.session.addBox((5.5, 5.5), (15.5, 30.5), plane=desk.plane(7))
    desk.session.waitUntilIdle()
    states.append(state(desk))
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    states.append(state(desk))

    for expected in reversed(states[:-1]):
        assert desk.session.undo()
        assert state(desk) == expected
    assert not desk.session.undo() and desk.session.undoLabel is None
    for expected in states[1:]:
        assert desk.session.redo()
        assert state(desk) == expected
    assert not desk.session.redo() and desk.session.redoLabel is None


ACTIONS = ["point", "negative", "box", "move", "remove", "undo", "redo", "accept"]


@settings(deadline=None, max_examples=12)
@given(st.lists(st.sampled_from(ACTIONS), max_size=10))
def test_undoing_everything_leads_to_the_beginning_and_redoing_it_to_the_end(actions):
    with startScene() as host:
        desk = Desk(host.scene)
        desk.session.addSegment("A")
        beginning = state(desk)
        for number, action in enumerate(actions):
            perform(desk, action, number)
        end = state(desk)
        count = 0
        while desk.session.undo():
            count += 1
        assert state(desk) == beginning
        for _ in range(count):
            assert desk.session.redo()
        assert state(desk)[:2] == end[:2]
        desk.session.close()


def perform(desk, action, number):
    session, x = desk.session, 6 + 4 * number
    prompts = session.prompts()
    if action in ("undo", "redo", "accept"):
        getattr(session, action)()
    elif action == "box":
        session.addBox((x - 3.5, 10.5), (x + 5.5, 25.5))
    elif action in ("move", "remove") and prompts:
        if action == "remove":
            session.removePrompt(prompts[-1].id)
        elif prompts[-1].kind != "box":
            session.movePrompt(prompts[-1].id, session.plane.pixelToRAS([[x, 30]])[0])
    else:
        session.addPoint((x, 15), action != "negative")
    session.waitUntilIdle()


def test_a_drag_is_one_step(desk, monkeypatch):
    # Whether the user pauses is a matter of the clock, which a busy computer must not decide here.
    monkeypatch.setattr("SAMUNetSlicerLib.app.session.undoSteps._DRAG_ENDS_AFTER", float("inf"))
    prompt = desk.click(12, 20)
    for x in range(13, 31):
        desk.session.movePrompt(prompt, desk.session.plane.pixelToRAS([[x, 20]])[0])
        desk.session.poll()
    np.testing.assert_array_equal(desk.mask(), blob(desk, (30, 20)))
    assert desk.session.undoLabel == "move positive point"
    desk.session.undo()
    np.testing.assert_array_equal(desk.mask(), blob(desk, (12, 20)))
    assert desk.session.undoLabel == "positive point"
    desk.session.redo()
    np.testing.assert_array_equal(desk.mask(), blob(desk, (30, 20)))


def test_a_click_after_a_drag_is_a_step_of_its_own(desk):
    prompt = desk.click(12, 20)
    desk.session.movePrompt(prompt, desk.session.plane.pixelToRAS([[14, 20]])[0])
    desk.session.poll()
    desk.click(30, 20)
    desk.session.undo()
    np.testing.assert_array_equal(desk.mask(), blob(desk, (14, 20)))


def test_what_was_painted_by_hand_survives_the_next_click(desk):
    desk.click(12, 20)
    desk.paint(rows=slice(30, 36), columns=slice(30, 40))
    desk.paint(value=False, rows=slice(18, 23), columns=slice(12, 14))
    desk.click(25, 10)
    painted = rectangle(desk, slice(30, 36), slice(30, 40))
    erased = rectangle(desk, slice(18, 23), slice(12, 14))
    np.testing.assert_array_equal(desk.mask(), (blob(desk, (12, 20), (25, 10)) | painted) & ~erased)
    for _ in range(3):
        desk.session.undo()
    np.testing.assert_array_equal(desk.mask(), painted)


def test_what_was_painted_before_the_first_click_is_not_replaced(desk):
    desk.session.addSegment("A")
    desk.paint(rows=slice(30, 36), columns=slice(30, 40))
    desk.click(12, 20)
    painted = rectangle(desk, slice(30, 36), slice(30, 40))
    np.testing.assert_array_equal(desk.mask(), blob(desk, (12, 20)) | painted)
    desk.session.clear()
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), painted)


def test_the_edited_mask_is_what_the_network_starts_from_if_the_click_is_about_it(desk):
    desk.click(12, 20)
    desk.paint(rows=slice(18, 23), columns=slice(10, 30))
    desk.engine.is_automatic = False
    desk.session.addPoint((28, 20))
    start = desk.engine.waiting("predict")[0].arguments["prompts"].mask
    np.testing.assert_array_equal(start, desk.mask())


def test_a_negative_click_on_painted_pixels_gives_them_back_to_the_network(desk):
    desk.click(12, 20)
    desk.paint(rows=slice(30, 33), columns=slice(30, 33))
    desk.click(31, 31, is_positive=False)
    np.testing.assert_array_equal(desk.mask(), blob(desk, (12, 20)))


def test_painting_on_another_plane_that_crosses_the_slice_survives_too(desk):
    desk.click(12, 20)
    desk.click(20, 5, plane=desk.plane(25, "I"))
    crossing = desk.mask()
    assert crossing.sum() > blob(desk, (12, 20)).sum()
    desk.click(14, 20)
    np.testing.assert_array_equal(desk.mask(), crossing | blob(desk, (14, 20)))


def test_an_accepted_object_stays_when_the_next_one_is_segmented(desk):
    desk.click(12, 20)
    desk.session.accept()
    assert desk.session.prompts() == []
    prompt = desk.click(35, 20)
    np.testing.assert_array_equal(desk.mask(), blob(desk, (12, 20), (35, 20)))
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), blob(desk, (12, 20)))
    provenance = desk.session.workspace.provenance.of(desk.session.segmentId)
    assert [len(record.prompts) for record in provenance.records()] == [1, 0]


def test_accepting_can_be_undone(desk):
    desk.click(12, 20)
    before = state(desk)
    desk.session.accept()
    assert desk.session.undoLabel == "accept"
    desk.session.undo()
    assert state(desk) == before


def test_clicks_on_two_slices_whose_masks_come_late_are_one_step(desk):
    desk.session.addSegment("A")
    desk.engine.is_automatic = False
    desk.session.addPoint((12, 20))
    desk.session.addPoint((30, 20), plane=desk.plane(7))
    desk.engine.answer()
    desk.engine.answer()
    after = state(desk)
    assert desk.session.undo()
    assert not desk.voxels().any() and desk.engine.jobs == []
    assert desk.session.undoLabel is None
    assert desk.session.redo()
    assert state(desk) == after and desk.engine.jobs == []


def test_undo_of_one_segment_keeps_what_the_other_one_got_since(desk):
    desk.click(12, 20)
    first = desk.session.segmentId
    desk.session.nextSegment("B")
    desk.click(14, 20)
    second = desk.session.segmentId
    desk.session.undo()
    assert not desk.mask(segment=second).any()
    np.testing.assert_array_equal(desk.mask(segment=first), blob(desk, (12, 20)))


def test_steps_are_bounded_by_what_a_segment_tag_may_hold(desk):
    """A slice costs about a kilobyte of provenance, whatever happens to it."""
    desk.click(12, 20)
    for x in range(13, 33):
        desk.click(x, 20)
    text = segmentTag(desk.session.segmentationNode, desk.session.segmentId, TAG)
    assert text.count('"planeToRAS"') == 1
    assert len(text) < 20_000


@pytest.mark.parametrize("axis", ["I", "J", "K"])
def test_undo_works_on_every_orientation(desk, axis):
    desk.session.setPlane(desk.plane(5, axis))
    desk.session.addSegment("A")
    desk.click(7, 5)
    assert desk.mask().any()
    desk.session.undo()
    assert not desk.voxels().any()
