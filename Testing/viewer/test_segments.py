"""The list of segments: what it shows, and what its buttons do to the views."""

from viewer.test_prompting import ORGANS, RED, segment


def row_button(page, title, row=0):
    return page.page.locator(f"#segments button[title='{title}']").nth(row)


def test_a_segment_can_be_hidden_and_shown(page):
    segment(page)
    row_button(page, "Show or hide").click()
    page.wait(lambda: not page.state("segments")[0]["isVisible"], "it is not hidden")
    page.settle()
    assert page.redArea("Red") == 0
    row_button(page, "Show or hide").click()
    page.wait(lambda: page.state("segments")[0]["isVisible"], "it is not shown")
    page.settle()
    assert page.redness("Red", *ORGANS["Red"]) > RED


def test_a_segment_can_be_renamed_with_spaces(page):
    segment(page)
    name = page.page.locator("#segments input.samunet-name")
    name.click()
    name.fill("")
    name.type("Right colon")
    name.press("Enter")
    page.wait(lambda: page.state("segments")[0]["name"] == "Right colon", "the name stays")


def test_a_segment_can_get_another_color(page):
    segment(page)
    picker = page.page.locator("#segments input[type=color]")
    picker.evaluate("each => { each.value = '#2030ff'; each.dispatchEvent(new Event('change')); }")
    page.wait(lambda: page.state("segments")[0]["color"] == "#2030ff", "the color stays")
    page.settle()
    red, _, blue = page.color("Red", *ORGANS["Red"])
    assert blue > red + RED


def test_next_begins_another_segment_which_leaves_the_first_one_alone(page):
    segment(page)
    area = page.redArea("Red")
    page.press("next")
    page.wait(lambda: len(page.segments()) == 2, "there is no other segment")
    page.waitForMask(lambda: page.click("Red", 0.52, 0.5))
    assert page.redArea("Red") > 0.9 * area
    assert len({each["color"] for each in page.state("segments")}) == 2


def test_locked_segments_are_protected_and_unlocked_ones_give_way(page):
    x, y = ORGANS["Red"]
    page.setState("policy", "protectLocked")
    segment(page)
    row_button(page, "Lock").click()
    page.wait(lambda: page.state("segments")[0]["isLocked"], "it is not locked")
    area = page.redArea("Red")
    page.press("next")
    page.wait(lambda: len(page.segments()) == 2, "there is no other segment")
    page.waitForMask(lambda: page.click("Red", x + 0.03, y))
    assert page.redArea("Red") > 0.9 * area
    row_button(page, "Lock").click()
    page.wait(lambda: not page.state("segments")[0]["isLocked"], "it stays locked")
    page.press("clear")
    page.wait(lambda: not page.state("hasPrompts"), "the prompts stay")
    page.waitForMask(lambda: page.click("Red", x + 0.03, y))
    assert page.redArea("Red") < 0.3 * area
    page.setState("policy", "protectAll")


def test_deleting_asks_first_and_takes_mask_and_prompts_along(page):
    segment(page)
    row_button(page, "Delete").click()
    page.press("keep")
    page.wait(lambda: page.state("segmentToDelete") is None, "the question stays")
    assert page.segments() == ["Segment_1"]
    row_button(page, "Delete").click()
    page.press("delete")
    page.wait(lambda: not page.segments(), "the segment stays")
    page.settle()
    assert page.redArea("Red") == 0
