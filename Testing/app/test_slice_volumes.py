"""Prompts by a real mouse on every kind of volume and view; each test runs in a child process."""

import numpy as np
import pytest
import slicer

from child_process import needs_opengl, run_in_child

pytestmark = [pytest.mark.view, needs_opengl]

ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal", "Oblique": "Axial"}


def test_every_view_of_a_tilted_transformed_volume_works():
    run_in_child(tilted_volume)


def tilted_volume():
    from scene.segmentation_scene import put_under_transform, rotation

    tilt = rotation(20, (1, 1, 0)) @ np.diag([0.8, 1.1, 2.5, 1.0])
    from app.view_desk import desk_on

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
    from app.view_desk import desk_on
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
    from SAMUNetSlicerLib.scene.prompts import PromptStore

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
    desk.engine.predict = lambda image, *asked: images.append(image) or predict(image, *asked)
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
        voxels = random.integers(0, 1000, (20, 60, 60), dtype=np.int16)
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


@pytest.mark.long
@pytest.mark.weights
def test_the_default_model_segments_the_organ_that_is_clicked_on():
    run_in_child(default_model)


def default_model():
    from pathlib import Path

    from app.view_desk import ViewDesk
    from SAMUNetSlicerLib.app.engines import ThreadEngine
    from SAMUNetSlicerLib.app.files import loadVolume
    from SAMUNetSlicerLib.app.models import modelSpec
    from SAMUNetSlicerLib.engine.windowing import WindowSetting
    from SAMUNetSlicerLib.scene.geometry import extractSlice
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
