"""Prompts by a real mouse in real slice views, through the interactor that Slicer itself listens to.

Each test runs in a child process; see `view_desk` for what a front end holds.
"""

import numpy as np
import pytest

from child_process import needs_opengl, run_in_child

pytestmark = [pytest.mark.view, needs_opengl]


def kinds(desk, name="Red"):
    return [record.kind for record in desk.prompts(name)]


def test_clicks_make_points_and_drags_make_boxes():
    run_in_child(clicks_and_drags)


def clicks_and_drags():
    from app.view_desk import desk_on

    desk = desk_on()
    place = (140, 160)
    desk.click(place)
    (point,) = desk.prompts()
    assert point.kind == "positive"
    np.testing.assert_allclose(point.ras[0], desk.ras_at(place), atol=1e-6)
    x, y = desk.plane().rasToPixel(point.ras)[0][0]
    assert desk.mask()[round(y), round(x)]

    area = desk.mask().sum()
    desk.click((140, 185), control=True)
    assert kinds(desk) == ["positive", "negative"] and desk.mask().sum() < area
    desk.click((200, 100), alt=True)
    desk.tools.tool = "negative"
    desk.click((210, 130))
    assert kinds(desk) == ["positive"] + ["negative"] * 3

    desk.tools.tool = "box"
    desk.click((60, 240))
    assert len(desk.prompts()) == 4, "a click with the box tool is nothing"
    desk.drag((40, 40), (100, 90))
    box = desk.prompts()[-1]
    assert box.kind == "box"
    pixels, _ = desk.plane().rasToPixel(box.ras)
    expected, _ = desk.plane().rasToPixel([desk.ras_at((40, 40)), desk.ras_at((100, 90))])
    np.testing.assert_allclose(np.sort(pixels, axis=0), np.sort(expected, axis=0), atol=1e-3)
    low, high = np.ceil(expected.min(axis=0)).astype(int), np.floor(expected.max(axis=0)).astype(int)
    assert desk.mask()[(low[1] + high[1]) // 2, (low[0] + high[0]) // 2]
    assert desk.errors == []
    desk.close()


def test_a_hand_that_trembles_still_clicks_and_a_double_click_is_one_point():
    run_in_child(trembling_and_double_clicks)


def trembling_and_double_clicks():
    from app.view_desk import desk_on

    desk = desk_on()
    desk.drag((140, 160), (142, 161))
    assert kinds(desk) == ["positive"]
    np.testing.assert_allclose(desk.prompts()[0].ras[0], desk.ras_at((140, 160)), atol=1e-6)
    window = desk.windows["Red"]
    desk.click((200, 200))
    maximized = []
    desk.views["Red"].node.AddObserver("AnyEvent", lambda *_: maximized.append(1))
    for event in ("LeftButtonDoubleClick", "LeftButtonRelease"):
        window.mouse(event, 200, 200)
    desk.session.waitUntilIdle()
    assert len(desk.prompts()) == 2 and not maximized
    desk.close()


def test_the_rest_of_the_mouse_stays_with_the_view():
    run_in_child(view_navigation)


def view_navigation():
    from app.view_desk import desk_on

    desk = desk_on()
    node, window = desk.views["Red"].node, desk.windows["Red"]
    field = node.GetFieldOfView()
    desk.drag((200, 200), (200, 240), button="Right")
    assert node.GetFieldOfView()[0] != field[0]
    origin = node.GetXYZOrigin()
    desk.drag((200, 200), (230, 240), button="Middle")
    assert node.GetXYZOrigin() != origin
    origin = node.GetXYZOrigin()
    desk.drag((200, 200), (230, 240), shift=True)
    assert node.GetXYZOrigin() != origin
    offset = node.GetSliceOffset()
    window.mouse("MouseWheelForward", 150, 150)
    desk.session.poll()
    assert node.GetSliceOffset() == offset + 2.5
    assert desk.session.plane.sameAs(desk.plane())
    composite = desk.views["Red"].logic.GetSliceCompositeNode()
    other = desk.scene.CopyNode(desk.volume)
    composite.SetForegroundVolumeID(other.GetID())
    composite.SetForegroundOpacity(0.5)
    desk.drag((150, 150), (150, 200), control=True)
    assert composite.GetForegroundOpacity() != 0.5
    assert desk.session.segmentationNode is None
    desk.tools.tool = None
    desk.click((140, 160))
    assert desk.session.segmentationNode is None
    desk.close()


def test_a_point_and_a_corner_that_are_dragged_take_the_mask_along():
    run_in_child(dragged_prompts)


def dragged_prompts():
    from app.view_desk import desk_on
    from SAMUNetSlicerLib.app.session import undoSteps

    # Whether the user pauses is a matter of the clock, which a busy computer must not decide here.
    undoSteps._DRAG_ENDS_AFTER = float("inf")
    desk = desk_on()
    desk.click((140, 160))
    before = desk.mask()
    desk.away()
    heard = []
    desk.session.maskChanged.connect(lambda *_: heard.append(desk.mask().sum()))
    window = desk.windows["Red"]
    window.mouse("MouseMove", 140, 160)
    window.mouse("LeftButtonPress", 140, 160)
    for x in range(145, 205, 5):
        window.mouse("MouseMove", x, 160)
        desk.session.poll()
    live = len(heard)
    window.mouse("LeftButtonRelease", 200, 160)
    desk.session.waitUntilIdle()
    (point,) = desk.prompts()
    np.testing.assert_allclose(point.ras[0], desk.ras_at((200, 160)), atol=1e-6)
    assert live >= 5 and not (desk.mask() & before).any()
    assert desk.session.undoLabel == "move positive point"
    desk.session.undo()
    np.testing.assert_array_equal(desk.mask(), before)

    desk.away()
    desk.drag((40, 40), (100, 90))
    area = desk.mask().sum()
    desk.away()
    desk.drag((100, 90), (130, 120), steps=6)
    box = desk.prompts()[-1]
    pixels, _ = desk.plane().rasToPixel(box.ras)
    expected, _ = desk.plane().rasToPixel([desk.ras_at((40, 40)), desk.ras_at((130, 120))])
    np.testing.assert_allclose(np.sort(pixels, axis=0), np.sort(expected, axis=0), atol=0.2)
    assert desk.mask().sum() > area and kinds(desk) == ["positive", "box"]
    assert desk.session.undoLabel == "move box"
    desk.session.undo()
    assert desk.mask().sum() == area
    desk.close()


def test_a_late_answer_to_a_drag_is_dropped_when_the_prompt_is_removed():
    run_in_child(removed_while_dragged)


def removed_while_dragged():
    from app.view_desk import desk_on

    desk = desk_on()
    desk.click((140, 160))
    desk.away()
    desk.engine.is_automatic = False
    window = desk.windows["Red"]
    window.mouse("MouseMove", 140, 160)
    window.mouse("LeftButtonPress", 140, 160)
    for x in (160, 180, 200):
        window.mouse("MouseMove", x, 160)
        desk.session.poll()
    assert len(desk.engine.waiting("predict")) == 1, "one question at a time"
    window.mouse("LeftButtonRelease", 200, 160)
    window.key("Delete", 127)
    assert desk.prompts() == [] and desk.engine.waiting("predict") == []
    desk.session.waitUntilIdle()
    assert not desk.mask().any()
    desk.close()


def test_delete_removes_the_prompt_under_the_mouse():
    run_in_child(delete_key)


def delete_key():
    from app.view_desk import desk_on

    desk = desk_on()
    window = desk.windows["Red"]
    desk.click((140, 160))
    desk.away()
    desk.drag((40, 40), (100, 90))
    desk.away()
    window.key("Delete", 127)
    assert kinds(desk) == ["positive", "box"]
    window.mouse("MouseMove", 100, 90)
    window.key("Delete", 127)
    desk.session.waitUntilIdle()
    assert kinds(desk) == ["positive"]
    window.mouse("MouseMove", 140, 160)
    window.key("BackSpace", 8)
    desk.session.waitUntilIdle()
    assert kinds(desk) == [] and not desk.mask().any()
    desk.session.undo()
    desk.session.undo()
    assert kinds(desk) == ["positive", "box"] and desk.mask().any()
    desk.close()


def test_a_box_is_seen_while_it_is_dragged_and_escape_gives_it_up():
    run_in_child(rubber_band)


def rubber_band():
    from app.view_desk import desk_on

    desk = desk_on()
    window = desk.windows["Red"]
    empty = window.picture()
    window.mouse("MouseMove", 40, 40)
    window.mouse("LeftButtonPress", 40, 40)
    window.mouse("MouseMove", 100, 90)
    changed = np.argwhere((window.picture() != empty).any(axis=2))
    assert abs(changed.min(axis=0) - (300 - 1 - 90, 40)).max() <= 3
    assert abs(changed.max(axis=0) - (300 - 1 - 40, 100)).max() <= 3
    window.key("Escape", 27)
    np.testing.assert_array_equal(window.picture(), empty)
    window.mouse("MouseMove", 120, 110)
    window.mouse("LeftButtonRelease", 120, 110)
    desk.session.waitUntilIdle()
    assert desk.session.segmentationNode is None
    desk.drag((40, 40), (100, 90))
    assert kinds(desk) == ["box"], "the next drag is a box again"
    desk.close()


def test_a_mouse_mode_of_slicer_ends_the_tool_and_a_tool_ends_the_mode():
    run_in_child(mouse_modes)


def mouse_modes():
    from app.view_desk import desk_on

    desk = desk_on()
    heard = []
    desk.tools.toolChanged.connect(heard.append)
    interaction = desk.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    interaction.SetCurrentInteractionMode(interaction.AdjustWindowLevel)
    assert desk.tools.tool is None and heard == [None]
    desk.tools.tool = "box"
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform
    assert heard == [None, "box"]
    ruler = desk.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    desk.host.logics["Markups"].SetActiveList(ruler)
    interaction.SetCurrentInteractionMode(interaction.Place)
    desk.click((140, 160))
    assert ruler.GetNumberOfControlPoints() >= 1 and desk.session.segmentationNode is None
    desk.close()


def test_markups_of_others_keep_their_clicks():
    run_in_child(markups_of_others)


def markups_of_others():
    from app.view_desk import desk_on

    desk = desk_on()
    markups = desk.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    markups.CreateDefaultDisplayNodes()
    import vtk

    markups.AddControlPointWorld(vtk.vtkVector3d(*desk.ras_at((150, 150))))
    desk.drag((150, 150), (200, 180))
    position = [0.0] * 3
    markups.GetNthControlPointPositionWorld(0, position)
    np.testing.assert_allclose(position, desk.ras_at((200, 180)), atol=1e-6)
    assert desk.session.segmentationNode is None
    desk.close()


def test_a_click_beside_the_image_says_why_nothing_happens():
    run_in_child(beside_the_image)


def beside_the_image():
    from app.view_desk import desk_on

    desk = desk_on(shape=(20, 60, 30))
    desk.click((5, 150))
    (error,) = desk.errors
    assert "outside the image" in str(error)
    assert desk.session.segmentationNode is None
    desk.close()


def test_views_show_the_preview_of_a_click_and_take_it_away():
    run_in_child(preview_in_a_view)


def preview_in_a_view():
    from app.view_desk import desk_on

    desk = desk_on()
    window = desk.windows["Red"]
    desk.tools.preview.isEnabled = True
    desk.session.prefetch(most=1)
    poll(desk)
    empty = window.picture()
    window.mouse("MouseMove", 150, 150)
    poll(desk)
    shown = np.argwhere((window.picture() != empty).any(axis=2))
    assert len(shown) and np.abs(shown.mean(axis=0) - 150).max() < 5
    assert desk.session.segmentationNode is None
    window.mouse("Leave", 150, 150)
    poll(desk)
    np.testing.assert_array_equal(window.picture(), empty)
    desk.close()


def poll(desk):
    import time

    for _ in range(4):
        desk.session.poll()
        time.sleep(0.05)


def test_a_closed_tool_leaves_nothing_behind():
    run_in_child(closed_tools)


def closed_tools():
    from app.view_desk import desk_on

    desk = desk_on()
    window = desk.windows["Red"]
    window.mouse("MouseMove", 40, 40)
    window.mouse("LeftButtonPress", 40, 40)
    window.mouse("MouseMove", 100, 90)
    desk.tools.close()
    desk.tools.close()
    window.mouse("LeftButtonRelease", 100, 90)
    window.click(140, 160)
    assert desk.session.segmentationNode is None
    assert desk.tools.tool is None
    desk.close()
