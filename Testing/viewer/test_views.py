"""Slices, window, crosshair, layout, theme: what a reader does before and between clicks."""

import re

import pytest


def position(page, view):
    """Offset of the shown slice in mm, as the page says it."""
    return float(re.match(r"(-?[\d.]+) mm", page.text(f"position-{view}")).group(1))


@pytest.mark.parametrize("view", ["Red", "Yellow", "Green", "Oblique"])
def test_the_wheel_moves_by_one_slice(page, view):
    before, picture = position(page, view), page.picture(view)
    page.page.mouse.move(*page.place(view, 0.5, 0.5))
    page.page.mouse.wheel(0, -100)
    page.wait(lambda: position(page, view) != before, "the slice stays")
    assert abs(abs(position(page, view) - before) - 3.0) < 0.11
    page.settle()
    assert (page.picture(view) != picture).any()


def test_the_slider_moves_the_slice(page):
    before = position(page, "Green")
    slider = page.page.locator("[role=slider][title='Coronal slice']")
    slider.focus()
    slider.press("ArrowRight")
    page.wait(lambda: position(page, "Green") != before, "the slice stays")


def test_dragging_with_the_window_tool_changes_window_and_level(page):
    before = page.text("window")
    page.press("tool-window")
    page.wait(lambda: page.state("tool") == "window", "the tool is not taken")
    page.drag("Red", (0.4, 0.4), (0.6, 0.55))
    page.wait(lambda: page.text("window") != before, "the window stays")
    assert not page.segments()
    page.press("window")
    page.page.get_by_text("CT abdomen").click()
    page.wait(lambda: page.text("window") == "W 350 L 40", "the preset does nothing")


def test_pointing_shows_the_place_in_the_other_views(page):
    page.page.keyboard.press("m")
    page.wait(lambda: page.state("tool") == "navigate", "the key does nothing")
    before = position(page, "Red"), position(page, "Yellow"), position(page, "Green")
    page.click("Red", 0.35, 0.35)
    page.wait(lambda: position(page, "Yellow") != before[1], "the sagittal view stays")
    page.wait(lambda: position(page, "Green") != before[2], "the coronal view stays")
    assert position(page, "Red") == before[0]
    assert page.state("hasCrosshair")
    page.press("hasCrosshair")


def test_a_view_can_be_shown_alone_and_its_picture_grows(page):
    before = page.picture("Green").shape
    page.press("maximize-Green")
    page.wait(lambda: not page.isVisible("view-Red"), "the other views stay")
    page.settle()
    assert page.picture("Green").shape[0] > 1.8 * before[0]
    page.press("maximize-Green")
    page.wait(lambda: page.isVisible("view-Red"), "the other views do not come back")
    page.settle()
    assert page.picture("Green").shape == before


def test_letters_say_where_the_patient_is(page):
    letters = [page.page.locator(f"#view-Red .samunet-{border}").inner_text() for border in ("left", "top")]
    assert letters == ["R", "A"]
    page.setState("obliqueTurn", 30)
    left = page.page.locator("#view-Oblique .samunet-left")
    page.wait(lambda: len(left.inner_text()) == 2, "the letters stay those of the straight slice")
    page.setState("obliqueTurn", 0)


def test_the_page_is_dark_or_light_and_the_views_stay_black(page):
    corner = page.picture("Red")[5, -120]
    page.press("theme")
    page.wait(lambda: page.page.locator(".v-theme--light").count(), "the page stays dark")
    page.settle()
    assert (page.picture("Red")[5, -120] == corner).all()
    page.press("theme")


def test_zooming_keeps_when_the_window_changes_its_size_and_fit_shows_all_again(page):
    whole = page.picture("Red")
    page.page.mouse.move(*page.place("Red", 0.5, 0.5))
    page.page.keyboard.down("Control")
    for _ in range(5):
        page.page.mouse.wheel(0, -100)
    page.page.keyboard.up("Control")
    page.settle()
    assert (page.picture("Red") != whole).mean() > 0.2
    page.press("fit-Red")
    page.settle()
    assert (abs(page.picture("Red") - whole) > 30).mean() < 0.02
