"""Masks of slices that do not coincide with the segmentation's voxels."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import (
    add_segmentation,
    add_volume,
    dice,
    disk,
    fill,
    put_under_transform,
    rotation,
    voxels_of,
)

SHAPE = (40, 48, 44)
MIDDLE = np.array([22.0, 24.0, 20.0])


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, np.eye(4), np.zeros(SHAPE, np.int16))


@pytest.fixture
def writer(scene):
    return SegmentWriter(scene)


def voxel_centers(ijk_to_ras=None):
    """(k, j, i, 3) world RAS of the centers of the volume's voxels."""
    k, j, i = np.indices(SHAPE)
    matrix = np.eye(4) if ijk_to_ras is None else ijk_to_ras
    return np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3]


def pixels_and_depth(plane, centers):
    """Nearest pixel (x, y) and distance in mm of each point, from the plane's definition."""
    pixels, distance = plane.rasToPixel(centers.reshape(-1, 3))
    return np.floor(pixels + 0.5).astype(int), np.abs(distance)


@pytest.mark.parametrize("normal", [(1, 1, 1), (0.3, 0.2, 1), (1, 0, 1), (-2, 1, 0.1)])
def test_a_mask_is_found_again_on_its_oblique_slice(scene, writer, volume, normal):
    node, segment = add_segmentation(scene)
    plane = planeFromNormal(volume, MIDDLE, normal)
    mask = disk(plane.shape, (plane.shape[1] // 2, plane.shape[0] // 2), 12)

    writer.writeMask(node, segment, plane, mask, volume)

    assert plane.axis is None
    assert dice(writer.readMask(node, segment, plane), mask) >= 0.98


@pytest.mark.parametrize("normal", [(1, 1, 1), (0.3, 0.2, 1), (1, 0, 1), (-2, 1, 0.1)])
def test_a_pixel_that_has_its_voxel_for_itself_comes_back_exactly(scene, writer, volume, normal):
    node, segment = add_segmentation(scene)
    plane = planeFromNormal(volume, MIDDLE + 0.3, normal)
    rows, columns = np.indices(plane.shape)
    centers = plane.pixelToRAS(np.column_stack([columns.ravel(), rows.ravel()]))
    voxels = np.floor(centers + 0.5).astype(int)
    inside = ((voxels >= 0) & (voxels < SHAPE[::-1])).all(axis=1)
    _, first, pixels = np.unique(voxels, axis=0, return_inverse=True, return_counts=True)
    alone = inside & (pixels[first.ravel()] == 1)
    mask = np.random.default_rng(0).random(plane.shape) > 0.5

    writer.writeMask(node, segment, plane, mask, volume)

    assert alone.sum() > 500
    assert np.array_equal(writer.readMask(node, segment, plane).ravel()[alone], mask.ravel()[alone])


def test_only_voxels_that_the_slice_shows_are_written(scene, writer, volume):
    node, segment = add_segmentation(scene)
    normal = np.array([0.5, 0.3, 1.0])
    plane = planeFromNormal(volume, MIDDLE, normal)

    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)

    _, depth = pixels_and_depth(plane, voxel_centers())
    written = voxels_of(node, segment, SHAPE).ravel()
    reach = np.abs(normal / np.linalg.norm(normal)).sum() / 2
    assert written[depth < reach - 1e-5].all()
    assert not written[depth > reach + 1e-5].any()


def test_every_voxel_within_half_the_thickness_takes_the_pixel_in_front_of_it(scene, writer, volume):
    node, segment = add_segmentation(scene)
    thin = planeFromNormal(volume, MIDDLE, (0.2, 0.1, 1))
    thick = type(thin)(thin.planeToRAS @ np.diag([1, 1, 5, 1]), thin.shape, None, None, thin.thickness * 5)
    mask = disk(thick.shape, (20, 25), 9)

    writer.writeMask(node, segment, thick, mask, volume)

    pixels, depth = pixels_and_depth(thick, voxel_centers())
    inside = (depth < thick.thickness / 2 - 1e-3) & thick.contains(pixels)
    x, y = pixels[inside].T
    written = voxels_of(node, segment, SHAPE).ravel()
    assert np.mean(written[inside] == mask[y, x]) > 0.99
    assert not written[depth > thick.thickness / 2 + 1e-3].any()


def test_replacing_an_oblique_slice_clears_its_slab_and_nothing_else(scene, writer, volume):
    node, segment = add_segmentation(scene)
    fill(node, segment, volume, np.ones(SHAPE, bool))
    plane = planeFromNormal(volume, MIDDLE, (1, 1, 1))

    writer.writeMask(node, segment, plane, np.zeros(plane.shape, bool), volume)

    _, depth = pixels_and_depth(plane, voxel_centers())
    left = voxels_of(node, segment, SHAPE).ravel()
    assert not left[depth < np.sqrt(3) / 2 - 1e-5].any()
    assert left[depth > np.sqrt(3) / 2 + 1e-5].all()
    assert not writer.readMask(node, segment, plane).any()


@pytest.mark.parametrize("mode", ["add", "subtract"])
def test_adding_and_subtracting_on_an_oblique_slice_keep_the_rest_of_it(scene, writer, volume, mode):
    node, segment = add_segmentation(scene)
    plane = planeFromNormal(volume, MIDDLE, (1, 0.5, 0.8))
    height, width = plane.shape
    old = disk(plane.shape, (width // 2 - 5, height // 2), 10)
    mask = disk(plane.shape, (width // 2 + 5, height // 2), 10)
    writer.writeMask(node, segment, plane, old, volume)

    writer.writeMask(node, segment, plane, mask, volume, mode=mode)

    expected = old | mask if mode == "add" else old & ~mask
    assert dice(writer.readMask(node, segment, plane), expected) > 0.97


def test_parallel_oblique_slices_fill_a_solid_without_holes(scene, writer, volume):
    node, segment = add_segmentation(scene)
    normal = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)
    for offset in np.arange(-6, 7):
        plane = planeFromNormal(volume, MIDDLE + offset * normal, normal)
        center, _ = plane.rasToPixel([MIDDLE])
        mask = disk(plane.shape, center[0], 8)
        writer.writeMask(node, segment, plane, mask, volume, mode="add")

    centers = voxel_centers().reshape(-1, 3) - MIDDLE
    along = centers @ normal
    radius = np.linalg.norm(centers - along[:, None] * normal, axis=1)
    core = (np.abs(along) < 6) & (radius < 7)
    assert voxels_of(node, segment, SHAPE).ravel()[core].all()


def test_pixels_outside_the_volume_write_nothing(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromNormal(volume, (3, 3, 3), (1, 1, 1))

    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)

    extent = node.GetBinaryLabelmapInternalRepresentation(segment).GetExtent()
    assert min(extent) >= 0 and voxels_of(node, segment, SHAPE).any()


@pytest.mark.parametrize("factor", [2, 3])
def test_a_segmentation_finer_than_the_volume_gets_every_fine_voxel_of_the_slice(scene, writer, factor):
    volume = add_volume(scene, (10, 12, 14), np.diag([2.0, 2.0, 4.0, 1.0]))
    fine_matrix = np.diag([2 / factor, 2 / factor, 4 / factor, 1.0])
    fine_matrix[:3, 3] = (np.array([2, 2, 4]) / factor - np.array([2, 2, 4])) / 2
    fine_shape = tuple(n * factor for n in (10, 12, 14))
    fine = add_volume(scene, fine_shape, fine_matrix)
    node, segment = add_segmentation(scene, ["A"], fine)
    plane = planeFromAxis(volume, "K", 6)
    mask = np.random.default_rng(0).random(plane.shape) > 0.5

    writer.writeMask(node, segment, plane, mask, volume)

    assert np.array_equal(writer.readMask(node, segment, plane), mask)
    written = voxels_of(node, segment, fine_shape)
    assert written.sum() == mask.sum() * factor**3
    assert np.array_equal(written.any(axis=(1, 2)).nonzero()[0], np.arange(6 * factor, 7 * factor))


def test_a_segmentation_coarser_than_the_volume_shows_the_mask_as_well_as_it_can(scene, writer):
    volume = add_volume(scene, SHAPE, np.eye(4))
    coarse = add_volume(scene, (20, 24, 22), [[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    node, segment = add_segmentation(scene, ["A"], coarse)
    plane = planeFromAxis(volume, "K", 21)
    mask = disk(plane.shape, (20, 22), 14)

    writer.writeMask(node, segment, plane, mask, volume)

    assert dice(writer.readMask(node, segment, plane), mask) > 0.95
    assert np.array_equal(voxels_of(node, segment, (20, 24, 22)).any(axis=(1, 2)).nonzero()[0], [10])


def test_a_segmentation_in_another_orientation_keeps_its_own_voxels(scene, writer, volume):
    turned = rotation(25, (1, 1, 0))
    turned[:3, 3] = MIDDLE - turned[:3, :3] @ MIDDLE
    other = add_volume(scene, SHAPE, turned)
    node, segment = add_segmentation(scene, ["A"], other)
    plane = planeFromAxis(volume, "K", 20)
    mask = disk(plane.shape, (plane.shape[1] // 2, plane.shape[0] // 2), 12)

    writer.writeMask(node, segment, plane, mask, volume)

    assert dice(writer.readMask(node, segment, plane), mask) >= 0.97
    _, depth = pixels_and_depth(plane, voxel_centers(turned))
    assert depth[voxels_of(node, segment, SHAPE).ravel()].max() < np.sqrt(3) / 2 + 1e-6


def test_a_segmentation_and_a_volume_under_one_transform_stay_voxel_exact(scene, writer, volume):
    node, segment = add_segmentation(scene)
    transform = put_under_transform(scene, volume, rotation(33, (1, 2, 3)))
    node.SetAndObserveTransformNodeID(transform.GetID())
    plane = planeFromAxis(volume, "J", 9)
    mask = np.random.default_rng(0).random(plane.shape) > 0.5

    change = writer.writeMask(node, segment, plane, mask, volume)

    assert np.array_equal(writer.readMask(node, segment, plane), mask)
    assert change.voxelsAdded == mask.sum() and change.extent[2:4] == (9, 9)


def test_a_new_segmentation_under_its_own_transform_still_matches_the_volume(scene, writer, volume):
    node, segment = add_segmentation(scene)
    put_under_transform(scene, node, rotation(33, (1, 2, 3)))
    plane = planeFromAxis(volume, "K", 9)
    mask = np.random.default_rng(0).random(plane.shape) > 0.5

    change = writer.writeMask(node, segment, plane, mask, volume)

    assert np.array_equal(writer.readMask(node, segment, plane), mask)
    assert change.voxelsAdded == mask.sum()


def test_a_segmentation_moved_after_writing_is_read_where_it_is_now(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane, above = planeFromAxis(volume, "K", 9), planeFromAxis(volume, "K", 12)
    mask = np.random.default_rng(0).random(plane.shape) > 0.5
    writer.writeMask(node, segment, plane, mask, volume)
    shift = np.eye(4)
    shift[2, 3] = 3.0

    put_under_transform(scene, node, shift)

    assert np.array_equal(writer.readMask(node, segment, above), mask)
    assert not writer.readMask(node, segment, plane).any()


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.tuples(*[st.floats(0.6, 1.6)] * 3),
    st.floats(-180, 180),
    st.tuples(*[st.floats(-5, 5)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_any_oblique_mask_is_found_again_on_its_slice(normal, spacing, angle, shift, seed):
    assume(np.linalg.norm(normal) > 0.1)
    matrix = rotation(angle, (1, 2, -1)) @ np.diag([*spacing, 1.0])
    center = (matrix @ np.array([*MIDDLE, 1.0]))[:3]
    with startScene() as host:
        volume = add_volume(host.scene, SHAPE, matrix, np.zeros(SHAPE, np.int16))
        node, segment = add_segmentation(host.scene)
        plane = planeFromNormal(volume, center + np.array(shift), normal)
        rng = np.random.default_rng(seed)
        # 10 voxels or more across, whatever the pixel size: smaller masks have more border than inside.
        radius = rng.uniform(10, 14) * max(spacing) / min(plane.spacing)
        middle = plane.rasToPixel([center])[0][0]
        mask = disk(plane.shape, middle, radius)
        inside = plane.planeToIJK(volume) @ np.stack(
            [*np.indices(plane.shape)[::-1].reshape(2, -1), np.zeros(mask.size), np.ones(mask.size)]
        )
        within = ((inside[:3] > -0.4) & (inside[:3].T < np.array(SHAPE[::-1]) - 0.6).T).all(axis=0)
        mask &= within.reshape(mask.shape)
        writer = SegmentWriter(host.scene)

        writer.writeMask(node, segment, plane, mask, volume)

        assert dice(writer.readMask(node, segment, plane), mask) >= 0.97


@pytest.mark.parametrize("flipped", [1.0, -1.0])
def test_slices_between_the_voxels_of_the_segmentation_do_not_share_any(scene, writer, flipped):
    volume = add_volume(scene, (10, 12, 14), np.eye(4))
    between = np.diag([1.0, 1.0, flipped, 1.0])
    between[2, 3] = -0.5 if flipped > 0 else 9.5
    node, segment = add_segmentation(scene, ["A"], add_volume(scene, (11, 12, 14), between))
    planes = [planeFromAxis(volume, "K", k) for k in range(2, 6)]
    masks = np.random.default_rng(0).random((4, *planes[0].shape)) > 0.5

    for plane, mask in zip(planes, masks):
        writer.writeMask(node, segment, plane, mask, volume)

    for plane, mask in zip(planes, masks):
        assert np.array_equal(writer.readMask(node, segment, plane), mask)


def test_a_slice_through_the_corners_of_voxels_is_found_again(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromNormal(volume, (22, 24, 20), (1, 0, 1))
    mask = disk(plane.shape, (24, 28), 12)

    writer.writeMask(node, segment, plane, mask, volume)

    assert dice(writer.readMask(node, segment, plane), mask) >= 0.98
