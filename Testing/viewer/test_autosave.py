"""What the user has done survives the tab, the viewer and a crash."""

import signal

import pytest

from viewer.test_prompting import ORGANS, RED, segment
from viewer.test_results import download, labels_of, records_of
from viewer.viewing import Page, ViewerProcess


@pytest.fixture
def start(tmp_path, new_tab):
    """Starts viewers one after the other on one home folder, and opens their pages."""
    viewers = []

    def start():
        viewers.append(ViewerProcess(tmp_path / "home"))
        return viewers[-1], Page(new_tab(), viewers[-1].address)

    yield start
    for viewer in viewers:
        viewer.stop()


def saved(tmp_path):
    return sorted(path.name for path in (tmp_path / "home" / "viewer").glob("*"))


def wait_until_saved(page, tmp_path):
    page.wait(lambda: any(name.endswith(".npz") for name in saved(tmp_path)), "nothing is saved")


def test_a_tab_that_is_closed_and_opened_again_shows_everything(start, new_tab):
    viewer, page = start()
    segment(page)
    page.page.close()
    again = Page(new_tab(), viewer.address)
    assert again.segments() == ["Segment_1"]
    assert again.redness("Red", *ORGANS["Red"]) > RED
    again.waitForMask(lambda: again.click("Red", 0.3, 0.3, modifiers=["Control"]))


def test_after_a_crash_the_work_is_offered_and_taken_up(start, tmp_path):
    viewer, page = start()
    segment(page)
    segment(page, "Green")
    wait_until_saved(page, tmp_path)
    page.page.wait_for_timeout(2500)
    download(page, tmp_path / "before")
    page.page.close()
    viewer.stop(signal.SIGKILL)

    viewer, page = start()
    page.wait(lambda: page.page.locator("#continue").count(), "nothing is offered")
    assert not page.segments()
    page.press("continue")
    page.wait(lambda: page.segments() == ["Segment_1"], "the work does not come back")
    page.settle()
    assert page.redness("Red", *ORGANS["Red"]) > RED
    assert page.state("hasPrompts")
    download(page, tmp_path / "after")
    assert (labels_of(tmp_path / "before") == labels_of(tmp_path / "after")).all()
    assert str(records_of(tmp_path / "before")) == str(records_of(tmp_path / "after"))
    # The prompts are alive: one more click refines the mask that they made.
    page.waitForMask(lambda: page.click("Red", *ORGANS["Red"], modifiers=["Control"]))


def test_work_that_is_not_wanted_is_set_aside_and_not_lost(start, tmp_path):
    viewer, page = start()
    segment(page)
    page.page.close()
    assert viewer.stop(signal.SIGINT) == 0
    viewer, page = start()
    page.press("begin-anew")
    page.wait(lambda: not page.state("savedWork"), "the question stays")
    assert not page.segments()
    assert [name.endswith(".previous.npz") for name in saved(tmp_path)] == [True]


def test_saved_work_waits_unchanged_for_an_answer(start, tmp_path):
    viewer, page = start()
    segment(page)
    page.page.close()
    viewer.stop()
    (path,) = (tmp_path / "home" / "viewer").glob("*.npz")
    content = path.read_bytes()
    viewer, page = start()
    page.wait(lambda: page.state("savedWork"), "nothing is offered")
    page.page.close()
    viewer.stop()
    assert path.read_bytes() == content


def test_damaged_work_is_told_and_kept(start, tmp_path):
    viewer, page = start()
    segment(page)
    page.page.close()
    viewer.stop()
    (path,) = (tmp_path / "home" / "viewer").glob("*.npz")
    path.write_bytes(path.read_bytes()[:-200])
    viewer, page = start()
    assert "damaged" in page.text("status")
    assert not page.state("savedWork")
    assert saved(tmp_path) == [path.with_suffix(".previous.npz").name]
