"""What the user has done survives the tab, the viewer and a crash."""

import shutil
import signal
from types import SimpleNamespace

import pytest

from viewer.test_prompting import ORGANS, RED, segment
from viewer.test_results import download, labels_of, records_of
from viewer.viewing import OTHER, VOLUME, Page, ViewerProcess, tabs


@pytest.fixture(scope="module")
def crash(tmp_path_factory, browser):
    """``saved``: what a viewer that was killed has left behind; ``results``: what was downloaded before."""
    from SAMUNetSlicerLib.viewer.work import readWork

    folder = tmp_path_factory.mktemp("crash")
    viewer, saved = ViewerProcess(folder / "home"), folder / "home" / "viewer"

    def count():
        return sum(len(readWork(path).document["prompts"]) for path in saved.glob("*.npz"))

    with tabs(browser) as open_tab:
        page = Page(open_tab(), viewer.address)
        segment(page)
        page.wait(lambda: count() == 1, "the first prompt is not saved")
        segment(page, "Green")
        page.wait(lambda: count() == 2, "the second prompt is not saved")
        download(page, folder / "results")
        viewer.stop(signal.SIGKILL)
    return SimpleNamespace(saved=saved, results=folder / "results")


@pytest.fixture
def start(crash, tmp_path, new_tab):
    """Starts a viewer where the other one was killed, and opens its page; ``start.saved``: its saved work."""
    viewers, saved = [], tmp_path / "home" / "viewer"
    shutil.copytree(crash.saved, saved)

    def start():
        viewers.append(ViewerProcess(tmp_path / "home"))
        return viewers[-1], Page(new_tab(), viewers[-1].address)

    start.saved = saved
    yield start
    for viewer in viewers:
        viewer.stop()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_tab_that_is_closed_and_opened_again_shows_everything(page, viewer):
    segment(page)
    page.page.goto("about:blank")
    page.enter(viewer.address)
    assert page.segments() == ["Segment_1"]
    assert page.redness("Red", *ORGANS["Red"]) > RED
    page.waitForMask(lambda: page.click("Red", 0.3, 0.3, modifiers=["Control"]))


def test_after_a_crash_the_work_is_offered_and_taken_up(start, crash, tmp_path):
    _, page = start()
    page.wait(lambda: page.isVisible("continue"), "nothing is offered")
    assert not page.segments()
    page.press("continue")
    page.wait(lambda: page.segments() == ["Segment_1"], "the work does not come back")
    page.settle()
    assert page.redness("Red", *ORGANS["Red"]) > RED
    assert page.state("hasPrompts")
    download(page, tmp_path / "after")
    assert (labels_of(crash.results) == labels_of(tmp_path / "after")).all()
    assert str(records_of(crash.results)) == str(records_of(tmp_path / "after"))
    # The prompts are alive: one more click refines the mask that they made.
    page.waitForMask(lambda: page.click("Red", *ORGANS["Red"], modifiers=["Control"]))


def test_work_that_is_not_wanted_is_set_aside_and_not_lost(start):
    _, page = start()
    page.press("begin-anew")
    page.wait(lambda: not page.state("savedWork"), "the question stays")
    assert not page.segments()
    assert [name.endswith(".previous.npz") for name in names(start.saved)] == [True]


def test_saved_work_waits_unchanged_for_an_answer(start):
    (path,) = start.saved.iterdir()
    content = path.read_bytes()
    viewer, page = start()
    page.wait(lambda: page.state("savedWork"), "nothing is offered")
    page.page.close()
    assert viewer.stop(signal.SIGINT) == 0
    assert names(start.saved) == [path.name]
    assert path.read_bytes() == content


def test_damaged_work_is_told_and_kept(start):
    (path,) = start.saved.iterdir()
    path.write_bytes(path.read_bytes()[:-200])
    _, page = start()
    assert "damaged" in page.text("status")
    assert not page.state("savedWork")
    assert names(start.saved) == [path.with_suffix(".previous.npz").name]


def test_work_of_which_nothing_is_left_is_not_offered(page):
    segment(page)
    page.deleteAll()
    page.open(OTHER)
    page.wait(lambda: page.state("volumeName") == "ts_mr3mm", "it is not opened")
    page.open(VOLUME)
    page.wait(lambda: page.state("volumeName") == "ts_ct3mm", "it is not opened again")
    page.settle()
    assert not page.state("savedWork")
