"""The session in scenes as users have them: saved, loaded, transformed, with several volumes, in color."""

import numpy as np
import pytest
import slicer
import vtk
from hypothesis import given, settings
from hypothesis import strategies as st
from vtk.util.numpy_support import numpy_to_vtk

from app.desk import SHAPE, Desk
from fakes.fakeEngine import FAKE_SPEC, RADIUS, FakeEngine, fake_mask
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import FOLLOW_DISPLAY, TAG, SegmentationSession
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from scene.geometries import VolumeScene, directions, matrices, parents
from scene.segmentation_scene import add_volume, put_under_transform, rotation, voxels_of
from scene.test_prompt_saving import load_bundle, save_bundle

geometry = settings(deadline=None, max_examples=15)


def disk(shape, center):
    return fake_mask(shape, Prompts(np.array([center], np.float32), np.array([1])))


def session_on(scene, volume, plane):
    session = SegmentationSession(scene, FakeEngine(is_automatic=True))
    session.setModel(FAKE_SPEC)
    session.setVolume(volume)
    session.setPlane(plane)
    session.poll()
    return session


def voxels_around(ijk, number, ijk_to_ras):
    """The voxels that the fake engine's disk surely covers, and those that it may touch.

    The engine sees square pixels: on a slice whose pixels are not, the disk is one in mm, and only the
    voxels that its border does not cut are sure.
    """
    steps = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    finest, coarsest = np.sort(np.delete(steps, number))
    is_square = coarsest <= 1.25 * finest
    scale = np.ones(3) if is_square else steps / finest
    margin = 0 if is_square else 0.5 * coarsest / finest + 0.75
    voxels = np.indices((5, 6, 7)).reshape(3, -1).T
    voxels = voxels[voxels[:, number] == ijk[number]]
    distance = np.linalg.norm((voxels - ijk) * scale, axis=1)
    inside, near = voxels[distance <= RADIUS - margin], voxels[distance <= RADIUS + margin]
    clicked = tuple(int(index) for index in ijk)
    return {clicked, *map(tuple, inside.tolist())}, set(map(tuple, near.tolist()))


@geometry
@given(matrices(), parents(), st.sampled_from("IJK"), st.data())
def test_a_click_on_a_voxel_plane_fills_the_voxels_around_it_in_any_geometry(matrix, parent, axis, data):
    with VolumeScene(matrix, parent) as scene:
        number = "IJK".index(axis)
        ijk = np.array([data.draw(st.integers(0, size - 1)) for size in (5, 6, 7)])
        plane = planeFromAxis(scene.volume, axis, int(ijk[number]))
        session = session_on(scene.host.scene, scene.volume, plane)
        session.addPoint(scene.ras(ijk))
        session.waitUntilIdle()
        k, j, i = np.nonzero(voxels_of(session.segmentationNode, session.segmentId, (7, 6, 5)))
        filled = set(zip(i.tolist(), j.tolist(), k.tolist()))
        inside, near = voxels_around(ijk, number, scene.ijk_to_ras)
        assert inside <= filled <= near
        session.close()


@geometry
@given(matrices(), directions())
def test_a_click_on_an_oblique_slice_fills_the_voxel_under_it(matrix, normal):
    with VolumeScene(matrix) as scene:
        center = scene.ras([2, 3, 3])
        session = session_on(scene.host.scene, scene.volume, planeFromNormal(scene.volume, center, normal))
        session.addPoint(center)
        session.waitUntilIdle()
        assert voxels_of(session.segmentationNode, session.segmentId, (7, 6, 5))[3, 3, 2]
        session.close()


def test_a_saved_scene_is_taken_up_where_it_was_left(desk, tmp_path):
    desk.click(12, 20)
    desk.paint(rows=slice(30, 36), columns=slice(30, 40))
    desk.click(14, 20)
    segment, mask = desk.session.segmentId, desk.mask()
    save_bundle(desk.scene, tmp_path)

    with startScene() as host:
        load_bundle(host.scene, tmp_path)
        volume = host.scene.GetFirstNodeByName("Volume")
        session = session_on(host.scene, volume, planeFromAxis(volume, "K", 4))
        session.setSegmentation(host.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode"))
        session.selectSegment(segment)
        assert [record.kind for record in session.prompts()] == ["positive", "positive"]
        session.addPoint((25, 5))
        session.waitUntilIdle()
        read = session.workspace.writer.readMask(session.segmentationNode, segment, session.plane)
        np.testing.assert_array_equal(read, mask | disk(mask.shape, (25, 5)))  # the painting is still known
        session.removePrompt(session.prompts()[0].id)
        session.waitUntilIdle()
        assert len(session.prompts()) == 2
        session.close()


def test_provenance_says_how_each_mask_came_to_be(desk):
    desk.session.setWindow(WindowSetting("manual", 0, 900))
    desk.click(12, 20)
    segment = desk.session.segmentationNode.GetSegmentation().GetSegment(desk.session.segmentId)
    text = vtk.reference("")
    assert segment.GetTag(TAG, text)
    (record,) = desk.session.workspace.provenance.of(desk.session.segmentId).records()
    assert record.model == {"id": "fake", "key": "fake-key", "device": "cpu", "precision": "fp32"}
    assert record.window == {"mode": "manual", "lower": 0.0, "upper": 900.0}
    assert record.confidence == 0.9 and record.policy == "protectAll"
    assert record.slicePlane().sameAs(desk.session.plane)
    np.testing.assert_allclose(record.prompts[0]["ras"], desk.session.plane.pixelToRAS([[12, 20]]))
    assert record.points == [[12.0, 20.0, 1.0]]


def test_a_provenance_tag_that_is_damaged_does_not_stop_the_work(desk):
    desk.click(12, 20)
    segment = desk.session.segmentationNode.GetSegmentation().GetSegment(desk.session.segmentId)
    segment.SetTag(TAG, '{"format": "SAMUNetSlicer provenance", "version"')
    desk.click(30, 20)
    assert not desk.errors
    np.testing.assert_array_equal(desk.mask()[:, 26:], (disk(SHAPE[1:], (30, 20)))[:, 26:])


def test_a_segmentation_follows_a_transformed_volume(host):
    desk = Desk(host.scene)
    put_under_transform(host.scene, desk.volume, rotation(30, (1, 1, 0)))
    desk.session.setPlane(desk.plane(4))
    desk.click(12, 20)
    assert desk.session.segmentationNode.GetTransformNodeID() == desk.volume.GetTransformNodeID()
    np.testing.assert_array_equal(desk.mask(), disk(SHAPE[1:], (12, 20)))
    assert desk.voxels()[4].sum() == desk.voxels().sum() == disk(SHAPE[1:], (12, 20)).sum()
    desk.session.close()


def test_two_volumes_of_different_geometry_share_a_segmentation(desk):
    desk.click(12, 20)
    first = desk.voxels()
    coarse = add_volume(desk.scene, (5, 15, 16), np.diag([2.0, 2.0, 5.0, 1.0]), name="Coarse")
    desk.session.setVolume(coarse)
    with pytest.raises(Exception, match="show a slice"):
        desk.session.accept()
    plane = planeFromAxis(coarse, "K", 3)
    desk.session.setPlane(plane)
    desk.session.selectSegment(desk.session.segmentId)
    desk.session.addSegment("B")
    desk.session.addPoint((8, 7))
    desk.session.waitUntilIdle()
    assert desk.mask(plane).any()
    np.testing.assert_array_equal(
        desk.voxels(desk.session.segmentationNode.GetSegmentation().GetNthSegmentID(0)), first
    )


def test_a_color_volume_reaches_the_engine_as_it_is(host):
    rgb = np.random.default_rng(1).integers(0, 255, (3, 20, 30, 3), dtype=np.uint8)
    image = vtk.vtkImageData()
    image.SetDimensions(30, 20, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(rgb.reshape(-1, 3), deep=True))
    volume = host.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Photo")
    volume.SetAndObserveImageData(image)
    session = session_on(host.scene, volume, planeFromAxis(volume, "K", 1))
    session.engine.is_automatic = False
    session.addPoint((12, 9))
    sent = session.engine.waiting("predict")[0].arguments["image"]
    assert sent.shape == (20, 30, 3)
    assert set(map(tuple, sent.reshape(-1, 3))) == set(map(tuple, rgb[1].reshape(-1, 3)))
    session.engine.answer("predict")
    assert not session.isBusy
    session.close()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (WindowSetting(), {"mode": "slice"}),
        (WindowSetting("percentile"), {"mode": "percentile"}),
        (WindowSetting("preset:lung"), {"mode": "preset:lung"}),
        (FOLLOW_DISPLAY, {"mode": "manual", "lower": 100.0, "upper": 700.0}),
    ],
)
def test_the_window_that_was_in_force_is_recorded(desk, choice, expected):
    desk.volume.CreateDefaultDisplayNodes()
    display = desk.volume.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(100, 700)
    desk.session.setWindow(choice)
    desk.click(12, 20)
    (record,) = desk.session.workspace.provenance.of(desk.session.segmentId).records()
    assert record.window == expected


def test_changing_the_displays_window_encodes_the_slice_anew_and_not_before_the_next_click(desk):
    desk.volume.CreateDefaultDisplayNodes()
    display = desk.volume.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, 15000)
    desk.session.setWindow(FOLLOW_DISPLAY)
    desk.click(12, 20)
    assert desk.session.isReady(desk.session.plane)
    display.SetWindowLevelMinMax(0, 9000)
    assert not desk.session.isReady(desk.session.plane)
    mask = desk.mask()
    desk.session.poll()
    np.testing.assert_array_equal(desk.mask(), mask)
    desk.click(14, 20)
    assert desk.session.lastMask.source == "encoded"


def test_a_changed_voxel_encodes_the_slice_anew(desk):
    desk.click(12, 20)
    slicer.util.arrayFromVolume(desk.volume)[4, 5, 5] = 30000
    desk.volume.GetImageData().GetPointData().GetScalars().Modified()
    assert not desk.session.isReady(desk.session.plane)
    desk.click(14, 20)
    assert desk.session.lastMask.source == "encoded"


class TestPrefetching:
    """Encoding ahead of the user."""

    def test_slices_are_encoded_outward_from_the_shown_one(self, desk):
        seen = []
        desk.session.progress.connect(lambda *event: seen.append(event))
        desk.session.prefetch()
        for _ in range(30):
            desk.session.poll()
        assert seen[0] == (0, 10) and seen[-1] == (10, 10)
        assert all(desk.session.isReady(desk.plane(index)) for index in range(10))
        assert not desk.session.isReady(desk.plane(3, "I"))

    def test_the_nearest_slices_come_first(self, desk):
        desk.engine.is_automatic = False
        desk.session.prefetch(most=3)
        for _ in range(5):
            desk.session.poll()
        images = [job.arguments["image"] for job in desk.engine.waiting("encode")]
        expected = [
            desk.session.workspace.images.image(
                desk.volume, desk.plane(index), desk.session.workspace.window()
            )
            for index in (4, 5, 3)
        ]
        assert len(images) == 3
        for image, nearest in zip(images, expected):
            np.testing.assert_array_equal(image, nearest)

    def test_only_a_few_requests_lie_with_the_engine_and_a_new_hint_replaces_them(self, desk):
        desk.engine.is_automatic = False
        desk.session.prefetch()
        for _ in range(20):
            desk.session.poll()
        assert len(desk.engine.waiting("encode")) == 8
        desk.session.prefetch(desk.plane(20, "J"), most=2)
        desk.session.poll()
        assert len(desk.engine.waiting("encode")) == 1
        desk.session.stopPrefetching()
        assert desk.engine.waiting("encode") == []

    def test_a_slice_that_was_clicked_is_ready_and_not_encoded_again(self, desk):
        desk.click(12, 20)
        assert desk.session.isReady(desk.session.plane)
        desk.session.prefetch()
        for _ in range(30):
            desk.session.poll()
        assert desk.engine.service.statistics()["encoded"] == 10
        assert sum(desk.engine.service.batches) == 9

    def test_nothing_is_ready_after_the_model_or_the_cache_has_gone(self, desk):
        desk.click(12, 20)
        desk.session.clearCache()
        assert not desk.session.isReady(desk.session.plane)

    def test_removing_the_volume_ends_it(self, desk):
        desk.session.prefetch()
        desk.session.poll()
        desk.scene.RemoveNode(desk.volume)
        desk.session.poll()
        assert desk.engine.waiting("encode") == []
        assert not desk.errors

    def test_it_ends_at_a_number_of_slices_that_somebody_may_come_to_click_on(self, desk):
        voxels = np.zeros((300, 8, 8), np.int16)
        desk.session.setVolume(add_volume(desk.scene, array=voxels))
        totals = []
        desk.session.progress.connect(lambda done, total: totals.append(total))
        desk.session.prefetch(planeFromAxis(desk.session.volumeNode, "K", 150))
        assert totals == [100]
