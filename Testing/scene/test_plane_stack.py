"""The slices of a stack, their numbers, and masks that move from one to the other."""

import numpy as np
import pytest

from SAMUNetSlicerLib.scene.geometry import PlaneStack, carried, planeFromAxis, planeFromNormal
from scene.segmentation_scene import CT, add_volume, put_under_transform, rotation

SHAPE = (10, 20, 24)
FLIPPED = np.diag([-1.0, -1.0, -2.5, 1.0])


@pytest.mark.parametrize("matrix", [CT, FLIPPED])
@pytest.mark.parametrize("axis", "IJK")
def test_slices_are_numbered_by_their_voxel_index(scene, matrix, axis):
    volume = add_volume(scene, SHAPE, matrix)
    stack = PlaneStack(planeFromAxis(volume, axis, 4), volume)
    for number in (0, 4, 7, SHAPE[2 - "IJK".index(axis)] - 1):
        plane = stack.plane(stack.step(number))
        assert plane.signature() == planeFromAxis(volume, axis, number).signature()
        assert stack.number(stack.stepOf(plane)) == number


def test_an_oblique_stack_covers_the_volume_and_finds_its_slices_again(scene):
    volume = add_volume(scene, SHAPE, CT)
    stack = PlaneStack(planeFromNormal(volume, [8, 7, 12], [0.3, 0.2, 0.9]), volume)
    steps = range(stack.first, stack.last + 1)
    assert [stack.stepOf(stack.plane(step)) for step in steps] == list(steps)
    assert stack.number(3) == 3


def test_a_slice_of_another_orientation_has_no_place_in_a_stack(scene):
    volume = add_volume(scene, SHAPE, CT)
    stack = PlaneStack(planeFromAxis(volume, "K", 4), volume)
    assert stack.stepOf(planeFromAxis(volume, "I", 4)) is None


def test_a_mask_is_carried_straight_along_the_normal(scene):
    volume = add_volume(scene, (30, 40, 44), np.eye(4))
    put_under_transform(scene, volume, rotation(20, (1, 1, 0)))
    stack = PlaneStack(planeFromNormal(volume, [20, 15, 12], [0.3, -0.4, 0.87]), volume)
    source = stack.plane(0)
    mask = np.zeros(source.shape, bool)
    mask[18:23, 20:27] = True
    for step in (-7, 5):
        target = stack.plane(step)
        moved = carried(mask, source, target)
        assert moved.sum() == mask.sum()
        shift = center(moved, target) - center(mask, source)
        sideways = shift - (shift @ source.normal) * source.normal
        assert np.linalg.norm(sideways) <= 0.75 * max(source.spacing)


def test_what_is_carried_beyond_the_image_is_cut_off(scene):
    volume = add_volume(scene, (30, 40, 44), np.eye(4))
    stack = PlaneStack(planeFromNormal(volume, [20, 20, 15], [0.6, 0, 0.8]), volume)
    source, target = stack.plane(0), stack.plane(stack.last)
    moved = carried(np.ones(source.shape, bool), source, target)
    assert moved.shape == target.shape
    assert 0 < moved.sum() <= source.shape[0] * source.shape[1]


def center(mask, plane):
    rows, columns = np.nonzero(mask)
    return plane.pixelToRAS([[columns.mean(), rows.mean()]])[0]
