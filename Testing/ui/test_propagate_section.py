"""A segment carried through the volume from the panel, and the slices to look at afterwards."""

import pytest


@pytest.fixture
def prompted(bench):
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    return bench


def run(bench):
    bench.click("propagateButton")
    for _ in range(500):
        bench.tick(1)
        if not bench.panel.propagate.propagator.isRunning:
            return
    raise AssertionError("the propagation did not end")


def test_the_button_needs_a_segment(bench):
    assert not bench.ui.propagateButton.enabled
    bench.click("addSegmentButton")
    assert bench.ui.propagateButton.enabled


def test_the_line_says_how_many_slices_were_segmented(prompted):
    run(prompted)
    assert "slices segmented in" in prompted.ui.statusText.text
    assert prompted.session.undoLabel == "propagate"


def test_limits_hold(prompted):
    ui = prompted.ui
    ui.limitCheck.checked = True
    ui.firstSliceSpin.value, ui.lastSliceSpin.value = 3, 5
    run(prompted)
    assert ui.statusText.text.startswith("2 slices segmented")


def test_three_axes_are_an_option_that_says_what_it_costs(prompted):
    propagate = prompted.panel.propagate
    assert propagate._options().axes == ()
    slices = sum(prompted.volume.GetImageData().GetDimensions())
    assert f"up to {slices} slices" in prompted.ui.axesCombo.pyside.itemText(1)
    propagate.axes.choose("all")
    assert propagate._options().axes == ("I", "J", "K")
    run(prompted)
    assert "slices segmented in" in prompted.ui.statusText.text
    propagate.method.choose("fill")
    assert propagate._options().axes == ()


def test_another_volume_has_another_cost_and_the_choice_stays(prompted):
    prompted.panel.propagate.axes.choose("all")
    prompted.ui.volumeSelector.setCurrentNode(None)
    assert prompted.ui.axesCombo.currentText == "all three"
    assert prompted.panel.propagate.axes.key == "all"


def test_options_that_do_not_apply_are_off(bench):
    bench.panel.propagate.method.choose("fill")
    assert not bench.ui.confidenceSpin.enabled
    assert not bench.ui.axesCombo.enabled
    assert not bench.ui.firstSliceSpin.enabled
    bench.ui.limitCheck.checked = True
    assert bench.ui.firstSliceSpin.enabled


def test_cancel_keeps_what_was_done(prompted):
    prompted.engine.is_automatic = False
    prompted.click("propagateButton")
    prompted.panel.progress.cancel()
    prompted.tick()
    assert not prompted.panel.propagate.propagator.isRunning
    assert prompted.mask().any()


def test_an_empty_segment_is_one_sentence(bench):
    bench.click("positiveButton")
    bench.click("addSegmentButton")
    bench.click("propagateButton")
    bench.tick()
    assert "nothing to propagate" in bench.ui.statusText.text
    assert not bench.panel.progress.isShown
