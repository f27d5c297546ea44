"""Segments are protected from one another as their locks say."""

import pytest

from SAMUNetSlicerLib.scene.segments import isLocked


@pytest.fixture
def two(bench):
    """A first segment with a mask, and a second one that is chosen."""
    bench.click("positiveButton")
    first = bench.session.addSegment("First")
    bench.session.addPoint((20, 20))
    bench.tick()
    bench.session.addSegment("Second")
    bench.panel.choices.policy.choose("protectLocked")
    return bench, first


def choose(bench, segment):
    bench.ui.segmentsTable.setSelectedSegmentIDs([segment])


def mask_of(bench, segment):
    session = bench.session
    return session.workspace.writer.readMask(session.segmentationNode, segment, session.plane)


def click_at_the_same_place(bench):
    bench.session.addPoint((20, 20))
    bench.tick()


def test_a_locked_segment_keeps_its_voxels(two):
    bench, first = two
    second, before = bench.session.segmentId, mask_of(bench, first)
    choose(bench, first)
    bench.click("lockSegmentButton")
    choose(bench, second)
    click_at_the_same_place(bench)
    assert (mask_of(bench, first) == before).all()


def test_one_that_is_not_locked_gives_way(two):
    bench, first = two
    click_at_the_same_place(bench)
    assert not mask_of(bench, first).any()


def test_the_button_says_whether_the_chosen_segment_is_locked(two):
    bench, first = two
    choose(bench, first)
    bench.click("lockSegmentButton")
    assert (bench.ui.lockSegmentButton.checked, bench.ui.lockSegmentButton.text) == (True, "Locked")
    choose(bench, bench.session.segmentationNode.GetSegmentation().GetNthSegmentID(1))
    assert (bench.ui.lockSegmentButton.checked, bench.ui.lockSegmentButton.text) == (False, "Lock")


def test_a_lock_can_be_opened_again(two):
    bench, _first = two
    for _ in range(2):
        bench.click("lockSegmentButton")
    assert not isLocked(bench.session.segmentationNode, bench.session.segmentId)


def test_without_a_segment_there_is_nothing_to_lock(bench):
    assert not bench.ui.lockSegmentButton.enabled


def test_the_neighbor_of_a_removed_segment_is_not_chosen_unasked(two):
    """The table selects it, and the next click would change a segment that nobody has thought of."""
    bench, first = two
    choose(bench, first)
    bench.click("removeSegmentButton")
    assert bench.session.segmentId is None
    assert bench.ui.segmentsTable.selectedSegmentIDs() == ()


def test_the_row_of_the_chosen_segment_stays_selected(two):
    """A click below the rows clears the selection of the table, and so does moving segments."""
    bench, first = two
    choose(bench, first)
    bench.ui.segmentsTable.clearSelection()
    bench.tick()
    assert bench.session.segmentId == first
    assert bench.ui.segmentsTable.selectedSegmentIDs() == (first,)
