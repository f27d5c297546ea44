"""Prompts as pixels of their slice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import SlicePlane, planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.prompts import PromptRecord, PromptStore, boxCornersOfPixels, promptPixels
from scene.segmentation_scene import CT, add_segmentation, add_volume, rotation


@pytest.fixture
def plane(scene):
    return planeFromAxis(add_volume(scene, (20, 24, 28), rotation(20, (1, 1, 0)) @ CT), "coronal", 9)


def box_between(plane, *pixels):
    corners = tuple(map(tuple, plane.pixelToRAS(pixels).tolist()))
    return PromptRecord("id", "box", corners, plane, 0, "segment")


def point_at(plane, kind, *pixel):
    return PromptRecord(
        "id", kind, tuple(map(tuple, plane.pixelToRAS([pixel]).tolist())), plane, 0, "segment"
    )


def test_points_keep_their_order_and_their_labels(plane):
    records = [
        point_at(plane, kind, x, 4) for kind, x in [("positive", 3), ("negative", 8.25), ("positive", 1)]
    ]

    points, labels, boxes = promptPixels(records, plane)

    np.testing.assert_allclose(points, [[3, 4], [8.25, 4], [1, 4]], atol=1e-5)
    assert labels.tolist() == [1, 0, 1]
    assert (points.dtype, labels.dtype, boxes.shape) == (np.float32, np.int64, (0, 4))


def test_no_prompts_are_empty_arrays(plane):
    points, labels, boxes = promptPixels([], plane)

    assert (points.shape, labels.shape, boxes.shape) == ((0, 2), (0,), (0, 4))


@pytest.mark.parametrize(
    ("corners", "pixels"),
    [
        (((2, 3), (9, 12)), [2, 3, 10, 13]),  # from pixel center to pixel center: both belong
        (((9, 12), (2, 3)), [2, 3, 10, 13]),
        (((1.5, 2.5), (8.5, 11.5)), [2, 3, 9, 12]),  # along pixel edges: what lies between
        (((1.6, 2.4), (8.4, 11.6)), [2, 3, 9, 12]),
        (((4.1, 4.1), (4.3, 4.4)), [4, 4, 5, 5]),  # inside one pixel: that pixel
        (((-3, -2), (2, 2)), [-3, -2, 3, 3]),  # the part outside the image is not cut off
    ],
)
def test_a_box_holds_the_pixels_whose_centers_it_holds(plane, corners, pixels):
    _, _, boxes = promptPixels([box_between(plane, *corners)], plane)

    assert boxes.tolist() == [pixels]


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_any_pixel_box_comes_back_from_the_scene_as_it_was(normal, corner, size):
    normal = np.array(normal) if np.linalg.norm(normal) > 0.1 else np.array([0, 0, 1.0])
    with startScene() as host:
        volume = add_volume(host.scene, (20, 24, 28), rotation(20, (1, 1, 0)) @ CT)
        plane = planeFromNormal(volume, planeFromAxis(volume, "K", 9).pixelToRAS([[14, 12]])[0], normal)
        node, segment = add_segmentation(host.scene)
        store = PromptStore(host.scene, node)
        box = [*corner, *np.add(corner, size)]

        store.addBox(segment, *boxCornersOfPixels(plane, box), plane)

        assert promptPixels(store.promptsFor(segment, plane), plane).boxes.tolist() == [box]
        store.close()


def test_a_box_drawn_on_a_view_turned_in_its_plane_becomes_the_box_around_it(scene):
    plane = planeFromAxis(add_volume(scene, (20, 24, 28), CT), "axial", 9)
    turned = SlicePlane(plane.planeToRAS @ rotation(45), plane.shape, None, None, plane.thickness)
    drawn = box_between(turned, (-5, -5), (5, 5))

    box = promptPixels([drawn], plane).boxes[0]

    assert box.tolist() == [-7, -7, 8, 8]  # half a diagonal of 10 pixels is 7.07
