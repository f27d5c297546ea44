"""Reading an aligned slice as a block gives the same voxels as reading one after the other."""

import numpy as np
import pytest

from SAMUNetSlicerLib.scene.geometry import alignedPixels, ijkToRAS, isAligned, planeFromAxis, voxelsAtPixels
from scene.segmentation_scene import CT, add_volume, rotation

SHAPE = (7, 9, 11)
GEOMETRIES = {
    "straight": CT,
    "LPS": np.diag([-1, -1, 1, 1]) @ CT,
    "flipped": np.diag([1, -1, -1, 1]) @ CT,
    "tilted": rotation(20, (1, 1, 0)) @ CT,
    "sagittal": CT[:, [2, 0, 1, 3]] @ np.diag([1, 1, -1, 1]),
}


@pytest.mark.parametrize("axis", ["I", "J", "K"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_an_aligned_slice_is_read_as_a_block(scene, geometry, axis):
    volume = add_volume(scene, SHAPE, GEOMETRIES[geometry])
    plane, matrix = planeFromAxis(volume, axis, 3), ijkToRAS(volume)
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)

    def block(low, size):
        return values[tuple(slice(a, a + n) for a, n in zip(low[::-1], size[::-1]))]

    assert isAligned(plane, matrix)
    i, j, k = voxelsAtPixels(plane, matrix).T
    np.testing.assert_array_equal(alignedPixels(plane, matrix, block), values[k, j, i].reshape(plane.shape))
