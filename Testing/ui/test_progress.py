"""Whatever lasts is shown with a way out."""

import pytest


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(bench):
    clock = Clock()
    bench.panel.progress._clock = clock
    return clock


@pytest.fixture
def slow(bench):
    """The engine answers only when told to."""
    bench.click("positiveButton")
    bench.engine.is_automatic = False
    return bench.engine


def is_shown(bench):
    return not bench.ui.progressBar.pyside.isHidden() and not bench.ui.cancelButton.pyside.isHidden()


def test_the_first_click_on_a_slice_shows_progress_at_once(bench, slow):
    bench.session.addPoint((20, 20))
    bench.tick()
    assert is_shown(bench)
    assert bench.ui.statusText.text.startswith("Encoding the slice")
    slow.answer("predict")
    bench.tick()
    assert not is_shown(bench)


def test_a_click_on_a_slice_that_is_ready_shows_the_bar_only_if_it_lasts(bench, slow, clock):
    bench.session.addPoint((20, 20))
    slow.answer("predict")
    bench.session.addPoint((30, 20))
    bench.tick()
    assert not is_shown(bench)
    clock.now += 0.6
    bench.tick()
    assert is_shown(bench)


def test_cancel_drops_the_prediction_and_keeps_the_prompt(bench, slow):
    bench.session.addPoint((20, 20))
    bench.tick()
    bench.click("cancelButton")
    assert not bench.session.isBusy
    assert not is_shown(bench)
    assert len(bench.session.prompts()) == 1


def test_loading_a_network_can_be_cancelled(bench, clock):
    bench.engine.is_automatic = False
    bench.click("positiveButton")
    clock.now += 0.6
    bench.tick()
    assert is_shown(bench)
    assert bench.ui.progressBar.format == "Loading Compact SAM-UNet"
    bench.click("cancelButton")
    assert not is_shown(bench)
    assert not bench.panel.model.isLoading


def test_a_task_that_another_one_has_replaced_does_not_end_it(bench):
    progress, first, second = bench.panel.progress, object(), object()
    progress.begin(first, "first", lambda: None, isLong=True)
    progress.begin(second, "second", lambda: None, isLong=True)
    progress.end(first)
    assert is_shown(bench)
    progress.end(second)
    assert not is_shown(bench)


def test_the_row_keeps_its_height(bench):
    frame = bench.ui.progressFrame.pyside
    before = frame.height()
    bench.panel.progress.begin(object(), "work", lambda: None, isLong=True)
    assert frame.height() == before
