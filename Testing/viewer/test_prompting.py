"""Clicks and drags with a real mouse in every view, and what becomes of them."""

import pytest

# Places in the views of the sample CT as they are first shown, in fractions of width and height: something
# soft to segment in each, and the air beside the patient.
ORGANS = {"Red": (0.25, 0.42), "Yellow": (0.5, 0.82), "Green": (0.51, 0.84), "Oblique": (0.25, 0.42)}
AIR = (0.04, 0.3)
RED = 40


def segment(page, view="Red"):
    page.waitForMask(lambda: page.click(view, *ORGANS[view]))


@pytest.mark.parametrize("view", ["Red", "Yellow", "Green"])
def test_a_click_in_any_view_puts_a_mask_under_the_mouse(page, view):
    place = ORGANS[view]
    assert page.redness(view, *place) < 10
    segment(page, view)
    assert page.redness(view, *place) > RED
    assert page.redness(view, *AIR) < 10
    assert page.segments() == ["Segment_1"]


def test_a_click_in_the_turned_oblique_view_puts_a_mask_under_the_mouse(page):
    page.setState("obliqueTilt", 20)
    page.settle()
    segment(page, "Oblique")
    assert page.redness("Oblique", *ORGANS["Oblique"]) > RED
    page.setState("obliqueTilt", 0)
    page.settle()
    # The straight slice crosses the turned one in a line: hardly anything of its mask is there.
    assert page.redArea("Oblique") < 0.01


def test_a_box_puts_a_mask_inside_it_and_nothing_outside(page):
    page.press("tool-box")
    x, y = ORGANS["Red"]
    page.waitForMask(lambda: page.drag("Red", (x - 0.08, y - 0.14), (x + 0.08, y + 0.14)))
    assert page.redness("Red", x, y) > RED
    assert page.redness("Red", x + 0.2, y) < 10


def test_a_negative_point_takes_away_what_is_under_it(page):
    page.press("tool-box")
    x, y = ORGANS["Red"]
    page.waitForMask(lambda: page.drag("Red", (x - 0.1, y - 0.3), (x + 0.2, y + 0.2)))
    area = page.redArea("Red")
    page.page.keyboard.press("n")
    page.wait(lambda: page.state("tool") == "negative", "the key does nothing")
    page.waitForMask(lambda: page.click("Red", x, y))
    assert page.redArea("Red") < area


def test_control_and_click_is_a_negative_point_with_any_tool(page):
    segment(page)
    before = page.redArea("Red")
    page.waitForMask(lambda: page.click("Red", *ORGANS["Red"], modifiers=["Control"]))
    assert page.state("undoLabel") == "negative point"
    assert page.redArea("Red") < before


def test_undo_and_redo_take_prompt_and_mask_back_and_forth(page):
    segment(page)
    shown = page.picture("Red")
    page.press("undo")
    page.wait(lambda: page.state("redoLabel"), "nothing was undone")
    page.settle()
    assert page.redArea("Red") == 0
    page.page.keyboard.press("Control+y")
    page.wait(lambda: not page.state("redoLabel"), "nothing was redone")
    page.page.mouse.move(*page.place("Red", *ORGANS["Red"]))
    page.settle()
    assert abs(page.picture("Red") - shown).max() < 40


def test_a_prompt_can_be_dragged_and_the_mask_follows(page):
    segment(page)
    x, y = ORGANS["Red"]
    page.waitForMask(lambda: page.drag("Red", (x, y), (x + 0.27, y + 0.02)))
    assert page.redness("Red", x + 0.27, y + 0.02) > RED


def test_clear_removes_prompts_and_mask_and_accept_keeps_the_mask(page):
    segment(page)
    page.press("clear")
    page.wait(lambda: not page.state("hasPrompts"), "the prompts stay")
    page.settle()
    assert page.redArea("Red") == 0
    segment(page)
    area = page.redArea("Red")
    page.press("accept")
    page.wait(lambda: not page.state("hasPrompts"), "the prompts stay")
    page.settle()
    assert page.redArea("Red") > 0.5 * area


def test_a_click_beside_the_volume_is_refused_with_a_sentence(page):
    sentence = page.waitForStatus("outside", lambda: page.click("Red", 0.01, 0.95))
    assert sentence.endswith(".")
