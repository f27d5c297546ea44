"""Volumes and intensities of segments."""

import numpy as np
import pytest
import vtk
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter, measureSegments
from scene.segmentation_scene import (
    CT,
    add_segmentation,
    add_volume,
    ball,
    fill,
    put_under_transform,
    rotation,
    voxels_of,
)

SHAPE = (12, 16, 18)
VOXEL_ML = 0.75 * 0.75 * 2.5 / 1000


def segment_of(scene, volume, voxels):
    node, segment = add_segmentation(scene, ["A"], volume)
    fill(node, segment, volume, voxels)
    return node, segment


def measure_one(node, volume, segment):
    (measured,) = measureSegments(node, volume, [segment])
    return measured


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([np.uint8, np.int16, np.uint16, np.float32, np.float64]),
    st.sampled_from([0, 100, 30_000]),
    st.integers(0, 2**32 - 1),
)
def test_measurements_are_those_of_the_voxels(dtype, offset, seed):
    rng = np.random.default_rng(seed)
    array = (rng.normal(0, 3, SHAPE) + min(offset, 100 if dtype == np.uint8 else offset)).astype(dtype)
    voxels = rng.random(SHAPE) > 0.7
    with startScene() as host:
        volume = add_volume(host.scene, array=array, ijk_to_ras=rotation(30, (1, 1, 0)) @ CT)
        node, segment = segment_of(host.scene, volume, voxels)

        measured = measure_one(node, volume, segment)

    inside = array[voxels].astype(float)
    assert (measured.segmentId, measured.name, measured.voxels) == (segment, "A", voxels.sum())
    assert measured.volumeMl == pytest.approx(voxels.sum() * VOXEL_ML)
    assert measured.mean == pytest.approx(inside.mean(), rel=1e-9)
    assert measured.sd == pytest.approx(inside.std(ddof=1), rel=1e-6)


def test_a_large_mean_does_not_drown_a_small_deviation(scene):
    array = np.random.default_rng(0).normal(1e9, 1e-2, SHAPE)
    volume = add_volume(scene, array=array)
    voxels = ball(SHAPE, (6, 8, 9), 5)
    node, segment = segment_of(scene, volume, voxels)

    assert measure_one(node, volume, segment).sd == pytest.approx(array[voxels].std(ddof=1), rel=1e-3)


def test_overlapping_segments_are_measured_in_full(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    fill(node, a, volume, ball(SHAPE, (6, 8, 9), 5))
    plane = planeFromAxis(volume, "K", 6)
    SegmentWriter(scene).writeMask(node, b, plane, np.ones(plane.shape, bool), volume, policy="allowOverlap")

    first, second = measureSegments(node, volume, [a, b])

    assert first.voxels == voxels_of(node, a, SHAPE).sum() == ball(SHAPE, (6, 8, 9), 5).sum()
    assert second.voxels == 16 * 18


def test_segments_are_listed_as_asked(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, a, b, c = add_segmentation(scene, ["A", "B", "C"], volume)
    for number, segment in enumerate((a, b, c)):
        fill(node, segment, volume, ball(SHAPE, (2 + 4 * number, 8, 9), 1.5))

    assert [measured.name for measured in measureSegments(node, volume, [c, a])] == ["C", "A"]


def test_an_empty_segment_has_no_intensity_and_one_voxel_no_deviation(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    single = np.zeros(SHAPE, bool)
    single[3, 4, 5] = True
    fill(node, b, volume, single)

    empty, one = measureSegments(node, volume, [a, b])

    assert (empty.voxels, empty.volumeMl, empty.mean, empty.sd) == (0, 0, None, None)
    assert (one.voxels, one.mean, one.sd) == (1, 3 * 16 * 18 + 4 * 18 + 5, None)


def test_voxels_without_a_finite_intensity_count_but_do_not_spoil_the_mean(scene):
    array = np.ones(SHAPE)
    array[6, 8, 8:10] = np.nan, np.inf
    volume = add_volume(scene, array=array)
    node, segment = segment_of(scene, volume, ball(SHAPE, (6, 8, 9), 3))

    measured = measure_one(node, volume, segment)

    assert (measured.mean, measured.sd) == (1, 0)
    assert measured.voxels == ball(SHAPE, (6, 8, 9), 3).sum()


def test_a_color_volume_has_volumes_but_no_intensities(scene):
    gray = add_volume(scene, SHAPE, CT)
    colors = vtk.vtkImageData()
    colors.SetDimensions(*SHAPE[::-1])
    colors.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colored = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode")
    colored.SetAndObserveImageData(colors)
    colored.CopyOrientation(gray)
    node, segment = segment_of(scene, gray, ball(SHAPE, (6, 8, 9), 3))

    measured = measure_one(node, colored, segment)

    assert measured.volumeMl == pytest.approx(ball(SHAPE, (6, 8, 9), 3).sum() * VOXEL_ML)
    assert (measured.mean, measured.sd) == (None, None)


def test_a_scaling_transform_scales_the_volume_and_not_the_intensities(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, segment = segment_of(scene, volume, ball(SHAPE, (6, 8, 9), 3))
    before = measure_one(node, volume, segment)
    transform = put_under_transform(scene, volume, np.diag([2.0, 2.0, 2.0, 1.0]))
    node.SetAndObserveTransformNodeID(transform.GetID())

    after = measure_one(node, volume, segment)

    assert after.volumeMl == pytest.approx(8 * before.volumeMl)
    assert (after.voxels, after.mean, after.sd) == (before.voxels, before.mean, before.sd)


def test_a_segment_that_is_gone_is_said(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, _ = segment_of(scene, volume, ball(SHAPE, (6, 8, 9), 3))

    with pytest.raises(InputError, match="no longer in"):
        measureSegments(node, volume, ["gone"])
