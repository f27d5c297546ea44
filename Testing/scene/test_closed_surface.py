"""3D surfaces are not meshed again at every click."""

import numpy as np
import pytest

from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import (
    SegmentWriter,
    hasClosedSurface,
    isClosedSurfaceSuspended,
    restoreClosedSurface,
    suspendClosedSurface,
)
from scene.segmentation_scene import CT, add_segmentation, add_volume, fill

SHAPE = (10, 20, 20)


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, CT)


@pytest.fixture
def surface(scene, volume):
    """A segmentation shown in 3D, and its segment."""
    node, segment = add_segmentation(scene, ["A"], volume)
    voxels = np.zeros(SHAPE, bool)
    voxels[2:8, 5:15, 5:15] = True
    fill(node, segment, volume, voxels)
    assert node.CreateClosedSurfaceRepresentation()
    return node, segment


def points(node, segment):
    return node.GetClosedSurfaceInternalRepresentation(segment).GetNumberOfPoints()


def test_writing_takes_the_surface_away_and_restoring_makes_the_new_one(scene, volume, surface):
    node, segment = surface
    before = points(node, segment)
    plane = planeFromAxis(volume, "K", 8)

    SegmentWriter(scene).writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    assert isClosedSurfaceSuspended(node) and not hasClosedSurface(node)

    assert restoreClosedSurface(node)
    assert hasClosedSurface(node) and not isClosedSurfaceSuspended(node)
    assert points(node, segment) != before


def test_a_write_that_changes_nothing_keeps_the_surface(scene, volume, surface):
    node, segment = surface
    plane = planeFromAxis(volume, "K", 0)

    SegmentWriter(scene).writeMask(node, segment, plane, np.zeros(plane.shape, bool), volume)

    assert hasClosedSurface(node) and not isClosedSurfaceSuspended(node)


def test_without_a_surface_there_is_nothing_to_suspend_or_restore(scene):
    node, _ = add_segmentation(scene)

    assert not suspendClosedSurface(node)
    assert not restoreClosedSurface(node)
    assert not hasClosedSurface(node)


def test_suspending_twice_still_restores_once(surface):
    node, _ = surface

    assert suspendClosedSurface(node)
    assert not suspendClosedSurface(node)
    assert restoreClosedSurface(node)
    assert not restoreClosedSurface(node)


def test_a_write_that_others_block_entirely_keeps_the_surface(scene, volume, surface):
    node, _ = surface
    blocked = node.GetSegmentation().AddEmptySegment("", "B")
    plane = planeFromAxis(volume, "K", 4)
    mask = np.zeros(plane.shape, bool)
    mask[8:12, 8:12] = True

    assert not SegmentWriter(scene).writeMask(node, blocked, plane, mask, volume)
    assert hasClosedSurface(node)
