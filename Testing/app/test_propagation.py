"""A segment goes through the volume as asked, in one undo step, and leaves everything else alone."""

import re

import numpy as np
import pytest

from app.desk import SHAPE
from app.propagation_desk import DEPTH, Way, answers, square
from SAMUNetSlicerLib.errors import InputError
from scene.segmentation_scene import CT, add_volume


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
    "unsure": (lambda k: square(), lambda k: 0.9 if k < 6 else 0.2, r"confidence is too low \(0\.20\)"),
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
    voxels[:, 0, :2] = 0, 200  # the same gray levels on all slices
    way = Way(host.scene)
    way.session.setVolume(add_volume(host.scene, ijk_to_ras=CT, array=voxels))
    way.volume = way.session.volumeNode
    way.box()
    report = way.run()
    assert way.filled() == list(range(7))
    assert "Brightness differs" in report.stops[0].reason
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
