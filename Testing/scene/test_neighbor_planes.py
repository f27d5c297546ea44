"""The slices beside a slice, as scrolling would show them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import (
    neighborPlane,
    neighborSteps,
    planeFromAxis,
    planeFromNormal,
    planeFromSliceNode,
)
from scene.geometries import VolumeScene, directions, matrices, parents
from scene.segmentation_scene import add_volume

geometry = settings(deadline=None, max_examples=25)


@geometry
@given(matrices(), parents(), st.sampled_from("IJK"), st.integers(0, 4))
def test_the_neighbors_of_a_plane_of_voxels_are_all_other_planes_of_voxels(matrix, parent, axis, index):
    with VolumeScene(matrix, parent) as scene:
        plane = planeFromAxis(scene.volume, axis, index)
        neighbors = [neighborPlane(plane, scene.volume, step) for step in neighborSteps(plane, scene.volume)]
        size = scene.voxels.shape["KJI".index(axis)]
        expected = {planeFromAxis(scene.volume, axis, n).signature() for n in range(size)}
        assert {neighbor.signature() for neighbor in neighbors} == expected
        assert len(neighbors) == size and neighbors[0].signature() == plane.signature()
        assert np.all(np.diff([abs(neighbor.index - index) for neighbor in neighbors]) >= 0)


@geometry
@given(matrices(), directions(), st.sampled_from([-1, 1]))
def test_an_oblique_neighbor_lies_one_slice_further_on_the_same_pixels(matrix, normal, step):
    with VolumeScene(matrix) as scene:
        plane = planeFromNormal(scene.volume, scene.ras([2, 2.5, 3]), normal)
        neighbor = neighborPlane(plane, scene.volume, step)
        pixels, distances = plane.rasToPixel(neighbor.pixelToRAS([[0, 0], [1, 0], [0, 1]]))
        np.testing.assert_allclose(distances, step * plane.thickness, atol=1e-5)
        np.testing.assert_allclose(pixels[1:] - pixels[0], np.eye(2), atol=1e-5)
        assert neighborPlane(neighbor, scene.volume, -step).sameAs(plane)


def test_scrolling_a_tilted_view_shows_the_neighbor(host):
    volume = add_volume(host.scene)
    view = addSliceNode(host, "Red")
    view.show(volume)
    view.setOblique((0.2, 0.1, 1.0), (-1, 0, 0.2), (10, 9, 25))
    plane = planeFromSliceNode(view.node, volume)
    view.setOblique((0.2, 0.1, 1.0), (-1, 0, 0.2), np.array([10, 9, 25]) + 2 * plane.thickness * plane.normal)
    assert planeFromSliceNode(view.node, volume).sameAs(neighborPlane(plane, volume, 2))


def test_there_is_no_neighbor_outside_the_volume(scene):
    volume = add_volume(scene, (4, 5, 6))
    with pytest.raises(InputError, match="outside the volume"):
        neighborPlane(planeFromAxis(volume, "K", 3), volume, 1)
