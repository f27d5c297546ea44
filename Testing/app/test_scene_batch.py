"""Several volumes of a scene are segmented in turn, and the session is afterwards as it was."""

import numpy as np
import pytest

from fakes.fakeEngine import FAKE_SPEC
from SAMUNetSlicerLib.app.batch import SceneBatch
from SAMUNetSlicerLib.app.prompts import PromptsOfSegmentation, SharedPrompts, parsePrompts
from SAMUNetSlicerLib.errors import EngineError, PromptError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import CT, add_volume, voxels_of

SHAPE = (10, 40, 50)
BOX = {"plane": {"axis": "K", "index": 3}, "boxes": [{"ijk": [[10, 12, 3], [20, 25, 3]]}]}


def shared(*planes):
    return SharedPrompts(
        parsePrompts({"version": 1, "segments": [{"name": "Liver", "planes": list(planes)}]})
    )


@pytest.fixture
def volumes(desk):
    rng = np.random.default_rng(3)
    arrays = (rng.integers(0, 999, SHAPE, dtype=np.int16) for _ in range(3))
    return [add_volume(desk.scene, ijk_to_ras=CT, array=array) for array in arrays]


@pytest.fixture
def batch(desk):
    batch = SceneBatch(desk.session)
    batch.seen = []
    batch.progress.connect(lambda *counts: batch.seen.append(counts))
    batch.caseFinished.connect(lambda record: batch.seen.append(record.state))
    batch.results = []
    batch.finished.connect(batch.results.append)
    yield batch
    batch.close()


def finish(batch, desk, most=500):
    for _ in range(most):
        if not batch.isRunning:
            return batch.results[-1]
        desk.session.poll()
    raise AssertionError("the batch does not end")


def test_every_volume_gets_a_segmentation_of_its_own(desk, batch, volumes):
    batch.start(volumes, shared(BOX))
    records = finish(batch, desk)
    assert [record.state for record in records] == ["done"] * 3
    assert batch.seen == [(0, 3), "done", (1, 3), "done", (2, 3), "done", (3, 3)]
    nodes = [desk.scene.GetNodeByID(record.segmentationId) for record in records]
    assert len(set(nodes)) == 3
    voxels = [voxels_of(node, node.GetSegmentation().GetNthSegmentID(0), SHAPE) for node in nodes]
    assert [each.sum() for each in voxels] == [record.segments[0].voxels for record in records]
    assert voxels[0][3].any() and not np.delete(voxels[0], 3, axis=0).any()
    assert (records[0].slices[0].axis, records[0].slices[0].index, records[0].confidence) == ("K", 3, 0.9)


def test_the_session_is_afterwards_on_what_it_was_before(desk, batch, volumes):
    desk.click(12, 20)
    before = (desk.session.segmentationNode, desk.session.segmentId, desk.session.plane)
    batch.start(volumes, shared(BOX))
    finish(batch, desk)
    assert (desk.session.segmentationNode, desk.session.segmentId, desk.session.plane) == before
    assert desk.session.volumeNode is desk.volume


def test_what_a_user_has_clicked_on_one_volume_is_given_on_the_others(desk, batch, volumes):
    desk.session.addBox((8, 9), (20, 25))
    desk.click(30, 20)
    desk.click(12, 18, plane=desk.plane(6))
    expected = desk.voxels()
    batch.start(volumes[:2], PromptsOfSegmentation(desk.scene, desk.session.segmentationNode))
    records = finish(batch, desk)
    for record in records:
        node = desk.scene.GetNodeByID(record.segmentationId)
        np.testing.assert_array_equal(
            voxels_of(node, node.GetSegmentation().GetNthSegmentID(0), SHAPE), expected
        )


def test_prompts_stay_where_the_user_can_correct_them(desk, batch, volumes):
    batch.start(volumes[:1], shared(BOX))
    (record,) = finish(batch, desk)
    session = desk.session
    session.setVolume(volumes[0])
    session.setSegmentation(desk.scene.GetNodeByID(record.segmentationId))
    session.selectSegment(session.segmentationNode.GetSegmentation().GetNthSegmentID(0))
    plane = planeFromAxis(volumes[0], "K", 3)
    assert [prompt.kind for prompt in session.prompts(plane)] == ["box"]
    before = session.workspace.readMask(session._target(plane))
    session.addPoint((40, 30), plane=plane)
    session.waitUntilIdle()
    after = session.workspace.readMask(session._target(plane))
    assert (after & before == before).all() and after.sum() > before.sum()


def test_one_volume_that_fails_does_not_stop_the_others(desk, batch, volumes):
    volumes[1].SetAndObserveImageData(None)
    batch.start(volumes, shared(BOX))
    records = finish(batch, desk)
    assert [record.state for record in records] == ["done", "failed", "done"]
    assert "holds no image" in records[1].message


def test_an_engine_that_fails_leaves_no_half_made_segmentation(desk, batch, volumes, monkeypatch):
    def refuse(image, prompts):
        raise EngineError("The device is gone.")

    monkeypatch.setattr(desk.engine.service, "predict", refuse)
    count = desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    batch.start(volumes, shared(BOX))
    assert {record.message for record in finish(batch, desk)} == {"The device is gone."}
    assert desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == count


@pytest.mark.parametrize("how", ["cancel", "volume", "model"])
def test_cancel_and_other_choices_keep_what_is_finished(desk, batch, volumes, how):
    def stop(record):
        desk.engine.is_automatic = False

    batch.caseFinished.connect(stop)
    batch.start(volumes, shared(BOX))
    for _ in range(20):
        desk.session.poll()
    assert batch.isRunning
    {
        "cancel": batch.cancel,
        "volume": lambda: desk.session.setVolume(volumes[2]),
        "model": lambda: desk.session.setModel(FAKE_SPEC),
    }[how]()
    assert not batch.isRunning
    assert [record.state for record in batch.results[0]] == ["done", "queued", "queued"]
    assert desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    assert desk.session.volumeNode is (volumes[2] if how == "volume" else desk.volume)


def test_an_uncertain_case_needs_review(desk, volumes):
    batch = SceneBatch(desk.session, reviewBelow=0.95)
    results = []
    batch.finished.connect(results.extend)
    batch.start(volumes[:1], shared(BOX))
    while batch.isRunning:
        desk.session.poll()
    batch.close()
    assert results[0].state == "needs review"
    assert results[0].reasons == (
        "1 of 1 slices have a confidence below 0.95, the least is 0.90 (Liver, axial 3).",
    )


def test_a_batch_of_nothing_and_a_second_batch_are_refused(desk, batch, volumes):
    with pytest.raises(PromptError, match="at least one"):
        batch.start([], shared(BOX))
    batch.start(volumes, shared(BOX))
    with pytest.raises(PromptError, match="running already"):
        batch.start(volumes, shared(BOX))
