"""The box that a region in space leaves on a slice."""

import numpy as np
import pytest

from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import RegionBox, planeFromAxis, planeFromNormal
from scene.segmentation_scene import add_volume, rotation, vtk_matrix

SHAPE = (20, 30, 40)


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, np.diag([1.0, 1.0, 2.0, 1.0]))


def test_slices_inside_the_region_get_its_cut_and_others_nothing(volume):
    region = RegionBox.fromCorners([9.5, 4.5, 5], [19.5, 12.5, 13])
    boxes = {k: region.pixelBox(planeFromAxis(volume, "K", k)) for k in range(SHAPE[0])}
    assert [k for k, box in boxes.items() if box is not None] == [3, 4, 5, 6]
    # Patient right and anterior are left and up on the image: 40 columns, 30 rows.
    np.testing.assert_allclose(boxes[4], [20, 17, 30, 25])


def test_a_turned_region_node_is_cut_where_it_really_is(scene, volume):
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    node.SetSize(10, 4, 8)
    node.SetAndObserveObjectToNodeMatrix(vtk_matrix(moved(rotation(90), [20, 15, 20])))
    box = RegionBox.fromNode(node).pixelBox(planeFromAxis(volume, "K", 10))
    assert box[2] - box[0] == pytest.approx(4) and box[3] - box[1] == pytest.approx(10)


def test_an_oblique_slice_gets_the_box_around_the_polygon(volume):
    region = RegionBox.fromCorners([10, 5, 10], [20, 15, 30])
    plane = planeFromNormal(volume, [15, 10, 20], [1, 0, 1])
    box = region.pixelBox(plane)
    sides = [(box[2] - box[0]) * plane.spacing[0], (box[3] - box[1]) * plane.spacing[1]]
    np.testing.assert_allclose(sorted(sides), [10, 10 * np.sqrt(2)], rtol=0.01)


def test_a_region_is_cut_off_at_the_edge_of_the_image(volume):
    box = RegionBox.fromCorners([-50, -50, 0], [5, 5, 40]).pixelBox(planeFromAxis(volume, "K", 3))
    np.testing.assert_allclose(box, [34.5, 24.5, 40, 30])


def test_a_flat_region_is_refused():
    with pytest.raises(InputError, match="no volume"):
        RegionBox.fromCorners([0, 0, 0], [1, 0, 1])


def moved(matrix, offset):
    matrix = matrix.copy()
    matrix[:3, 3] = offset
    return matrix
