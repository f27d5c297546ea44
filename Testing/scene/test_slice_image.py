"""The pixels of a slice are the ones that Slicer displays, and lie where the plane says."""

import numpy as np
import pytest
import vtk
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from vtk.util.numpy_support import vtk_to_numpy

from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import (
    displayWindow,
    extractSlice,
    insideVolume,
    planeFromAxis,
    planeFromNormal,
    planeFromSliceNode,
    volumeSignature,
)
from scene.geometries import VolumeScene, directions, matrices, parents, permuted_matrices, show_on_grid, unit
from scene.segmentation_scene import add_volume, put_under_transform, rotation, vtk_matrix

geometry = settings(deadline=None, max_examples=30)
FRACTIONS = st.tuples(*[st.floats(0.2, 0.8)] * 3)


def displayed(view):
    """Intensities on the screen pixels, row 0 at the top: the output of the view's own resampling."""
    reslice = view.logic.GetBackgroundLayer().GetReslice()
    reslice.Update()
    image = reslice.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars())
    return pixels.reshape(height, width, -1).squeeze(-1)[::-1]


def show(scene, interpolate):
    view = addSliceNode(scene.host, "View")
    scene.volume.GetDisplayNode().SetInterpolate(interpolate)
    view.show(scene.volume)
    return view


def float_scene(matrix, parent, seed=1, shape=(9, 10, 11)):
    voxels = np.random.default_rng(seed).uniform(10, 100, shape).astype(np.float32)
    return VolumeScene(matrix, parent, voxels)


@geometry
@given(matrices(), parents(), st.sampled_from("IJK"), st.integers(0, 4), st.floats(-0.45, 0.45))
def test_a_plane_of_voxels_is_displayed_voxel_by_voxel(matrix, parent, axis, index, shift):
    to_world = matrix if parent is None else parent @ matrix
    right, down = (unit(to_world[:3, number]) for number in range(3) if "IJK"[number] != axis)
    assume(abs(right @ down) < 1e-9)  # views do not shear
    with VolumeScene(matrix, parent) as scene:
        plane = planeFromAxis(scene.volume, axis, index)
        view = show(scene, 0)
        show_on_grid(view, plane, shift * plane.thickness)
        again = planeFromSliceNode(view.node, scene.volume)
        assert again.sameAs(plane)
        np.testing.assert_array_equal(extractSlice(scene.volume, again), displayed(view))


@geometry
@given(permuted_matrices(), st.sampled_from(["Axial", "Sagittal", "Coronal"]))
def test_standard_views_of_any_voxel_order_are_displayed_voxel_by_voxel(matrix, orientation):
    with VolumeScene(matrix) as scene:
        view = show(scene, 0)
        view.node.SetOrientation(orientation)
        view.show(scene.volume)
        plane = planeFromSliceNode(view.node, scene.volume)
        show_on_grid(view, plane)
        np.testing.assert_array_equal(extractSlice(scene.volume, plane), displayed(view))


@geometry
@given(matrices(), parents(), directions(), FRACTIONS)
def test_an_oblique_slice_is_interpolated_linearly_as_slicer_displays_it(matrix, parent, normal, place):
    with float_scene(matrix, parent) as scene:
        point = scene.ras(np.array(place) * scene.voxels.shape[::-1] - 0.5)
        plane = planeFromNormal(scene.volume, point, normal)
        assume(plane.axis is None)
        ijk = voxels_under(scene, plane)
        expected = map_coordinates(scene.voxels, ijk.T[::-1], order=1, mode="nearest").reshape(plane.shape)
        inside = insideVolume(scene.volume, plane)
        pixels = extractSlice(scene.volume, plane)
        np.testing.assert_allclose(pixels[inside], expected[inside], atol=2e-3)
        view = show(scene, 1)
        show_on_grid(view, plane)
        clear = inside & (beyond_border(ijk, scene).reshape(plane.shape) < -0.01)
        # The view's resampling is less exact: its positions are off by up to some thousandths of a voxel.
        np.testing.assert_allclose(displayed(view)[clear], expected[clear], atol=1)


def voxels_under(scene, plane):
    """Voxel indices (H*W, 3) at the plane's pixels, by the volume's matrices."""
    rows, columns = np.indices(plane.shape)
    return scene.ijk(plane.pixelToRAS(np.column_stack([columns.ravel(), rows.ravel()])))


def beyond_border(ijk, scene):
    """(n,) how far positions lie outside the box of the volume, in voxels; negative inside."""
    return np.maximum(-0.5 - ijk, ijk - (np.array(scene.voxels.shape[::-1]) - 0.5)).max(axis=1)


@geometry
@given(matrices(), parents(), directions(), st.tuples(*[st.integers(10, 20)] * 3), directions())
def test_a_blob_appears_at_the_predicted_pixel_on_every_slice_through_it(matrix, parent, normal, center, up):
    assume(abs(normal @ up) < 0.95)
    k, j, i = np.indices((31, 30, 32))
    distance2 = (i - center[0]) ** 2 + (j - center[1]) ** 2 + (k - center[2]) ** 2
    with VolumeScene(matrix, parent, (1000 * np.exp(-distance2 / 8)).astype(np.float32)) as scene:
        plane = planeFromNormal(scene.volume, scene.ras(center), normal, up)
        weights = extractSlice(scene.volume, plane).astype(float)
        weights[weights < 20] = 0
        rows, columns = np.indices(plane.shape)
        found = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
        predicted, distance = plane.rasToPixel([scene.ras(center)])
        assert abs(distance[0]) < 1e-4
        voxels = scene.ijk(plane.pixelToRAS([found, predicted[0]]))
        assert np.abs(voxels[0] - center).max() < 0.1
        assert np.abs(voxels[1] - center).max() < 1e-4


@geometry
@given(matrices(), parents(), directions(), FRACTIONS)
def test_pixels_outside_the_volume_hold_its_least_value_and_are_marked(matrix, parent, normal, place):
    voxels = np.full((9, 10, 11), 50, np.int16)
    point = np.array(place) * voxels.shape[::-1] - 0.5
    voxels[0 if point[2] > 4 else -1, 0 if point[1] > 4.5 else -1, 0 if point[0] > 5 else -1] = -3
    with VolumeScene(matrix, parent, voxels) as scene:
        plane = planeFromNormal(scene.volume, scene.ras(point), normal)
        assume(plane.axis is None)
        pixels, inside = extractSlice(scene.volume, plane), insideVolume(scene.volume, plane)
        ijk = voxels_under(scene, plane)
        beyond = beyond_border(ijk, scene).reshape(plane.shape)
        clear = np.abs(beyond) > 1e-4
        np.testing.assert_array_equal(inside[clear], beyond[clear] < 0)
        assert (pixels[clear & ~inside] == -3).all()
        corner = ijk - np.argwhere(voxels == -3)[0][::-1]
        untouched = clear & inside & (np.abs(corner).max(axis=1).reshape(plane.shape) >= 1)
        assert (pixels[untouched] == 50).all()


@pytest.mark.parametrize("components", [3, 4])
def test_a_color_volume_gives_color_pixels_in_the_same_place(scene, components):
    colors = np.random.default_rng(2).integers(0, 256, (5, 6, 7, components)).astype(np.uint8)
    volume = add_color(scene, colors)
    plane = planeFromAxis(volume, "coronal", 2)
    np.testing.assert_array_equal(extractSlice(volume, plane), colors[::-1, 2, ::-1, :3])
    oblique = planeFromNormal(volume, (3, 3, 2), (0, 1, 1))
    pixels = extractSlice(volume, oblique)
    assert pixels.shape == (*oblique.shape, 3) and pixels.dtype == np.uint8
    for channel in range(3):
        gray = add_volume(scene, array=colors[..., channel].copy(), ijk_to_ras=np.eye(4))
        inside = insideVolume(volume, oblique)
        np.testing.assert_array_equal(pixels[inside][:, channel], extractSlice(gray, oblique)[inside])


def add_color(scene, colors):
    image = vtk.vtkImageData()
    image.SetDimensions(*colors.shape[2::-1])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, colors.shape[3])
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = colors.reshape(-1, colors.shape[3])
    volume = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Photo")
    volume.SetAndObserveImageData(image)
    return volume


def test_a_picture_of_one_slice_is_shown_upright_and_cut_obliquely(scene):
    voxels = np.arange(1, 25 * 28, dtype=np.uint16)[: 24 * 28].reshape(1, 24, 28)
    volume = add_volume(scene, array=voxels, ijk_to_ras=np.diag([-1, -1, 1, 1.0]))
    np.testing.assert_array_equal(extractSlice(volume, planeFromAxis(volume, "axial")), voxels[0])
    oblique = planeFromNormal(volume, (-14, -12, 0), (0, 1, 1))
    pixels = extractSlice(volume, oblique)[insideVolume(volume, oblique)]
    assert len(pixels) >= 28 and pixels.min() >= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_pixels_keep_the_type_of_the_voxels(scene, dtype):
    volume = add_volume(scene, array=np.arange(6 * 7 * 8).reshape(6, 7, 8).astype(dtype))
    assert extractSlice(volume, planeFromAxis(volume, "axial")).dtype == dtype
    assert extractSlice(volume, planeFromNormal(volume, (2, 2, 5), (0, 1, 1))).dtype == dtype


def test_pixels_are_a_copy_that_may_be_changed(scene):
    volume = add_volume(scene)
    plane = planeFromAxis(volume, "axial")
    before = extractSlice(volume, plane)
    extractSlice(volume, plane)[...] = -1
    np.testing.assert_array_equal(extractSlice(volume, plane), before)


def test_a_volume_moved_after_the_plane_was_made_is_sampled_where_it_is_now(scene):
    volume = add_volume(scene, ijk_to_ras=np.eye(4))
    plane = planeFromAxis(volume, "K", 5)
    before = extractSlice(volume, plane)
    shift = np.eye(4)
    shift[:3, 3] = 0, 0, 2
    put_under_transform(scene, volume, shift)
    np.testing.assert_array_equal(extractSlice(volume, plane), before - 2 * 24 * 28)
    put_under_transform(scene, volume, rotation(10, (1, 0, 0)))
    assert len(np.unique(extractSlice(volume, plane))) > 1


def test_values_that_are_no_color_are_refused(scene):
    volume = add_color(scene, np.zeros((3, 4, 5, 2), np.uint8))
    with pytest.raises(InputError, match="2 values per voxel"):
        extractSlice(volume, planeFromAxis(volume, "axial"))


def test_not_a_number_voxels_neither_fail_nor_spread_beyond_their_neighbors(scene):
    voxels = np.full((9, 10, 11), 5, np.float32)
    voxels[4, 5, 5] = np.nan
    voxels[0, 0, 0] = -np.inf
    volume = add_volume(scene, array=voxels, ijk_to_ras=np.eye(4))
    oblique = planeFromNormal(volume, (5, 5, 4), (0, 1, 1))
    pixels, inside = extractSlice(volume, oblique), insideVolume(volume, oblique)
    assert 1 <= np.isnan(pixels).sum() <= 9
    assert np.isfinite(pixels[~inside]).all() and (pixels[~inside] == 5).all()


def test_a_volume_without_any_number_gives_pixels_without_any(scene):
    volume = add_volume(scene, array=np.full((4, 5, 6), np.nan, np.float32), ijk_to_ras=np.eye(4))
    plane = planeFromNormal(volume, (2, 2, 2), (0, 1, 1))
    pixels, inside = extractSlice(volume, plane), insideVolume(volume, plane)
    assert np.isnan(pixels[inside]).all() and (pixels[~inside] == 0).all()
    assert displayWindow(volume) == (0, 0)


def test_the_display_window_is_the_one_of_the_display(scene):
    volume = add_volume(scene, array=np.linspace(-50, 150, 6 * 7 * 8).reshape(6, 7, 8))
    assert displayWindow(volume) == pytest.approx((-50, 150))
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevelMinMax(-20, 90)
    assert displayWindow(volume) == pytest.approx((-20, 90))


def test_the_signature_changes_with_voxels_geometry_transform_and_node(scene):
    volume, other = add_volume(scene), add_volume(scene)
    seen = [volumeSignature(volume), volumeSignature(other)]
    assert volumeSignature(volume) == seen[0]
    vtk_to_numpy(volume.GetImageData().GetPointData().GetScalars())[0] = 99
    volume.GetImageData().GetPointData().GetScalars().Modified()
    seen.append(volumeSignature(volume))
    volume.SetIJKToRASMatrix(vtk_matrix(np.diag([1, 1, 3, 1.0])))
    seen.append(volumeSignature(volume))
    put_under_transform(scene, volume, rotation(10))
    seen.append(volumeSignature(volume))
    assert len(set(seen)) == len(seen)


def test_a_label_map_is_cut_by_nearest_voxels_so_that_no_label_appears_between_two(scene):
    labels = np.zeros((12, 13, 14), np.uint8)
    labels[3:9, 3:9, 3:9] = 40
    volume = add_volume(scene, array=labels, ijk_to_ras=np.eye(4))
    plane = planeFromNormal(volume, (6, 6, 6), (0, 1, 2))
    assert set(np.unique(extractSlice(volume, plane, interpolate=False))) == {0, 40}
    assert len(np.unique(extractSlice(volume, plane))) > 2
