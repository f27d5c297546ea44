"""Sets of voxels kept in little memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from SAMUNetSlicerLib.scene.segments import VoxelRuns


def as_set(voxels):
    return set(map(tuple, voxels.tolist()))


@settings(deadline=None, max_examples=60)
@given(arrays(np.int32, st.tuples(st.integers(0, 200), st.just(3)), elements=st.integers(-9, 9)))
def test_any_set_of_voxels_comes_back_whole(voxels):
    voxels = np.unique(voxels, axis=0)
    shuffled = np.random.default_rng(0).permutation(voxels)

    runs = VoxelRuns.fromVoxels(shuffled)

    assert as_set(runs.voxels()) == as_set(voxels)
    assert len(runs) == len(voxels)


def test_an_empty_set_has_no_extent_and_no_bytes():
    runs = VoxelRuns.fromVoxels(np.zeros((0, 3), np.int32))

    assert (len(runs), runs.extent, runs.nbytes, runs.voxels().shape) == (0, None, 0, (0, 3))


def test_the_extent_bounds_the_set():
    runs = VoxelRuns.fromVoxels(np.array([[3, -2, 7], [5, 4, 7]]))

    assert runs.extent == (3, 5, -2, 4, 7, 7)


@pytest.mark.parametrize("across", [0, 1, 2])
def test_a_disk_takes_less_memory_than_its_packed_bits(across):
    y, x = np.ogrid[:512, :512]
    inPlane = np.argwhere((x - 256) ** 2 + (y - 256) ** 2 < 200**2)
    voxels = np.insert(inPlane, across, 9, axis=1)

    runs = VoxelRuns.fromVoxels(voxels)

    # A plane across I has runs of one voxel: the worst case, still 8 bytes for each.
    assert runs.nbytes <= (512 * 512 // 8 if across else len(voxels) * 8)


def test_a_box_beyond_32_bits_keeps_its_corners_apart():
    corners = np.array([[0, 0, 0], [4000, 4000, 4000]], np.int32)

    assert as_set(VoxelRuns.fromVoxels(corners).voxels()) == as_set(corners)
