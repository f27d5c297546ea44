"""The session on a real scene with a fake engine: prompts in, masks in the scene, events out."""

import numpy as np
import pytest

from fakes.fakeEngine import fake_mask
from SAMUNetSlicerLib.engine.serving import ModelSpec
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import InputError, PromptError
from SAMUNetSlicerLib.scene.segments import status


def disk(shape, *centers):
    points = np.array(centers, np.float32).reshape(-1, 2)
    return fake_mask(shape, Prompts(points, np.ones(len(points), np.int64)))


def test_a_click_makes_a_segmentation_a_segment_and_a_mask_around_the_click(desk):
    desk.click(12, 20)
    assert desk.session.segmentationNode.GetName() == "Volume segmentation"
    np.testing.assert_array_equal(desk.mask(), disk(desk.session.plane.shape, (12, 20)))
    assert desk.voxels().sum() == disk(desk.session.plane.shape, (12, 20)).sum()
    assert not desk.errors


def test_a_click_in_ras_goes_where_the_same_pixel_goes(desk):
    desk.session.addPoint(desk.session.plane.pixelToRAS([[12, 20]])[0])
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), disk(desk.session.plane.shape, (12, 20)))


def test_a_box_and_a_negative_click_are_folded_into_one_mask(desk):
    desk.session.addBox((9.5, 9.5), (29.5, 24.5))
    desk.click(20, 16, is_positive=False)
    prompts = Prompts(
        np.array([[20, 16]], np.float32), np.array([0]), np.array([[10, 10, 30, 25]], np.float32)
    )
    np.testing.assert_array_equal(desk.mask(), fake_mask(desk.session.plane.shape, prompts))
    assert [record.kind for record in desk.session.prompts()] == ["box", "negative"]


def test_prompts_belong_to_their_segment_and_slice_and_are_found_on_return(desk):
    first, second = desk.plane(4), desk.plane(7)
    desk.click(12, 20)
    desk.session.setPlane(second)
    assert desk.session.prompts() == []
    desk.click(30, 20)
    desk.session.setPlane(first)
    assert len(desk.session.prompts()) == 1
    desk.session.addSegment("B")
    assert desk.session.prompts() == []
    assert not desk.mask().any()


def test_moving_a_prompt_moves_the_mask_and_removing_it_takes_the_mask_away(desk):
    prompt = desk.click(12, 20)
    desk.session.movePrompt(prompt, desk.session.plane.pixelToRAS([[30, 21]])[0])
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), disk(desk.session.plane.shape, (30, 21)))
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    assert not desk.mask().any()


def test_clearing_a_slice_leaves_the_other_slices(desk):
    desk.click(12, 20)
    desk.click(12, 20, plane=desk.plane(7))
    desk.session.clear()
    desk.session.waitUntilIdle()
    assert not desk.mask().any()
    assert desk.mask(desk.plane(7)).any()


def test_dragging_a_markups_point_in_a_view_updates_the_mask(desk):
    desk.click(12, 20)
    node = desk.scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    node.SetNthControlPointPositionWorld(0, *desk.session.plane.pixelToRAS([[33, 22]])[0])
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), disk(desk.session.plane.shape, (33, 22)))


def test_a_segment_never_takes_voxels_from_another_one_unless_told_to(desk):
    desk.click(12, 20)
    first = desk.session.segmentId
    before = desk.voxels(first)
    second = desk.session.nextSegment("B")
    desk.click(15, 20)
    np.testing.assert_array_equal(desk.voxels(first), before)
    assert not (desk.voxels(first) & desk.voxels(second)).any()
    desk.session.setPolicy("allowOverlap")
    desk.session.predictAgain()
    desk.session.waitUntilIdle()
    assert (desk.voxels(first) & desk.voxels(second)).any()


def test_events_name_the_segment_and_the_slice(desk):
    desk.click(12, 20)
    segment, signature = desk.session.segmentId, desk.session.plane.signature()
    assert [(s, plane.signature()) for s, plane in desk.masks] == [(segment, signature)]
    assert [(s, plane.signature()) for s, plane in desk.prompt_changes] == [(segment, signature)]


def test_the_last_mask_says_how_sure_and_how_fast(desk):
    desk.click(12, 20)
    report = desk.session.lastMask
    assert (report.confidence, report.source, report.encodeMs) == (0.9, "encoded", 1.0)
    assert report.writeMs > 0
    desk.click(14, 20)
    assert desk.session.lastMask.source == "memory"


@pytest.mark.parametrize("position", [(50, 3), (-1, 3), (3, 40.2), (np.nan, 3)])
def test_a_click_outside_the_image_is_refused_and_changes_nothing(desk, position):
    with pytest.raises(PromptError):
        desk.session.addPoint(position)
    assert desk.session.prompts() == []


def test_a_refused_first_prompt_leaves_no_segment_behind(desk):
    for place in (
        lambda: desk.session.addPoint((100, 100)),
        lambda: desk.session.addBox((100, 100), (120, 120)),
        lambda: desk.session.addPrompts(points=[(5, 5), (100, 100)], positive=[True, True]),
    ):
        with pytest.raises(PromptError):
            place()
    assert desk.session.segmentationNode is None
    assert desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_click_off_the_slice_is_refused(desk):
    beside = desk.session.plane.pixelToRAS([[12, 20]])[0] + 2 * desk.session.plane.normal
    with pytest.raises(PromptError, match=r"2\.0 mm off the slice"):
        desk.session.addPoint(beside)


def test_a_box_is_cut_at_the_border_and_refused_beside_it(desk):
    desk.session.addBox((-30, -5), (9.5, 9.5))
    desk.session.waitUntilIdle()
    expected = fake_mask(desk.session.plane.shape, Prompts(boxes=np.array([[0, 0, 10, 10]], np.float32)))
    np.testing.assert_array_equal(desk.mask(), expected)
    with pytest.raises(PromptError, match="no area on the image"):
        desk.session.addBox((-30, -5), (-10, 9))


def test_without_volume_slice_or_segment_the_sentence_says_what_to_choose(desk):
    session = desk.session
    with pytest.raises(InputError, match="no segmentation"):
        session.accept()
    session.setPlane(None)
    with pytest.raises(PromptError, match="show a slice"):
        session.addPoint((3, 3))
    session.setVolume(None)
    with pytest.raises(InputError, match="choose one"):
        session.addPoint((3, 3), plane=desk.plane(2))
    with pytest.raises(InputError, match="no longer"):
        session.selectSegment("gone")


def test_a_failed_prediction_is_one_sentence_and_the_prompt_can_be_undone(desk):
    desk.click(12, 20)
    desk.engine.is_automatic = False
    before = desk.voxels()
    desk.session.addPoint((30, 20))
    desk.engine.fail(PromptError("The model cannot use this."))
    assert [str(error) for error in desk.errors] == ["The model cannot use this."]
    np.testing.assert_array_equal(desk.voxels(), before)
    assert desk.session.undo()
    assert len(desk.session.prompts()) == 1


def test_a_model_that_cannot_be_loaded_is_said(desk):
    desk.session.setModel(ModelSpec(card={"id": "broken"}))
    desk.session.poll()
    assert [str(error) for error in desk.errors] == ["The fake model is broken; choose another one."]


def test_after_closing_the_scene_changes_without_the_session(desk):
    desk.click(12, 20)
    node = desk.scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    desk.session.close()
    desk.session.close()
    desk.engine.jobs.clear()
    node.SetNthControlPointPositionWorld(0, 1, 1, 10)
    assert desk.engine.jobs == []
    desk.scene.RemoveNode(desk.volume)


def test_a_slice_whose_prompts_were_removed_is_not_called_encoded(desk):
    prompt = desk.click(12, 20)
    assert desk.session.isReady(desk.session.plane)
    desk.session.clearCache()
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    assert not desk.session.isReady(desk.session.plane)


def test_next_segment_completes_the_one_before(desk):
    desk.click(12, 20)
    first = desk.session.segmentId
    second = desk.session.nextSegment("Lesion 2")
    assert second != first and desk.session.segmentId == second
    assert status(desk.session.segmentationNode, first) == "completed"


def test_the_network_gets_square_pixels_and_the_mask_comes_back_on_the_slice_s_own(desk):
    plane = desk.plane(20, "J")  # pixels of 0.75 x 2.5 mm
    desk.session.setPlane(plane)
    seen = []
    predict = desk.engine.service.predict
    desk.engine.service.predict = lambda image, prompts: (
        seen.append((image.shape, prompts)) or predict(image, prompts)
    )
    desk.session.addBox((10, 2), (29, 6))
    desk.session.waitUntilIdle()
    ((shape, prompts),) = seen
    assert shape == (round(10 * 2.5 / 0.75), 50)
    height = prompts.boxes[0, 3] - prompts.boxes[0, 1]
    assert height == pytest.approx(5 * shape[0] / 10)
    rows, columns = np.nonzero(desk.mask(plane))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 10, 29)
