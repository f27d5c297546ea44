"""Extents and largest diameter against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from SAMUNetSlicerLib.scene.segments import SegmentShape, measureSegments
from scene.segmentation_scene import CT, add_segmentation, add_volume, fill, rotation

MATRIX = rotation(33, (3, 1, 2)) @ CT
SPACING = np.array([0.75, 0.75, 2.5])


def shape_of(voxels):
    shape = SegmentShape()
    for k, mask in enumerate(voxels):
        shape.add(k, mask)
    return shape


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.001, 0.3))
def test_the_largest_diameter_is_that_of_the_farthest_voxels(seed, share):
    rng = np.random.default_rng(seed)
    voxels = rng.random((6, 20, 22)) < share
    voxels[2, 3, 4] = True
    k, j, i = np.nonzero(voxels)
    points = np.column_stack([i, j, k, np.ones(len(i))]) @ MATRIX.T
    farthest = max(pdist(points[:, :3]), default=0.0)

    assert shape_of(voxels).largestDiameter(MATRIX) == pytest.approx(farthest, rel=1e-3, abs=1e-5)


def test_a_single_voxel_has_its_own_extents_and_no_diameter():
    voxels = np.zeros((4, 5, 6), bool)
    voxels[1, 2, 3] = True
    shape = shape_of(voxels)

    assert shape.extents(SPACING) == pytest.approx(SPACING)
    assert (shape.largestDiameter(MATRIX), shape.slices) == (0, 1)


def test_without_voxels_there_is_nothing_to_measure():
    shape = shape_of(np.zeros((4, 5, 6), bool))

    assert (shape.extents(SPACING), shape.largestDiameter(MATRIX), shape.slices) == (None, None, 0)


def test_a_segment_on_a_volume_is_measured_in_mm(scene):
    volume = add_volume(scene, (10, 12, 14), MATRIX)
    voxels = np.zeros((10, 12, 14), bool)
    voxels[2:7, 3:5, 1:12] = True
    voxels[4] = False
    node, segment = add_segmentation(scene, ["A"], volume)
    fill(node, segment, volume, voxels)

    (measured,) = measureSegments(node, volume, [segment])

    assert measured.extentsMm == pytest.approx((11 * 0.75, 2 * 0.75, 5 * 2.5))
    assert measured.diameterMm == pytest.approx(np.linalg.norm([10 * 0.75, 0.75, 4 * 2.5]), rel=1e-3)
    assert measured.slices == 4
