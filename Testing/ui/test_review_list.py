"""Slices that nobody has looked at: shown, accepted, corrected, one after the other."""

import pytest

from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.app.propagation import reviewSlices


@pytest.fixture
def listed(bench):
    """A segment that was carried through the volume, its slices listed."""
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    bench.click("propagateButton")
    for _ in range(500):
        bench.tick(1)
        if not bench.panel.propagate.propagator.isRunning:
            return bench
    raise AssertionError("the propagation did not end")


def rows(bench):
    return [bench.ui.reviewList.item(row).text() for row in range(bench.ui.reviewList.count)]


def shown(bench):
    """Index of the axial slice that the view shows."""
    bench.tick()
    return bench.session.plane.index


def index_of(row):
    return int(row.split(":")[0].split()[1])


def test_the_slices_are_listed_after_a_propagation(listed):
    assert len(rows(listed)) == len(reviewSlices(listed.session)) > 2
    assert not listed.ui.acceptSliceButton.enabled
    assert listed.ui.nextSliceButton.enabled


def test_next_shows_one_after_the_other(listed):
    expected = [index_of(row) for row in rows(listed)]
    found = []
    for _ in expected:
        listed.click("nextSliceButton")
        found.append(shown(listed))
    assert found == expected
    listed.click("nextSliceButton")
    assert "last slice" in listed.ui.statusText.text


def test_views_from_the_side_stay_where_they_are(listed, host):
    side = addSliceNode(host, "Yellow", "Sagittal")
    side.show(listed.volume)
    listed.show(4)
    before = side.node.GetSliceOffset()
    listed.click("nextSliceButton")
    assert shown(listed) == index_of(rows(listed)[0])
    assert side.node.GetSliceOffset() == before


def test_without_a_view_from_the_front_all_go_to_the_middle_of_the_slice(listed):
    node, (columns, rows_, _) = listed.view.node, listed.volume.GetImageData().GetDimensions()
    node.SetOrientation("Sagittal")
    node.SetSliceOffset(-1e3)
    listed.ui.reviewList.currentRow = 0
    middle = listed.plane(4).pixelToRAS([((columns - 1) / 2, (rows_ - 1) / 2)])[0, 0]
    assert abs(node.GetSliceToRAS().GetElement(0, 3) - middle) < 1


def test_a_chosen_row_is_shown(listed):
    listed.ui.reviewList.currentRow = 2
    assert shown(listed) == index_of(rows(listed)[2])


def test_an_accepted_slice_leaves_the_list_and_the_next_one_is_shown(listed):
    first, second, *others = rows(listed)
    listed.click("nextSliceButton")
    before = listed.mask()
    listed.click("acceptSliceButton")
    assert rows(listed) == [second, *others]
    assert listed.ui.reviewList.currentRow == 0
    assert shown(listed) == index_of(second)
    listed.show(index_of(first))
    assert (listed.mask() == before).all()
    listed.click("reviewButton")
    assert index_of(first) not in [index_of(row) for row in rows(listed)]


def test_all_can_be_accepted(listed):
    listed.click("nextSliceButton")
    for _ in rows(listed):
        listed.click("acceptSliceButton")
    assert not rows(listed)
    assert not listed.ui.acceptSliceButton.enabled
    listed.click("reviewButton")
    assert "has been reviewed" in listed.ui.statusText.text


def test_a_corrected_slice_leaves_the_list_and_stays_in_view(listed):
    first, second, *others = rows(listed)
    listed.panel.tools.setTool(None)
    listed.click("nextSliceButton")
    listed.click("correctSliceButton")
    assert listed.panel.tools.tool == "positive"
    assert shown(listed) == index_of(first)
    listed.session.addPoint((30, 30))
    listed.tick()
    assert rows(listed) == [second, *others]
    assert shown(listed) == index_of(first)
    listed.click("nextSliceButton")
    assert shown(listed) == index_of(second)


def test_a_change_of_another_slice_leaves_the_chosen_one_chosen(listed):
    first, second, *others = rows(listed)
    listed.ui.reviewList.currentRow = 1
    listed.session.addPoint((30, 30), plane=listed.plane(index_of(first)))
    listed.tick()
    assert rows(listed) == [second, *others]
    assert listed.ui.reviewList.currentRow == 0
    listed.click("nextSliceButton")
    assert shown(listed) == index_of(others[0])


def test_undoing_the_propagation_empties_the_list(listed):
    listed.click("undoButton")
    assert not rows(listed)


def test_the_list_is_about_one_segment(listed):
    listed.click("addSegmentButton")
    assert not rows(listed)
    assert not listed.ui.nextSliceButton.enabled


def test_nothing_is_accepted_without_a_chosen_row(listed):
    listed.ui.reviewList.currentRow = 1
    listed.ui.reviewList.currentRow = -1
    assert not listed.ui.acceptSliceButton.enabled
    assert not listed.ui.correctSliceButton.enabled
