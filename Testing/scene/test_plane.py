"""The slice plane: where its pixels lie in the patient, for any volume and any slice."""

import json

import numpy as np
import pytest
import vtk
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import (
    SlicePlane,
    ijkToRAS,
    isRightHanded,
    planeFromAxis,
    planeFromNormal,
    planeFromSliceNode,
    voxelSpacing,
)
from scene.geometries import VolumeScene, directions, matrices, parents, permuted_matrices, rotations, unit
from scene.segmentation_scene import add_volume, matrix_to_array, vtk_matrix

PIXELS = st.lists(st.tuples(st.floats(-5, 50), st.floats(-5, 50)), min_size=1, max_size=5)
FRACTIONS = st.tuples(*[st.floats(0.1, 0.9)] * 3)
SCREEN = {
    "axial": ((-1, 0, 0), (0, 1, 0)),
    "coronal": ((-1, 0, 0), (0, 0, 1)),
    "sagittal": ((0, -1, 0), (0, 0, 1)),
}

geometry = settings(deadline=None, max_examples=30)


def inside(scene, fractions):
    """A world position inside the volume."""
    return scene.ras(np.array(fractions) * scene.voxels.shape[::-1] - 0.5)


def right_and_up(plane):
    return unit(plane.planeToRAS[:3, 0]), -unit(plane.planeToRAS[:3, 1])


@geometry
@given(matrices(), parents(), directions(), FRACTIONS, PIXELS, st.floats(-20, 20))
def test_pixels_go_to_the_patient_and_to_voxels_and_back(matrix, parent, normal, place, pixels, distance):
    with VolumeScene(matrix, parent) as scene:
        plane = planeFromNormal(scene.volume, inside(scene, place), normal)
        points = plane.pixelToRAS(pixels)
        onPlane = np.column_stack([pixels, np.zeros(len(pixels)), np.ones(len(pixels))])
        np.testing.assert_allclose(points, (onPlane @ plane.planeToRAS.T)[:, :3], atol=1e-9)
        np.testing.assert_allclose(
            (onPlane @ plane.planeToIJK(scene.volume).T)[:, :3], scene.ijk(points), atol=1e-8
        )
        back, distances = plane.rasToPixel(points + distance * plane.normal)
        np.testing.assert_allclose(back, pixels, atol=1e-7)
        np.testing.assert_allclose(distances, distance, atol=1e-7)


@geometry
@given(matrices(), parents(), directions(), FRACTIONS)
def test_the_plane_passes_through_its_point_across_its_normal(matrix, parent, normal, place):
    with VolumeScene(matrix, parent) as scene:
        point = inside(scene, place)
        plane = planeFromNormal(scene.volume, point, normal)
        assume(plane.axis is None)
        assert abs(plane.normal @ normal) == pytest.approx(1, abs=1e-8)
        assert plane.rasToPixel([point])[1] == pytest.approx(0, abs=1e-5)
        assert np.abs(plane.planeToRAS[:3, :2].T @ plane.normal).max() < 1e-8
        assert np.linalg.norm(plane.planeToRAS[:3, 2]) == pytest.approx(plane.thickness)


@geometry
@given(matrices(), parents(), st.sampled_from("IJK"), st.data())
def test_a_plane_of_voxels_has_exactly_the_voxel_centers_as_pixels(matrix, parent, axis, data):
    with VolumeScene(matrix, parent) as scene:
        number = "IJK".index(axis)
        index = data.draw(st.integers(0, scene.voxels.shape[2 - number] - 1))
        plane = planeFromAxis(scene.volume, axis, index)
        rows, columns = np.indices(plane.shape)
        voxels = scene.ijk(plane.pixelToRAS(np.column_stack([columns.ravel(), rows.ravel()])))
        np.testing.assert_allclose(voxels, np.rint(voxels), atol=1e-6)
        assert (plane.axis, plane.index) == (axis, index)
        assert (np.rint(voxels[:, number]) == index).all()
        assert len({tuple(v) for v in np.rint(voxels)}) == scene.voxels.size // scene.voxels.shape[2 - number]


@geometry
@given(matrices(), parents(), st.sampled_from("IJK"), st.floats(-0.49, 0.49), rotations())
def test_a_slice_view_near_a_plane_of_voxels_gives_that_plane(matrix, parent, axis, shift, turn):
    with VolumeScene(matrix, parent) as scene:
        exact = planeFromAxis(scene.volume, axis)
        point = exact.pixelToRAS([[1, 1]])[0] + exact.normal * exact.thickness * shift
        plane = planeFromNormal(scene.volume, point, -exact.normal, up_across(exact.normal, turn))
        assert (plane.axis, plane.index) == (exact.axis, exact.index)
        assert plane.thickness == pytest.approx(exact.thickness)


def up_across(normal, turn):
    """Some direction that is not along the normal."""
    candidates = turn[:3, :3].T
    return candidates[np.argmin(np.abs(candidates @ normal))]


@geometry
@given(permuted_matrices(), st.sampled_from(sorted(SCREEN)))
def test_images_are_oriented_as_slicer_displays_them(matrix, orientation):
    with VolumeScene(matrix) as scene:
        view = addSliceNode(scene.host, "View", orientation.capitalize())
        view.show(scene.volume)
        plane = planeFromSliceNode(view.node, scene.volume)
        np.testing.assert_allclose(right_and_up(plane), SCREEN[orientation], atol=1e-9)
        assert plane.sameAs(planeFromAxis(scene.volume, orientation, index=plane.index))
        offset = matrix_to_array(view.node.GetSliceToRAS())[:3, 3] @ np.abs(np.cross(*SCREEN[orientation]))
        assert plane.sameAs(planeFromAxis(scene.volume, orientation, offset=offset))
        assert plane.signature() == planeFromAxis(scene.volume, orientation, index=plane.index).signature()


@geometry
@given(matrices(), directions(), FRACTIONS)
def test_a_free_slice_is_seen_from_the_side_of_the_nearest_standard_view(matrix, normal, place):
    assume(np.sort(np.abs(normal))[2] - np.sort(np.abs(normal))[1] > 0.01)
    with VolumeScene(matrix) as scene:
        planes = [planeFromNormal(scene.volume, inside(scene, place), sign * normal) for sign in (1, -1)]
        assert planes[0].signature() == planes[1].signature()
        assume(planes[0].axis is None)
        nearest = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
        right, up = right_and_up(planes[0])
        assert right @ SCREEN[nearest][0] > 0.5 and up @ SCREEN[nearest][1] > 0.5


@geometry
@given(matrices(), directions(), FRACTIONS, st.floats(-80, 80), st.floats(-80, 80), st.floats(0.1, 10))
def test_panning_and_zooming_a_view_does_not_change_the_plane(matrix, normal, place, x, y, zoom):
    with VolumeScene(matrix) as scene:
        view = addSliceNode(scene.host, "View")
        point = inside(scene, place)
        view.setOblique(normal, up_across(normal, np.eye(4)), point)
        before = planeFromSliceNode(view.node, scene.volume)
        slice_to_ras = view.node.GetSliceToRAS()
        for row in range(3):
            moved = slice_to_ras.GetElement(row, 0) * x + slice_to_ras.GetElement(row, 1) * y + point[row]
            slice_to_ras.SetElement(row, 3, moved)
        view.node.SetFieldOfView(zoom * 100, zoom * 100, 1)
        view.node.UpdateMatrices()
        after = planeFromSliceNode(view.node, scene.volume)
        assert after.sameAs(before) and after.signature() == before.signature()


@geometry
@given(matrices(), parents(), directions(), FRACTIONS)
def test_oblique_pixels_are_square_and_as_small_as_the_densest_voxels_on_the_plane(
    matrix, parent, normal, place
):
    with VolumeScene(matrix, parent) as scene:
        plane = planeFromNormal(scene.volume, inside(scene, place), normal)
        assume(plane.axis is None)
        assert plane.spacing[0] == pytest.approx(plane.spacing[1])
        angles = np.linspace(0, np.pi, 721)
        steps = plane.planeToIJK(scene.volume)[:3, :2] @ [np.cos(angles), np.sin(angles)]
        assert np.linalg.norm(steps, axis=0).max() == pytest.approx(1, abs=1e-4)


def test_an_isotropic_volume_keeps_its_resolution_on_every_slice():
    with VolumeScene(np.diag([0.8, 0.8, 0.8, 1])) as scene:
        plane = planeFromNormal(scene.volume, scene.ras((2, 3, 3)), (1, 2, 3))
        assert plane.spacing == pytest.approx((0.8, 0.8)) and plane.thickness == pytest.approx(0.8)


@geometry
@given(matrices(), directions(), FRACTIONS)
def test_the_grid_covers_the_cut_through_the_volume_and_little_more(matrix, normal, place):
    with VolumeScene(matrix) as scene:
        plane = planeFromNormal(scene.volume, inside(scene, place), normal)
        size = np.array(scene.voxels.shape[::-1])
        rows, columns = np.indices((201, 201)) / 200
        pixels = np.column_stack([columns.ravel(), rows.ravel()]) * (np.array(plane.shape[::-1]) + 2) - 1.5
        voxels = scene.ijk(plane.pixelToRAS(pixels))
        within = pixels[((voxels > -0.5 + 1e-6) & (voxels < size - 0.5 - 1e-6)).all(axis=1)]
        assert plane.contains(within).all()
        border = 1 + (np.array(plane.shape[::-1]) + 2) / 200
        assert (within.min(axis=0) < -0.5 + border).all()
        assert (within.max(axis=0) > np.array(plane.shape[::-1]) - 0.5 - border).all()


@geometry
@given(matrices(), parents(), directions(), FRACTIONS)
def test_a_plane_survives_a_json_file_unchanged(matrix, parent, normal, place):
    with VolumeScene(matrix, parent) as scene:
        for plane in (
            planeFromNormal(scene.volume, inside(scene, place), normal),
            planeFromAxis(scene.volume, "J"),
        ):
            again = SlicePlane.fromDict(json.loads(json.dumps(plane.toDict())))
            np.testing.assert_array_equal(again.planeToRAS, plane.planeToRAS)
            assert again.toDict() == plane.toDict()
            assert again.signature() == plane.signature() and again.sameAs(plane)


@pytest.mark.parametrize(
    "damage",
    [
        {"planeToRAS": [[1, 0], [0, 1]]},
        {"planeToRAS": np.zeros((4, 4)).tolist()},
        {"planeToRAS": "here"},
        {"shape": [0, 5]},
        {"shape": 7},
        {"thickness": -1.0},
        {"thickness": None},
        {"color": "red"},
    ],
)
def test_a_stored_plane_that_is_damaged_is_refused(damage):
    values = SlicePlane(np.eye(4), (4, 5), "K", 3, 1.0).toDict()
    with pytest.raises(InputError, match="stored slice plane"):
        SlicePlane.fromDict({**values, **damage})


def test_planes_differ_if_their_grids_do(scene):
    volume = add_volume(scene)
    planes = [planeFromAxis(volume, axis, index) for axis in "IJK" for index in (3, 4)]
    assert len({plane.signature() for plane in planes}) == len(planes)
    assert [[a.sameAs(b) for b in planes] for a in planes] == np.eye(len(planes), dtype=bool).tolist()


def test_the_index_under_an_offset_is_the_one_slicer_displays(scene):
    volume = add_volume(scene, ijk_to_ras=np.diag([1, 1, 2, 1.0]))
    indices = [
        planeFromAxis(volume, "axial", offset=offset).index for offset in (-0.9, 4.9, 5.1, 6.9, 7.1, 38.9)
    ]
    assert indices == [0, 2, 3, 3, 4, 19]


@pytest.mark.parametrize("offset", [-1.1, 39.1, 1e6])
def test_a_slice_beside_the_volume_is_refused(host, offset):
    volume = add_volume(host.scene, ijk_to_ras=np.diag([1, 1, 2, 1.0]))
    view = addSliceNode(host, "View")
    view.show(volume)
    view.setOffset(offset)
    for make in (
        lambda: planeFromSliceNode(view.node, volume),
        lambda: planeFromAxis(volume, "axial", offset=offset),
        lambda: planeFromNormal(volume, (0, 0, 100 + abs(offset)), (0.1, 0.2, 1)),
        lambda: planeFromAxis(volume, "K", 20),
        lambda: planeFromAxis(volume, "axial", -1),
    ):
        with pytest.raises(InputError, match="outside the volume"):
            make()


def test_a_slight_tilt_is_a_slice_of_its_own_but_rounding_is_not(scene):
    volume = add_volume(scene, (20, 24, 28))
    assert planeFromNormal(volume, (9, 9, 20), (0, 1e-6, 1)).axis == "K"
    assert planeFromNormal(volume, (9, 9, 20), (0, 0.05, 1)).axis is None


@pytest.mark.parametrize("orientation", sorted(SCREEN))
def test_a_picture_of_one_slice_can_be_cut_in_every_direction(scene, orientation):
    volume = add_volume(scene, (1, 24, 28))
    plane = planeFromAxis(volume, orientation)
    assert plane.shape == {"axial": (24, 28), "coronal": (1, 28), "sagittal": (1, 24)}[orientation]
    assert planeFromNormal(volume, (5, 5, 0.5), (0, 1, 1)).axis is None


def test_a_volume_whose_axes_are_oblique_has_its_own_axial_slices(scene):
    volume = VolumeScene(np.array([[0.8, 0, 0.6, 0], [0, 1, 0, 0], [-0.6, 0, 0.8, 0], [0, 0, 0, 1]])).volume
    assert planeFromAxis(volume, "axial", index=2).axis == "K"
    assert planeFromAxis(volume, "axial", offset=1.0).axis is None


def test_a_mirrored_volume_is_left_handed_until_a_mirroring_transform_turns_it():
    with VolumeScene(np.diag([-1, 2, 3, 1.0])) as scene:
        assert not isRightHanded(scene.volume)
        np.testing.assert_allclose(voxelSpacing(scene.volume), [1, 2, 3])
    with VolumeScene(np.diag([-1, 2, 3, 1.0]), np.diag([-2, 1, 1, 1.0])) as scene:
        assert isRightHanded(scene.volume)
        np.testing.assert_allclose(voxelSpacing(scene.volume), [2, 2, 3])
        np.testing.assert_allclose(ijkToRAS(scene.volume), np.diag([2, 2, 3, 1]))


def test_a_volume_under_a_non_linear_transform_is_refused(scene):
    volume = add_volume(scene)
    warp = vtk.vtkThinPlateSplineTransform()
    points = [vtk.vtkPoints(), vtk.vtkPoints()]
    for number, corner in enumerate([(0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9), (9, 9, 9)]):
        points[0].InsertNextPoint(corner)
        points[1].InsertNextPoint(corner[0], corner[1], corner[2] + number % 2)
    warp.SetSourceLandmarks(points[0])
    warp.SetTargetLandmarks(points[1])
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Warp")
    transform.SetAndObserveTransformToParent(warp)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match="non-linear transform 'Warp'"):
        planeFromAxis(volume, "axial")


def test_a_volume_without_voxels_or_with_a_damaged_geometry_is_refused(scene):
    with pytest.raises(InputError, match="holds no image"):
        planeFromAxis(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty"), "axial")
    volume = add_volume(scene)
    volume.SetIJKToRASMatrix(vtk_matrix(np.diag([1, 1, np.nan, 1.0])))
    with pytest.raises(InputError, match="damaged"):
        planeFromAxis(volume, "axial")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda v: planeFromAxis(v, "diagonal"), "'diagonal' is not a slice axis"),
        (lambda v: planeFromAxis(v, "K", offset=3.0), "by its index"),
        (lambda v: planeFromAxis(v, "axial", 3, 3.0), "by its index"),
        (lambda v: planeFromNormal(v, (0, 0, 0), (0, 0, 0)), "must not be zero"),
        (lambda v: planeFromNormal(v, (0, 0, np.nan), (0, 0, 1)), "finite"),
        (lambda v: planeFromNormal(v, (0, 0), (0, 0, 1)), "three"),
        (lambda v: planeFromNormal(v, (0, 0, 0), (0, 1, 1), (0, -2, -2)), "top of the image"),
    ],
)
def test_a_slice_that_is_not_defined_is_refused(scene, make, reason):
    with pytest.raises(InputError, match=reason):
        make(add_volume(scene))


def test_a_linear_transform_made_of_several_is_followed_to_the_world(scene):
    volume = add_volume(scene, ijk_to_ras=np.eye(4))
    outer, inner = (scene.AddNewNodeByClass("vtkMRMLLinearTransformNode") for _ in range(2))
    outer.SetMatrixTransformToParent(vtk_matrix(np.diag([2, 2, 2, 1.0])))
    moved = np.eye(4)
    moved[:3, 3] = 1, 2, 3
    inner.SetMatrixTransformToParent(vtk_matrix(moved))
    inner.SetAndObserveTransformNodeID(outer.GetID())
    volume.SetAndObserveTransformNodeID(inner.GetID())
    np.testing.assert_allclose(planeFromAxis(volume, "K", 0).planeToIJK(volume)[:3, 2], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(ijkToRAS(volume)[:3, 3], [2, 4, 6])
