"""While the network computes the page goes on working, and the user can give up."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from viewer.test_prompting import ORGANS, segment
from viewer.test_views import position


@pytest.fixture
def engine(viewer):
    """Process ID of the engine, which goes on at the end whatever the test did to it."""
    children = Path(f"/proc/{viewer.process.pid}/task/{viewer.process.pid}/children").read_text().split()
    (pid,) = [int(each) for each in children if b"worker" in Path(f"/proc/{each}/cmdline").read_bytes()]
    yield pid
    if Path(f"/proc/{pid}").exists():
        os.kill(pid, signal.SIGCONT)


def test_slices_can_be_scrolled_while_a_mask_is_awaited_and_the_mask_comes(page, engine):
    os.kill(engine, signal.SIGSTOP)
    page.click("Red", *ORGANS["Red"])
    page.wait(lambda: page.isVisible("progress"), "nothing says that it works")
    before, picture = position(page, "Green"), page.picture("Green")
    page.page.mouse.move(*page.place("Green", 0.5, 0.5))
    page.page.mouse.wheel(0, -100)
    page.wait(lambda: position(page, "Green") != before, "the page is frozen")
    page.wait(lambda: not np.array_equal(page.picture("Green"), picture), "the view is frozen")
    page.waitForMask(lambda: os.kill(engine, signal.SIGCONT))


def test_a_mask_can_be_given_up(page, engine):
    os.kill(engine, signal.SIGSTOP)
    page.click("Red", *ORGANS["Red"])
    page.wait(lambda: page.isVisible("cancel"), "it cannot be given up")
    page.press("cancel")
    page.wait(lambda: not page.isVisible("progress"), "it goes on")
    os.kill(engine, signal.SIGCONT)
    page.settle()
    assert page.redArea("Red") < 0.005
    page.press("undo")
    segment(page)


def test_an_engine_that_dies_is_started_again_and_the_mask_comes(page, engine):
    os.kill(engine, signal.SIGSTOP)
    page.click("Red", *ORGANS["Red"])
    page.wait(lambda: page.isVisible("progress"), "nothing says that it works")
    os.kill(engine, signal.SIGKILL)
    page.wait(lambda: page.redArea("Red") > 0.005, "no mask comes")


def test_propagation_goes_on_while_the_page_works_and_is_one_undo_step(page):
    segment(page)
    before = position(page, "Red")
    page.press("propagate")
    page.wait(lambda: "slices segmented" in page.text("status"), "it never ends")
    assert page.state("undoLabel") == "propagate"
    page.page.mouse.move(*page.place("Red", 0.5, 0.5))
    page.page.mouse.wheel(0, -100)
    page.wait(lambda: position(page, "Red") != before, "the view is frozen")
    page.settle()
    assert page.redArea("Red") > 0.005
    page.press("undo")
    page.wait(lambda: page.state("redoLabel") == "propagate", "it is not undone")
    page.settle()
    assert page.redArea("Red") < 0.001


def test_propagation_can_be_cancelled_and_keeps_what_is_done(page, engine):
    segment(page)
    os.kill(engine, signal.SIGSTOP)
    page.press("propagate")
    page.wait(lambda: page.isVisible("cancel"), "it cannot be cancelled")
    page.press("cancel")
    page.wait(lambda: not page.isVisible("progress"), "it goes on")
    os.kill(engine, signal.SIGCONT)
    assert page.redArea("Red") > 0.005
