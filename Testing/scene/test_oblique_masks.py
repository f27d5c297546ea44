"""A mask drawn on a tilted slice is what the segment shows on that slice, as far as its voxels allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import ijkToRAS, planeFromNormal, voxelsAtPixels
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.oblique_masks import TILTS, dice_of, normal_of, shown_again, square_at
from scene.segmentation_scene import add_segmentation, add_volume, rotation


def shown_at_best(plane, mask, volume):
    """The mask on the plane if each voxel shows what most of its pixels are, and how many pixels differ."""
    _, voxel = np.unique(voxelsAtPixels(plane, ijkToRAS(volume)), axis=0, return_inverse=True)
    inside = np.bincount(voxel.ravel(), mask.ravel())
    return int(np.minimum(inside, np.bincount(voxel.ravel()) - inside).sum())


@settings(deadline=None, max_examples=40)
@given(
    tilt=st.floats(1, 89),
    turn=st.floats(0, 360),
    spacing=st.tuples(st.floats(0.5, 1.5), st.floats(0.5, 1.5), st.floats(0.5, 5)),
    size=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_other_voxels_would_give_an_oblique_mask_back_better(tilt, turn, spacing, size, seed):
    rng = np.random.default_rng(seed)
    matrix = rotation(rng.uniform(-180, 180), rng.normal(size=3)) @ np.diag([*spacing, 1.0])
    with startScene() as host:
        volume = add_volume(host.scene, (24, 40, 40), matrix, np.zeros((24, 40, 40), np.int16))
        center = (matrix @ [*rng.uniform((14, 14, 9), (26, 26, 15)), 1])[:3]
        plane = planeFromNormal(volume, center, matrix[:3, :3] @ normal_of(tilt, turn))
        mask = square_at(plane, center, size)
        seen = shown_again(host.scene, volume, plane, mask)
        wrong, unavoidable = np.count_nonzero(seen != mask), shown_at_best(plane, mask, volume)
        assert seen.any(), "the mask has vanished"
        # A mask that holds the most of no voxel would vanish at best.
        assert wrong == unavoidable or unavoidable == mask.sum()


# What the voxels allow at best, by the test above: 0.969 of 12 x 12 pixels on slices of 5 mm.
@pytest.mark.parametrize(
    ("spacing", "size", "least"),
    [
        ((0.75, 0.75, 2.5), 12, 0.97),
        ((0.75, 0.75, 2.5), 6, 0.90),
        ((0.75, 0.75, 2.5), 3, 0.80),
        ((0.5, 0.5, 5.0), 12, 0.965),
        ((0.5, 0.5, 5.0), 6, 0.90),
        ((0.5, 0.5, 5.0), 3, 0.80),
    ],
)
def test_masks_of_few_pixels_come_back_at_all_tilts(spacing, size, least):
    with startScene() as host:
        seen = [dice_of(host.scene, spacing, tilt, size, seed) for seed, tilt in enumerate(TILTS)]
    assert min(seen) > 0
    assert np.mean(seen) >= least


def test_a_mask_that_was_drawn_can_be_erased_again_on_its_slice(scene):
    volume = add_volume(scene, (12, 60, 60), np.diag([0.5, 0.5, 5, 1]), np.zeros((12, 60, 60), np.int16))
    node, segment = add_segmentation(scene)
    writer = SegmentWriter(scene)
    plane = planeFromNormal(volume, (15, 15, 30), normal_of(60, 30))
    mask = square_at(plane, np.array([15.0, 15, 30]), 12)
    writer.writeMask(node, segment, plane, mask, volume)
    writer.writeMask(node, segment, plane, np.zeros_like(mask), volume)
    assert not writer.readMask(node, segment, plane).any()
    layer = node.GetBinaryLabelmapInternalRepresentation(segment)
    assert layer.GetPointData().GetScalars() is None or layer.GetScalarRange()[1] == 0
