"""A segment goes through the volume as asked, in one undo step, and leaves everything else alone."""

import re

import numpy as np
import pytest

from app.desk import SHAPE, Desk
from fakes.fakeEngine import FAKE_SPEC, fake_mask
from SAMUNetSlicerLib.app.propagation import Propagator
from SAMUNetSlicerLib.app.propagationOptions import PropagationOptions
from SAMUNetSlicerLib.app.provenanceFile import readProvenance, writeProvenance
from SAMUNetSlicerLib.app.replay import Replay
from SAMUNetSlicerLib.app.sliceReview import reviewSlices
from SAMUNetSlicerLib.engine.reports import EncodeReport, PredictReport
from SAMUNetSlicerLib.engine.types import Prediction, Prompts
from SAMUNetSlicerLib.errors import EngineError, InputError, PromptError
from SAMUNetSlicerLib.scene.planeFactory import neighborPlane, planeFromNormal
from SAMUNetSlicerLib.scene.regionBox import RegionBox
from scene.segmentation_scene import CT, add_volume, put_under_transform, rotation, voxels_of

DEPTH = SHAPE[0]
BOX = ((12, 10), (25, 22))


class Way(Desk):
    """A desk with a propagator and all that it has said."""

    def __init__(self, scene):
        super().__init__(scene)
        self.propagator = Propagator(self.session)
        self.reports, self.steps = [], []
        self.propagator.finished.connect(self.reports.append)
        self.propagator.progress.connect(lambda *step: self.steps.append(step))

    def box(self, index=4, corners=BOX):
        self.session.addBox(*corners, self.plane(index))
        self.session.waitUntilIdle()

    def run(self, **options):
        self.propagator.start(PropagationOptions(**options))
        self.propagator.waitUntilFinished()
        return self.reports[-1]

    def answer(self, count):
        """Let the engine serve so many requests."""
        for _ in range(count):
            while not self.engine.jobs:
                self.session.poll()
            self.engine.answer()

    def filled(self, segment=None):
        """The slices on which the segment has voxels."""
        return np.flatnonzero(self.voxels(segment).any(axis=(1, 2))).tolist()

    def origin(self, index):
        provenance = self.session.workspace.provenance.of(self.session.segmentId)
        return provenance.record(self.plane(index).signature()).origin


@pytest.fixture
def way(host):
    way = Way(host.scene)
    yield way
    way.propagator.close()
    way.session.close()


def answers(way, masks, confidence=0.9):
    """Let the network give these masks: (H, W) bool by slice index, or one for all other slices."""
    images = {
        way.session.workspace.images.image(
            way.volume, way.plane(k), way.session.workspace.window()
        ).tobytes(): k
        for k in range(DEPTH)
    }

    def predict(image, prompts):
        mask = masks(images[image.tobytes()])
        logits = np.where(mask, 8.0, -8.0).astype(np.float32)
        sure = confidence(images[image.tobytes()]) if callable(confidence) else confidence
        prediction = Prediction(mask, logits, np.zeros((1, 64, 64), np.float32), sure, prompts.boxes)
        return PredictReport(prediction, EncodeReport("", "memory", 0.0), 0.1)

    way.engine.service.predict = predict


def square(size=10, at=(10, 12)):
    mask = np.zeros(SHAPE[1:], bool)
    mask[at[0] : at[0] + size, at[1] : at[1] + size] = True
    return mask


def test_a_prompted_slice_goes_up_and_down_to_the_ends_in_one_undo_step(way):
    way.box()
    alone = way.voxels()
    report = way.run()
    assert way.filled() == list(range(DEPTH))
    assert [each.plane.index for each in report.slices] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert [plane.index for plane in report.keys] == [4]
    assert (report.stops, report.isCancelled, report.error) == ((), False, None)
    whole = way.voxels()
    assert way.session.undoLabel == "propagate"
    way.session.undo()
    assert np.array_equal(way.voxels(), alone)
    way.session.redo()
    assert np.array_equal(way.voxels(), whole)
    assert not way.propagator.isRunning and len(way.reports) == 1 and not way.errors


def test_progress_counts_up_to_all_slices(way):
    way.box()
    way.run()
    done, totals = zip(*way.steps)
    assert list(done) == sorted(done) and set(totals) == {DEPTH - 1}


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"direction": "up"}, range(4, DEPTH)),
        ({"direction": "down"}, range(5)),
        ({"first": 3, "last": 6}, range(3, 7)),
        ({"first": 2, "direction": "down"}, range(2, 5)),
    ],
)
def test_direction_and_range_are_kept(way, options, expected):
    way.box()
    way.run(**options)
    assert way.filled() == list(expected)


def test_a_range_without_slices_is_said(way):
    way.box()
    with pytest.raises(InputError, match="numbered 0 to 9"):
        way.run(first=7, last=3)


STOPS = {
    "empty": (lambda k: square() & (k < 6), 0.9, "Nothing was found"),
    "collapse": (lambda k: square() if k < 6 else square(4), 0.9, "area fell to 16%"),
    "explosion": (lambda k: square() if k < 6 else square(20), 0.9, "area grew to 400%"),
    "elsewhere": (lambda k: square() if k < 6 else square(at=(18, 20)), 0.9, "does not continue"),
    "unsure": (lambda k: square(), lambda k: 0.9 if k < 6 else 0.2, r"confidence 0\.20"),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_way_stops_where_the_structure_ends(way, name):
    masks, confidence, reason = STOPS[name]
    way.box()
    answers(way, masks, confidence)
    way.session.predictAgain(way.plane(4))
    way.session.waitUntilIdle()
    report = way.run()
    assert way.filled() == list(range(6))
    (stop,) = report.stops
    assert stop.plane.index == 6
    assert re.search(reason, stop.reason)


def test_a_way_stops_where_it_looks_different(host):
    voxels = np.random.default_rng(1).integers(0, 40, SHAPE).astype(np.int16)
    voxels[:7] += 100
    voxels[:, 0, :2] = 0, 200  # the same grey levels on all slices
    way = Way(host.scene)
    way.session.setVolume(add_volume(host.scene, ijk_to_ras=CT, array=voxels))
    way.volume = way.session.volumeNode
    way.box()
    report = way.run()
    assert way.filled() == list(range(7))
    assert "looks different" in report.stops[0].reason
    way.propagator.close()
    way.session.close()


def test_two_keys_meet_in_the_middle(way):
    way.box(2)
    way.box(7, ((14, 12), (27, 24)))
    way.run()
    keys = {k: way.origin(k)["key"] for k in (0, 1, 3, 4, 5, 6, 8, 9)}
    assert {k for k, key in keys.items() if key == way.plane(2).signature()} == {0, 1, 3, 4}
    assert way.origin(5)["neighbor"] == way.plane(6).signature()


def test_where_one_front_stops_the_other_goes_on(way):
    way.box(1)
    way.box(8)
    answers(way, lambda k: square(), lambda k: 0.9 if k != 3 else 0.1)
    report = way.run()
    assert way.filled() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [stop.plane.index for stop in report.stops] == [3, 3]
    assert way.origin(4)["key"] == way.plane(8).signature()


def test_a_painted_slice_is_kept_and_gone_on_from(way):
    way.box(2)
    way.paint(way.plane(6), rows=slice(5, 25), columns=slice(20, 40))
    painted = way.mask(way.plane(6))
    report = way.run()
    assert np.array_equal(way.mask(way.plane(6)), painted)
    assert [plane.index for plane in report.keys] == [2, 6]
    assert way.origin(7)["key"] == way.plane(6).signature()


def test_a_slice_that_was_corrected_by_hand_is_a_key_from_then_on(way):
    way.box(2)
    way.run()
    way.paint(way.plane(5), rows=slice(0, 8), columns=slice(0, 8))
    corrected = way.mask(way.plane(5))
    report = way.run()
    assert [plane.index for plane in report.keys] == [2, 5]
    assert np.array_equal(way.mask(way.plane(5)), corrected)


def test_an_erased_slice_stays_empty_and_ends_the_way(way):
    way.box(2)
    way.run()
    way.paint(way.plane(5), value=False, rows=slice(None), columns=slice(None))
    for k in range(6, DEPTH):
        way.paint(way.plane(k), value=False, rows=slice(None), columns=slice(None))
    way.run()
    assert way.filled() == [0, 1, 2, 3, 4]


def test_propagating_again_replaces_what_was_propagated_before(way):
    way.box(4)
    way.run()
    way.session.clear(way.plane(4))
    way.session.waitUntilIdle()
    way.box(4, ((30, 10), (42, 30)))
    way.run()
    assert not way.voxels()[:, :, 12:22].any() or not way.mask(way.plane(0))[:, 12:22].any()
    assert way.filled() == list(range(DEPTH))


def test_what_is_painted_meanwhile_stays(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    way.session.poll()
    way.paint(way.plane(7), rows=slice(0, 3), columns=slice(0, 3))
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    assert way.mask(way.plane(7))[:3, :3].all() and way.filled() == list(range(DEPTH))


@pytest.mark.parametrize(
    "policy, keeps", [("protectAll", True), ("protectLocked", False), ("allowOverlap", True)]
)
def test_other_segments_are_treated_as_the_policy_says(way, policy, keeps):
    other = way.session.addSegment("other")
    for k in (2, 7):
        way.paint(way.plane(k), rows=slice(0, 40), columns=slice(0, 18))
    before = way.voxels(other)
    way.session.addSegment("new")
    way.session.setPolicy(policy)
    way.box()
    way.run()
    shared = way.voxels() & way.voxels(other)
    assert shared.any() == (policy == "allowOverlap")
    assert np.array_equal(way.voxels(other), before) == keeps
    way.session.undo()
    assert np.array_equal(way.voxels(other), before)


def test_cancelling_keeps_what_is_done(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start(PropagationOptions(direction="up"))
    while len(way.steps) < 3:
        way.session.poll()
        if way.engine.jobs:
            way.engine.answer()
    way.propagator.cancel()
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    report = way.reports[-1]
    assert report.isCancelled and 0 < len(report.slices) < DEPTH - 5
    assert way.filled() == [4, *(each.plane.index for each in report.slices)]
    assert not way.engine.jobs
    way.session.undo()
    assert way.filled() == [4]


INTERRUPTIONS = {
    "undo": lambda way: way.session.undo(),
    "another volume": lambda way: way.session.setVolume(None),
    "another segmentation": lambda way: way.session.setSegmentation(None),
    "another model": lambda way: way.session.setModel(FAKE_SPEC),
    "closing": lambda way: way.session.close(),
    "its end": lambda way: way.propagator.close(),
    "another prompt": lambda way: way.session.addPoint((40, 30), plane=way.plane(4)),
    "removing the segment": lambda way: way.session.segmentationNode.RemoveSegment(way.session.segmentId),
    "deleting the volume": lambda way: way.scene.RemoveNode(way.volume),
}


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_whatever_the_user_does_meanwhile_ends_it_in_order(way, name):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    way.answer(6)
    INTERRUPTIONS[name](way)
    way.engine.is_automatic = True
    way.propagator.waitUntilFinished()
    way.session.poll()
    assert len(way.reports) == 1 and not way.propagator.isRunning


def test_undo_meanwhile_takes_the_whole_propagation_back(way):
    way.box()
    way.engine.is_automatic = False
    way.propagator.start()
    way.answer(8)
    assert way.session.undo()
    assert way.filled() == [4] and way.session.redoLabel == "propagate"


def test_an_error_of_the_engine_is_said_and_what_is_done_stays(way):
    way.box()
    predict = way.engine.service.predict
    calls = []

    def failing(image, prompts):
        calls.append(image)
        if len(calls) > 3:
            raise EngineError("The engine is tired; let it rest.")
        return predict(image, prompts)

    way.engine.service.predict = failing
    report = way.run()
    assert str(report.error) == "The engine is tired; let it rest." and way.errors == [report.error]
    assert len(way.filled()) == 4 and way.session.undoLabel == "propagate"


def test_what_cannot_be_propagated_is_said(way):
    with pytest.raises(PromptError, match="no segment"):
        way.run()
    way.session.addSegment()
    assert "segment the structure on a slice" in str(way.run().error)
    way.box()
    assert "segment the structure on a slice" in str(way.run(axis="I").error)
    way.propagator.start()
    with pytest.raises(PromptError, match="already"):
        way.propagator.start()
    way.propagator.waitUntilFinished()
    with pytest.raises(InputError, match="direction"):
        PropagationOptions(direction="sideways")


def test_without_a_model_only_filling_is_possible(way):
    way.box(2)
    way.box(6)
    way.engine.status = None
    with pytest.raises(EngineError, match="No model"):
        way.run()
    way.run(method="fill")
    assert way.filled() == [2, 3, 4, 5, 6]


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
