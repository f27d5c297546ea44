"""Prompts by a real mouse in real slice views, through the interactor that Slicer itself listens to.

Each test runs in a child process; see `view_desk` for what a front end holds.
"""

import numpy as np
import pytest
import slicer

from child_process import needs_opengl, run_in_child

pytestmark = [pytest.mark.view, needs_opengl]

SHAPE = (20, 60, 60)


def desk_on(shape=SHAPE, matrix=None, **options):
    from app.view_desk import ViewDesk
    from scene.segmentation_scene import add_volume

    voxels = np.random.default_rng(0).integers(-1000, 1000, shape, dtype=np.int16)
    spacing = np.diag([1.0, 1.0, 2.5, 1.0]) if matrix is None else matrix
    return ViewDesk(lambda host: add_volume(host.scene, ijk_to_ras=spacing, array=voxels), **options)


def kinds(desk, name="Red"):
    return [record.kind for record in desk.prompts(name)]


def test_clicks_make_points_and_drags_make_boxes():
    run_in_child(clicks_and_drags)


def clicks_and_drags():
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
    desk = desk_on(shape=(20, 60, 30))
    desk.click((5, 150))
    (error,) = desk.errors
    assert "outside the image" in str(error)
    assert desk.session.segmentationNode is None
    desk.close()


ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal", "Oblique": "Axial"}


def test_every_view_of_a_tilted_transformed_volume_works():
    run_in_child(tilted_volume)


def tilted_volume():
    from scene.segmentation_scene import put_under_transform, rotation

    tilt = rotation(20, (1, 1, 0)) @ np.diag([0.8, 1.1, 2.5, 1.0])
    desk = desk_on(matrix=tilt, orientations=ORIENTATIONS)
    put_under_transform(desk.scene, desk.volume, rotation(15, (0, 1, 1)))
    for name, view in desk.views.items():
        view.show(desk.volume)
        if name == "Oblique":
            center = desk.ras_at((150, 150), "Red")
            view.setOblique((0.3, 0.5, 1.0), (1.0, 0.0, -0.3), center)
        click_and_check(desk, name)
    desk.views["Green"].alignToVolume(desk.volume)
    click_and_check(desk, "Green")
    assert desk.plane("Green").axis is not None
    assert desk.errors == []
    desk.close()


def click_and_check(desk, name):
    """A click in the middle and a box around it, on the slice that the view shows."""
    place = (148, 152)
    count = len(desk.prompts(name))
    desk.click(place, name)
    point = desk.prompts(name)[count]
    np.testing.assert_allclose(point.ras[0], desk.ras_at(place, name), atol=1e-6)
    pixel, distance = point.plane.rasToPixel(point.ras)
    assert abs(distance[0]) <= point.plane.thickness / 2
    column, row = np.floor(pixel[0] + 0.5).astype(int)
    assert desk.mask(name)[row, column], name
    desk.away(name)
    desk.drag((100, 100), (200, 200), name)
    box = desk.prompts(name)[-1]
    corners, _ = box.plane.rasToPixel(box.ras)
    dragged, _ = box.plane.rasToPixel([desk.ras_at(xy, name) for xy in ((100, 100), (200, 200))])
    low, high = np.sort(corners, axis=0)
    assert (low <= dragged.min(axis=0) + 1e-3).all() and (high >= dragged.max(axis=0) - 1e-3).all()
    desk.away(name)


def test_two_volumes_of_different_geometry_are_segmented_one_after_the_other():
    run_in_child(two_volumes)


def two_volumes():
    from scene.segmentation_scene import add_volume, rotation

    desk = desk_on()
    desk.click((140, 160))
    first, node = desk.session.segmentId, desk.session.segmentationNode
    mask = desk.mask()
    matrix = rotation(-30, (0, 0, 1)) @ np.diag([1.5, 0.7, 4.0, 1.0])
    voxels = np.random.default_rng(1).integers(0, 255, (12, 80, 40), dtype=np.uint8)
    desk.volume = add_volume(desk.scene, ijk_to_ras=matrix, array=voxels, name="B")
    desk.session.setSegmentation(None)
    desk.session.setVolume(desk.volume)
    desk.views["Red"].show(desk.volume)
    click_and_check(desk, "Red")
    assert desk.session.segmentationNode is not node
    assert desk.session.workspace.writer.readMask(node, first, node_plane(desk, node)).sum() == mask.sum()
    assert desk.errors == []
    desk.close()


def node_plane(desk, node):
    """The slice of the first volume that was clicked on."""
    from SAMUNetSlicerLib.scene.promptStore import PromptStore

    store = PromptStore(desk.scene, node)
    (plane,) = store.planes(node.GetSegmentation().GetSegmentIDs()[0])
    store.close()
    return plane


def test_the_shown_frame_of_a_sequence_is_segmented():
    run_in_child(sequence_frame)


def sequence_frame():
    from app.view_desk import ViewDesk

    desk = ViewDesk(add_sequence)
    desk.click((140, 160))
    images = []
    predict = desk.engine.predict
    desk.engine.predict = lambda image, prompts: images.append(image) or predict(image, prompts)
    browser = desk.scene.GetFirstNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetSelectedItemNumber(1)
    desk.host.logics["Sequences"].UpdateProxyNodesFromSequences(browser)
    desk.away()
    desk.click((200, 100))
    expected = desk.session.workspace.images.image(desk.volume, desk.plane(), desk.session.workspace.window())
    np.testing.assert_array_equal(images[-1], expected)
    assert len(desk.prompts()) == 2 and desk.errors == []
    desk.close()


def add_sequence(host):
    from scene.segmentation_scene import CT, add_volume

    random = np.random.default_rng(0)
    logic = host.logics["Sequences"] = slicer.vtkSlicerSequencesLogic()
    logic.SetMRMLApplicationLogic(host.applicationLogic)
    logic.SetMRMLScene(host.scene)
    sequence = host.scene.AddNewNodeByClass("vtkMRMLSequenceNode", "4D")
    for frame in range(2):
        voxels = random.integers(0, 1000, SHAPE, dtype=np.int16)
        volume = add_volume(host.scene, ijk_to_ras=CT, array=voxels)
        sequence.SetDataNodeAtValue(volume, str(frame))
        host.scene.RemoveNode(volume)
    browser = host.scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    logic.UpdateProxyNodesFromSequences(browser)
    return browser.GetProxyNode(sequence)


def test_a_color_image_is_segmented():
    run_in_child(color_image)


def color_image():
    from vtk import vtkImageData
    from vtk.util.numpy_support import numpy_to_vtk

    from app.view_desk import ViewDesk

    def add_picture(host):
        pixels = np.random.default_rng(0).integers(0, 255, (1, 80, 90, 3), dtype=np.uint8)
        image = vtkImageData()
        image.SetDimensions(90, 80, 1)
        image.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 3), deep=True))
        node = host.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "picture")
        node.SetAndObserveImageData(image)
        return node

    desk = ViewDesk(add_picture)
    click_and_check(desk, "Red")
    assert desk.errors == []
    desk.close()


def test_views_show_the_preview_of_a_click_and_take_it_away():
    run_in_child(preview_in_a_view)


def preview_in_a_view():
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


@pytest.mark.weights
def test_the_default_model_segments_the_organ_that_is_clicked_on():
    run_in_child(default_model)


def default_model():
    from pathlib import Path

    from app.view_desk import ViewDesk
    from SAMUNetSlicerLib.app.modelChoice import modelSpec
    from SAMUNetSlicerLib.app.threadEngine import ThreadEngine
    from SAMUNetSlicerLib.app.volumeLoading import loadVolume
    from SAMUNetSlicerLib.engine.windowing import WindowSetting
    from SAMUNetSlicerLib.scene.sliceImage import extractSlice
    from scene.segmentation_scene import dice

    samples = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
    desk = ViewDesk(lambda host: loadVolume(host, samples / "ts_ct512.nii.gz"), engine=ThreadEngine())
    desk.engine.wait(desk.session.setModel(modelSpec(device="cpu", precision="fp32")))
    desk.session.setWindow(WindowSetting("preset:abdomen"))
    labels = loadVolume(desk.host, samples / "ts_ct512_seg.nii.gz")
    spleen = extractSlice(labels, desk.plane(), interpolate=False) == 1
    rows, columns = np.nonzero(spleen)
    desk.click(desk.mouse_at((np.median(columns), np.median(rows))))
    assert dice(desk.mask(), spleen) > 0.7
    desk.session.clear()
    desk.session.waitUntilIdle()
    assert not desk.mask().any()
    desk.away()
    corners = [(columns.min() - 3, rows.min() - 3), (columns.max() + 3, rows.max() + 3)]
    desk.drag(*map(desk.mouse_at, corners))
    assert dice(desk.mask(), spleen) > 0.85
    assert desk.errors == []
    desk.close()
