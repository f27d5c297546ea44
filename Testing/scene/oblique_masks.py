"""Small masks on tilted slices of anisotropic volumes, for tests and `bench_oblique.py`."""

import numpy as np

from SAMUNetSlicerLib.scene.geometry import planeFromNormal
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import add_segmentation, add_volume, dice

# Degrees between the slice and the volume's own slices.
TILTS = np.linspace(10, 80, 60)
_SIDE, _MM = 64, 40.0


def normal_of(tilt, turn):
    """Unit normal (3,) that leans away from the third axis by ``tilt`` degrees, towards ``turn``."""
    tilt, turn = np.radians([tilt, turn])
    return np.array([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)])


def square_at(plane, center, size):
    """Mask (H, W) of a square of pixels around a point on the plane."""
    x, y = np.round(plane.rasToPixel([center])[0][0] - (size - 1) / 2).astype(int)
    mask = np.zeros(plane.shape, bool)
    mask[max(y, 0) : y + size, max(x, 0) : x + size] = True
    return mask


def shown_again(scene, volume, plane, mask):
    """The segment on the plane (H, W), after the mask was written into a new one."""
    node, segment = add_segmentation(scene)
    writer = SegmentWriter(scene)
    writer.writeMask(node, segment, plane, mask, volume)
    seen = writer.readMask(node, segment, plane)
    scene.RemoveNode(node)
    return seen


def dice_of(scene, spacing, tilt, size, seed):
    """Dice of a square mask and the segment on its plane, at a random place and turn of the plane."""
    rng = np.random.default_rng(seed)
    shape = (max(8, round(_MM / spacing[2])), _SIDE, _SIDE)
    matrix = np.diag([*spacing, 1.0])
    volume = add_volume(scene, shape, matrix, np.zeros(shape, np.int16))
    middle = (np.array(shape[::-1]) - 1) / 2 * spacing
    center = middle + rng.uniform(-1, 1, 3) * spacing
    plane = planeFromNormal(volume, center, normal_of(tilt, rng.uniform(0, 360)))
    mask = square_at(plane, center, size)
    seen = shown_again(scene, volume, plane, mask)
    scene.RemoveNode(volume)
    return dice(seen, mask)
