"""Filling, regions, oblique slices; review and replay of what was made."""

import numpy as np
import pytest

from app.desk import SHAPE
from app.propagation_desk import BOX, DEPTH, Way, answers, square
from fakes.fakeEngine import FAKE_SPEC, fake_mask
from SAMUNetSlicerLib.app.files import readProvenance, writeProvenance
from SAMUNetSlicerLib.app.jobs import Replay
from SAMUNetSlicerLib.app.propagation import reviewSlices
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.scene.geometry import RegionBox, neighborPlane, planeFromNormal
from scene.segmentation_scene import add_volume, put_under_transform, rotation, voxels_of


def test_filling_needs_no_network_and_changes_nothing_outside_of_the_gaps(way):
    way.box(1)
    way.box(5, ((16, 10), (29, 22)))
    asked = len(way.engine.service.batches)
    keys = way.mask(way.plane(1)), way.mask(way.plane(5))
    report = way.run(method="fill")
    assert way.filled() == [1, 2, 3, 4, 5] and len(way.engine.service.batches) == asked
    assert [each.confidence for each in report.slices] == [None] * 3
    assert np.array_equal((way.mask(way.plane(1)), way.mask(way.plane(5))), keys)
    middle = np.nonzero(way.mask(way.plane(3)))[1].mean()
    assert np.nonzero(keys[0])[1].mean() < middle < np.nonzero(keys[1])[1].mean()
    assert way.session.undoLabel == "fill"


def test_a_region_prompts_every_slice_that_it_cuts(way):
    way.session.addSegment()
    corners = way.plane(3).pixelToRAS([BOX[0]])[0], way.plane(6).pixelToRAS([BOX[1]])[0]
    report = way.run(region=RegionBox.fromCorners(*corners))
    assert way.filled() == [3, 4, 5, 6] and len(report.slices) == 4
    assert way.origin(5) == {"method": "region"}
    box = RegionBox.fromCorners(*corners).pixelBox(way.plane(5))
    expected = fake_mask(SHAPE[1:], Prompts(boxes=box[None]))
    np.testing.assert_array_equal(way.mask(way.plane(5)), expected)


def test_keys_within_a_region_are_left_as_they_are(way):
    way.box(5, ((30, 20), (45, 35)))
    kept = way.mask(way.plane(5))
    corners = way.plane(3).pixelToRAS([BOX[0]])[0], way.plane(6).pixelToRAS([BOX[1]])[0]
    way.run(region=RegionBox.fromCorners(*corners))
    assert np.array_equal(way.mask(way.plane(5)), kept) and way.filled() == [3, 4, 5, 6]


def test_the_stack_of_the_prompts_is_taken_if_another_one_is_shown(way):
    way.box()
    way.session.setPlane(way.plane(20, "I"))
    way.run()
    assert way.filled() == list(range(DEPTH))


def test_an_axis_can_be_chosen(way):
    way.session.addBox((10, 2), (22, 7), way.plane(20, "J"))
    way.box()
    way.run(axis="coronal", first=15, last=24)
    assert np.flatnonzero(way.voxels()[0:3].any(axis=(0, 2))).tolist() == list(range(15, 25))


@pytest.mark.parametrize("normal", [(0.3, 0.2, 0.93), (0, 0.7, 0.7)])
def test_an_oblique_slice_goes_along_its_own_normal_under_a_transform(host, normal):
    matrix = rotation(25, (1, 2, 3))
    way = Way(host.scene)
    volume = add_volume(host.scene, array=np.random.default_rng(0).integers(0, 99, (20, 40, 50), np.int16))
    put_under_transform(host.scene, volume, matrix)
    way.session.setVolume(volume)
    bounds = np.zeros(6)
    volume.GetRASBounds(bounds)
    plane = planeFromNormal(volume, bounds.reshape(3, 2).mean(axis=1), matrix[:3, :3] @ normal)
    way.session.setPlane(plane)
    x, y = plane.shape[1] / 2, plane.shape[0] / 2
    way.session.addBox((x - 9, y - 7), (x + 9, y + 7))
    way.session.waitUntilIdle()
    report = way.run(first=-4, last=4)
    assert len(report.slices) == 8 and report.error is None
    centers = [
        middle(way.mask(each), each) for each in (neighborPlane(plane, volume, n) for n in range(-3, 4))
    ]
    drift = np.array(centers) - centers[3]
    sideways = drift - np.outer(drift @ plane.normal, plane.normal)
    assert np.linalg.norm(sideways, axis=1).max() < 2 * max(plane.spacing)
    way.propagator.close()
    way.session.close()


def middle(mask, plane):
    rows, columns = np.nonzero(mask)
    return plane.pixelToRAS([[columns.mean(), rows.mean()]])[0]


def test_a_click_corrects_what_a_propagation_has_made(way):
    way.box()
    way.run()
    before = way.mask(way.plane(6))
    way.click(40, 30, plane=way.plane(6))
    after = way.mask(way.plane(6))
    assert (after & before).sum() == before.sum() and after[30, 40]
    report = way.run()
    assert [plane.index for plane in report.keys] == [4, 6]


def test_a_propagated_segment_can_be_replayed(way, tmp_path):
    way.box(2)
    way.box(8, ((14, 12), (27, 24)))
    way.run(direction="down")
    way.run(method="fill")
    path = writeProvenance(way.session.segmentationNode, way.volume, tmp_path / "provenance.json")
    node = way.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.SetReferenceImageGeometryParameterFromVolumeNode(way.volume)
    replay = Replay(way.scene, way.volume, node, way.engine, lambda model: FAKE_SPEC)
    replayed = replay.run(readProvenance(path))
    assert len(replayed) == 9 and all(each.isIdentical for each in replayed)
    segment = node.GetSegmentation().GetNthSegmentID(0)
    assert np.array_equal(voxels_of(node, segment, SHAPE), way.voxels())


def test_encoding_runs_ahead_but_not_far_on_the_cpu(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    while not way.engine.waiting("learn"):
        way.session.poll()
    way.engine.answer("learn")
    for _ in range(40):
        way.session.poll()
    assert len(way.engine.waiting("encode")) == 4 and not way.engine.waiting("predict")


def test_a_front_end_hears_of_every_slice_once_the_segment_is_written(way):
    way.box()
    way.masks.clear()
    seen = []
    way.session.maskChanged.connect(lambda segment, plane: seen.append(way.filled()))
    way.run()
    assert len(way.masks) == DEPTH - 1 and all(slices == list(range(DEPTH)) for slices in seen)


def test_review_lists_propagated_slices_worst_first_until_they_are_looked_at(way):
    way.box()
    answers(way, lambda k: square() if k != 7 else square(13), lambda k: 0.9 if k != 2 else 0.6)
    way.run()
    reviews = reviewSlices(way.session)
    assert len(reviews) == DEPTH - 1
    assert [review.plane.index for review in reviews[:2]] == [2, 7] or reviews[0].score >= reviews[1].score
    reasons = {review.plane.index: review.reasons for review in reviews}
    assert reasons[2] == ("confidence 0.60",) and reasons[0] == ()
    assert any("area 169%" in reason for reason in reasons[7])
    way.session.accept(way.plane(2))
    assert 2 not in [review.plane.index for review in reviewSlices(way.session)]
    assert [plane.index for plane in way.run().keys] == [2, 4]


def test_there_is_nothing_to_review_without_a_propagation(way):
    assert reviewSlices(way.session) == []
    way.box()
    assert reviewSlices(way.session) == []


def test_between_two_keys_the_box_goes_halfway_towards_the_straight_line(way):
    answers(way, lambda k: square(at=(10, 12)) if k <= 4 else square(at=(10, 24)))
    for k in (1, 7):
        way.box(k)
    predict, boxes = way.engine.service.predict, []

    def noted(image, prompts):
        boxes.append(prompts.boxes[0].tolist())
        return predict(image, prompts)

    way.engine.service.predict = noted
    way.run(first=1, last=7)
    shares = np.arange(1, 4) / 6
    ups = sorted(box for box in boxes if box[0] < 18)
    np.testing.assert_allclose([box[0] for box in ups], 12 + 12 * shares / 2, atol=1e-4)
    assert {(box[1], box[3], round(box[2] - box[0], 3)) for box in boxes} == {(10, 20, 10)}
