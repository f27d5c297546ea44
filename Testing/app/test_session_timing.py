"""The engine is slow, the user is fast: every order in which prompts, answers and deletions can come."""

import numpy as np
import pytest

from app.desk import Desk
from fakes.fakeEngine import FAKE_SPEC, fake_mask
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import EngineError
from scene.segmentation_scene import add_volume


def expected(desk, *centers):
    points = np.array(centers, np.float32).reshape(-1, 2)
    return fake_mask(desk.session.plane.shape, Prompts(points, np.ones(len(points), np.int64)))


@pytest.fixture
def slow(desk):
    """A desk whose engine answers only when it is told to."""
    desk.session.addSegment("A")
    desk.engine.is_automatic = False
    return desk


def points_of(job):
    return job.arguments["prompts"].points.round().astype(int).tolist()


def test_nothing_is_written_before_the_answer(slow):
    slow.session.addPoint((12, 20))
    assert slow.session.isBusy and not slow.mask().any()
    slow.engine.answer()
    assert not slow.session.isBusy
    np.testing.assert_array_equal(slow.mask(), expected(slow, (12, 20)))


def test_a_second_click_supersedes_the_first_that_is_still_waiting(slow):
    slow.session.addPoint((12, 20))
    slow.session.addPoint((30, 20))
    assert [points_of(job) for job in slow.engine.waiting("predict")] == [[[12, 20], [30, 20]]]
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), expected(slow, (12, 20), (30, 20)))
    assert len(slow.masks) == 1


def test_the_late_answer_to_a_removed_prompt_is_dropped(slow):
    prompt = slow.session.addPoint((12, 20))
    job = slow.engine.waiting("predict")[0]
    slow.session.removePrompt(prompt)
    slow.engine._deliver(job.ticket, slow.engine._serve(job))  # it was computed already
    assert not slow.mask().any()
    assert not slow.session.isBusy


def test_while_a_prompt_is_dragged_only_the_latest_position_is_asked_for_next(slow):
    prompt = slow.session.addPoint((12, 20))
    slow.engine.answer()
    for x in range(13, 33):
        slow.session.movePrompt(prompt, slow.session.plane.pixelToRAS([[x, 20]])[0])
    assert [points_of(job) for job in slow.engine.waiting("predict")] == [[[13, 20]]]
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), expected(slow, (13, 20)))  # the mask follows the mouse
    assert [points_of(job) for job in slow.engine.waiting("predict")] == [[[32, 20]]]
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), expected(slow, (32, 20)))
    assert slow.engine.jobs == []


def test_what_is_painted_while_the_mask_is_computed_stays(slow):
    slow.session.addPoint((12, 20))
    slow.paint(rows=slice(2, 6), columns=slice(30, 40))
    painted = slow.mask()
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), painted | expected(slow, (12, 20)))


def test_predictions_on_two_slices_run_side_by_side(slow):
    slow.session.addPoint((12, 20))
    slow.session.addPoint((30, 20), plane=slow.plane(7))
    slow.engine.answer()
    slow.engine.answer()
    assert slow.mask().any() and slow.mask(slow.plane(7)).any()


def test_the_answer_goes_to_the_segment_and_slice_it_was_asked_for(slow):
    first = slow.session.segmentId
    slow.session.addPoint((12, 20))
    slow.session.addSegment("B")
    slow.session.setPlane(slow.plane(7))
    slow.engine.answer()
    assert slow.mask(slow.plane(4), first).any()
    assert not slow.mask().any()


def test_undo_while_the_mask_is_being_computed_takes_the_prompt_back(slow):
    slow.session.addPoint((12, 20))
    slow.engine.answer()
    slow.session.addPoint((30, 20))
    assert slow.session.undoLabel == "positive point"
    assert slow.session.undo()
    assert slow.engine.jobs == []
    np.testing.assert_array_equal(slow.mask(), expected(slow, (12, 20)))
    assert len(slow.session.prompts()) == 1


def test_redoing_a_prompt_whose_mask_was_never_computed_computes_it(slow):
    slow.session.addPoint((12, 20))
    slow.session.undo()
    slow.session.redo()
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), expected(slow, (12, 20)))


def test_another_volume_drops_what_was_asked_about_the_first(slow):
    slow.session.addPoint((12, 20))
    job = slow.engine.waiting("predict")[0]
    slow.session.setVolume(None)
    assert slow.engine.jobs == []
    slow.engine._deliver(job.ticket, slow.engine._serve(job))
    assert not slow.errors


@pytest.mark.parametrize("what", ["volume", "segmentation", "segment", "scene"])
def test_deleting_what_is_worked_on_while_it_is_computed_is_quiet_and_safe(host, what):
    desk = Desk(host.scene)
    desk.session.addSegment("A")
    desk.engine.is_automatic = False
    desk.session.addPoint((12, 20))
    job = desk.engine.waiting("predict")[0]
    outcome = desk.engine._serve(job)
    if what == "volume":
        desk.scene.RemoveNode(desk.volume)
        assert desk.session.volumeNode is None
    elif what == "segmentation":
        desk.scene.RemoveNode(desk.session.segmentationNode)
        assert desk.session.segmentationNode is None
    elif what == "segment":
        desk.session.segmentationNode.GetSegmentation().RemoveSegment(desk.session.segmentId)
        assert desk.session.segmentId is None
    else:
        desk.scene.Clear(False)
        assert desk.session.volumeNode is None and desk.session.segmentationNode is None
    desk.engine._deliver(job.ticket, outcome)
    desk.session.poll()
    assert not desk.session.isBusy
    assert not desk.errors
    desk.session.close()


def test_work_goes_on_with_a_new_volume_after_the_scene_was_closed(host):
    desk = Desk(host.scene)
    desk.click(12, 20)
    desk.scene.Clear(False)
    desk.volume = add_volume(desk.scene, (6, 30, 30))
    desk.session.setVolume(desk.volume)
    desk.session.setPlane(desk.plane(2))
    desk.click(8, 8)
    assert desk.mask().any()
    desk.session.close()


def test_a_model_change_drops_predictions_of_the_model_before(slow):
    slow.session.addPoint((12, 20))
    slow.session.setModel(FAKE_SPEC)
    assert [job.operation for job in slow.engine.jobs] == ["load"]
    assert len(slow.session.prompts()) == 1


def test_an_engine_that_fails_leaves_prompts_and_masks_as_they_are(slow):
    slow.session.addPoint((12, 20))
    slow.engine.answer()
    before = slow.voxels()
    slow.session.addPoint((30, 20))
    slow.engine.fail(EngineError("The engine stopped twice on the same request."))
    np.testing.assert_array_equal(slow.voxels(), before)
    assert len(slow.session.prompts()) == 2
    slow.session.predictAgain()
    slow.engine.answer()
    np.testing.assert_array_equal(slow.mask(), expected(slow, (12, 20), (30, 20)))


def test_waiting_can_be_given_up_by_the_pump(slow):
    slow.session.addPoint((12, 20))

    def give_up():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        slow.session.waitUntilIdle(give_up)
    assert slow.session.isBusy


def test_two_scenes_in_one_process_do_not_know_of_each_other(desk):
    with startScene() as other_host:
        other = Desk(other_host.scene)
        desk.click(12, 20)
        assert other.session.segmentationNode is None
        other.session.close()
