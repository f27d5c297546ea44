"""Prompts are drawn in their segment's color, in the views that look at their slice."""

import numpy as np
import pytest

from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.prompts import KIND, PromptStore, contrastingColor, promptNodes
from scene.segmentation_scene import add_segmentation, add_volume


@pytest.fixture
def volume(scene):
    return add_volume(scene)


@pytest.fixture
def segmentation(scene):
    return add_segmentation(scene, ["A", "B"])


@pytest.fixture
def views(host, volume):
    names = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
    views = {name: addSliceNode(host, name, orientation) for name, orientation in names.items()}
    for view in views.values():
        view.show(volume)
    return views


@pytest.fixture
def store(scene, segmentation, views):
    store = PromptStore(scene, segmentation[0])
    yield store
    store.close()


def nodes(store_scene, segmentation, kind):
    found = promptNodes(store_scene, segmentation[0])
    return [node for node in found if node.GetAttribute(KIND) == kind]


def views_showing(node, views):
    display = node.GetDisplayNode()
    if not display.GetVisibility():
        return set()
    return {name for name, view in views.items() if display.IsDisplayableInView(view.node.GetID())}


def put(store, segment, plane, kind="positive", pixel=(5, 6)):
    return store.addPoint(segment, kind, plane.pixelToRAS([pixel])[0], plane)


def test_a_prompt_is_shown_in_the_views_across_its_slice_in_none(scene, store, segmentation, volume, views):
    put(store, segmentation[1], planeFromAxis(volume, "K", 5))
    store.addBox(
        segmentation[1],
        *planeFromAxis(volume, "I", 8).pixelToRAS([[2, 3], [9, 8]]),
        planeFromAxis(volume, "I", 8),
    )
    assert views_showing(nodes(scene, segmentation, "positive")[0], views) == {"Red"}
    assert views_showing(nodes(scene, segmentation, "box")[0], views) == {"Yellow"}


def test_points_of_two_orientations_are_shown_each_in_its_own_view(scene, store, segmentation, volume, views):
    for axis in "KJ":
        put(store, segmentation[1], planeFromAxis(volume, axis, 5))
    put(store, segmentation[1], planeFromAxis(volume, "K", 6))
    shown = [views_showing(node, views) for node in nodes(scene, segmentation, "positive")]
    assert shown == [{"Red"}, {"Green"}]


def test_a_view_that_is_turned_shows_the_prompts_of_its_new_orientation(
    scene, store, segmentation, volume, views
):
    normal = (0.3, 0.1, 1.0)
    put(store, segmentation[1], planeFromAxis(volume, "K", 5))
    put(store, segmentation[1], planeFromNormal(volume, (8, 8, 20), normal))
    aligned, oblique = nodes(scene, segmentation, "positive")
    assert views_showing(oblique, views) == set()
    views["Red"].setOblique(normal, (1, 0, -0.3), (8, 8, 20))
    assert views_showing(aligned, views) == set() and views_showing(oblique, views) == {"Red"}
    views["Red"].node.SetOrientation("Axial")
    assert views_showing(aligned, views) == {"Red"} and views_showing(oblique, views) == set()


def test_a_view_that_is_opened_later_shows_them_too(host, scene, store, segmentation, volume, views):
    put(store, segmentation[1], planeFromAxis(volume, "K", 5))
    views["Slice4"] = addSliceNode(host, "Slice4", "Axial")
    (node,) = nodes(scene, segmentation, "positive")
    assert views_showing(node, views) == {"Red", "Slice4"}


def test_prompts_are_hidden_with_their_segment_and_with_the_segmentation(
    scene, store, segmentation, volume, views
):
    node, a, b = segmentation
    for segment in (a, b):
        put(store, segment, planeFromAxis(volume, "K", 5))
    display = node.GetDisplayNode()

    def visible():
        return [bool(n.GetDisplayNode().GetVisibility()) for n in nodes(scene, segmentation, "positive")]

    assert visible() == [True, True]
    display.SetSegmentVisibility(a, False)
    assert visible() == [False, True]
    display.SetVisibility(False)
    assert visible() == [False, False]
    display.SetVisibility(True)
    display.SetSegmentVisibility(a, True)
    assert visible() == [True, True]


def test_names_and_colors_follow_the_segment(scene, store, segmentation, volume, views):
    node, a, _ = segmentation
    for kind in ("positive", "negative"):
        put(store, a, planeFromAxis(volume, "K", 5), kind)
    segment = node.GetSegmentation().GetSegment(a)
    segment.SetName("Leber ü")
    segment.SetColor(0.1, 0.5, 0.9)
    (positive,), (negative,) = (nodes(scene, segmentation, kind) for kind in ("positive", "negative"))
    assert (positive.GetName(), negative.GetName()) == ("Leber ü positive", "Leber ü negative")
    assert positive.GetDisplayNode().GetSelectedColor() == pytest.approx((0.1, 0.5, 0.9))
    assert negative.GetDisplayNode().GetSelectedColor() == pytest.approx(contrastingColor((0.1, 0.5, 0.9)))


def test_what_the_user_has_chosen_for_a_list_stays(scene, store, segmentation, volume, views):
    put(store, segmentation[1], planeFromAxis(volume, "K", 5))
    (node,) = nodes(scene, segmentation, "positive")
    node.GetDisplayNode().SetGlyphScale(6.0)
    put(store, segmentation[1], planeFromAxis(volume, "K", 6))
    segmentation[0].GetSegmentation().GetSegment(segmentation[1]).SetName("B")
    assert node.GetDisplayNode().GetGlyphScale() == 6.0


def test_prompts_do_not_appear_in_3d(scene, store, segmentation, volume, views):
    plane = planeFromAxis(volume, "K", 5)
    put(store, segmentation[1], plane)
    store.addBox(segmentation[1], *plane.pixelToRAS([[2, 3], [9, 8]]), plane)
    for node in promptNodes(scene, segmentation[0]):
        assert not node.GetDisplayNode().GetVisibility3D()


def test_a_box_has_handles_at_its_corners_and_none_inside(scene, store, segmentation, volume, views):
    plane = planeFromAxis(volume, "K", 5)
    store.addBox(segmentation[1], *plane.pixelToRAS([[2, 3], [9, 8]]), plane)
    (node,) = nodes(scene, segmentation, "box")
    display = node.GetDisplayNode()
    assert display.GetScaleHandleVisibility() and not display.GetTranslationHandleVisibility()
    assert not display.GetRotationHandleVisibility()
    assert not node.GetNthControlPointVisibility(0)
    assert np.isclose(node.GetSize()[2], plane.thickness)


def test_without_any_view_prompts_are_ready_to_be_shown(scene, segmentation, volume):
    store = PromptStore(scene, segmentation[0])
    put(store, segmentation[1], planeFromAxis(volume, "K", 5))
    (node,) = nodes(scene, segmentation, "positive")
    assert node.GetDisplayNode().GetVisibility()
    store.close()
