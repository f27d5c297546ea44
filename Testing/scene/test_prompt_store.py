"""Prompts live in markups nodes, belong to one segment and one slice, and are heard of."""

import numpy as np
import pytest
import vtk
from hypothesis import given, settings
from hypothesis import strategies as st
from slicer.util import NodeModify

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.prompts import PromptStore, contrastingColor, makePromptNode
from scene.segmentation_scene import CT, add_segmentation, add_volume, put_under_transform, rotation

LISTS, ROIS = "vtkMRMLMarkupsFiducialNode", "vtkMRMLMarkupsROINode"


@pytest.fixture
def volume(scene):
    return add_volume(scene, (20, 24, 28), rotation(20, (1, 1, 0)) @ CT)


@pytest.fixture
def segmentation(scene):
    """A segmentation and its segments A and B."""
    return add_segmentation(scene, ["A", "B"])


@pytest.fixture
def heard():
    return []


@pytest.fixture
def store(scene, segmentation, heard):
    store = PromptStore(scene, segmentation[0])
    store.changed.connect(lambda segment, plane: heard.append((segment, plane.index)))
    yield store
    store.close()


@pytest.fixture
def plane(volume):
    return planeFromAxis(volume, "K", 9)


def at(plane, x, y, slices=0.0):
    """World point of a pixel, some slices off the plane."""
    return (plane.planeToRAS @ [x, y, slices, 1])[:3]


def count(scene, class_name):
    return scene.GetNumberOfNodesByClass(class_name)


def test_prompts_are_returned_in_the_order_in_which_they_were_given(store, segmentation, plane):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    store.addPoint(a, "negative", at(plane, 5, 6), plane)
    store.addPoint(a, "positive", at(plane, 7, 2), plane)

    assert [r.kind for r in store.promptsFor(a, plane)] == ["positive", "box", "negative", "positive"]
    assert np.allclose(store.promptsFor(a, plane)[2].ras, [at(plane, 5, 6)])


def test_the_order_never_repeats_after_a_prompt_was_removed(store, segmentation, plane):
    _, a, _ = segmentation
    first = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    last = store.addPoint(a, "positive", at(plane, 4, 4), plane)
    store.remove(last.id)

    again = store.addPoint(a, "positive", at(plane, 5, 4), plane)

    assert first.order < last.order < again.order


def test_each_segment_has_its_own_prompts(store, segmentation, plane):
    _, a, b = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(b, at(plane, 1, 1), at(plane, 8, 9), plane)

    assert [r.kind for r in store.prompts(a)] == ["positive"]
    assert [r.kind for r in store.prompts(b)] == ["box"]


def test_a_prompt_is_found_again_on_its_slice_only(store, segmentation, volume, plane):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)

    counts = [len(store.promptsFor(a, planeFromAxis(volume, "K", k))) for k in range(20)]

    assert counts == [2 if k == 9 else 0 for k in range(20)]


@pytest.mark.parametrize(
    ("slices", "applies"), [(0.4, True), (-0.5, True), (0.5, True), (0.51, False), (0.6, False)]
)
def test_a_prompt_beyond_half_a_slice_does_not_apply(store, segmentation, plane, slices, applies):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4, slices), plane)

    assert bool(store.promptsFor(a, plane)) is applies


def test_a_prompt_does_not_apply_to_a_slice_that_crosses_its_own(store, segmentation, volume, plane):
    _, a, _ = segmentation
    point = at(plane, 3, 4)
    store.addPoint(a, "positive", point, plane)

    assert not store.promptsFor(a, planeFromNormal(volume, point, plane.normal + np.array([0.02, 0, 0])))
    assert not store.promptsFor(a, planeFromAxis(volume, "I", 3))


@settings(deadline=None, max_examples=25)
@given(st.floats(-8, 8), st.tuples(*[st.floats(-1, 1)] * 3))
def test_a_point_applies_to_exactly_one_of_parallel_slices(slices, normal):
    normal = np.array(normal) if np.linalg.norm(normal) > 0.1 else np.array([0, 0, 1.0])
    with startScene() as host:
        volume = add_volume(host.scene, (30, 30, 30), np.diag([1, 1, 2.0, 1]))
        node, segment = add_segmentation(host.scene)
        store = PromptStore(host.scene, node)
        middle = planeFromNormal(volume, (15, 15, 30), normal)
        step = middle.normal * middle.thickness
        planes = [planeFromNormal(volume, np.array([15, 15, 30]) + n * step, normal) for n in range(-9, 10)]
        store.addPoint(segment, "positive", np.array([15, 15, 30]) + slices * step, middle)

        assert sum(bool(store.promptsFor(segment, plane)) for plane in planes) == 1
        store.close()


@pytest.mark.parametrize("directions", [(-1, -1, 1), (1, 1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal"])
def test_a_prompt_halfway_between_slices_stays_on_the_one_it_was_given_on(
    scene, segmentation, store, directions, orientation
):
    geometry = np.diag([*directions, 1.0])
    geometry[:3, 3] = -np.array(directions) * 9.5  # world 0 lies between slices 9 and 10 of 20
    volume = add_volume(scene, (20, 20, 20), geometry)
    plane = planeFromAxis(volume, orientation, offset=0)
    store.addPoint(segmentation[1], "positive", (0, 0, 0), plane)
    holders = [
        k for k in range(20) if store.promptsFor(segmentation[1], planeFromAxis(volume, orientation, k))
    ]
    assert holders == [plane.index]


def test_moving_a_prompt_keeps_its_identity_and_its_place_in_the_order(store, segmentation, plane):
    _, a, _ = segmentation
    point = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    box = store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)

    store.move(point.id, at(plane, 10, 11))
    store.move(box.id, at(plane, 2, 3), at(plane, 12, 7))

    moved, moved_box = store.prompts(a)
    assert (moved.id, moved.order) == (point.id, point.order)
    assert np.allclose(moved.ras, [at(plane, 10, 11)])
    assert np.allclose(moved_box.ras, [at(plane, 2, 3), at(plane, 12, 7)])


@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal"])
def test_a_box_given_by_any_two_opposite_corners_is_the_same_box(store, segmentation, volume, orientation):
    _, a, _ = segmentation
    plane = planeFromAxis(volume, orientation, 9)
    corners = [(2, 3), (9, 12)], [(9, 12), (2, 3)], [(2, 12), (9, 3)], [(9, 3), (2, 12)]

    for first, second in corners:
        box = store.addBox(a, at(plane, *first), at(plane, *second), plane)
        assert np.allclose(box.ras, [at(plane, 2, 3), at(plane, 9, 12)])


def test_removing_and_clearing_leave_the_other_prompts(store, segmentation, volume, plane, scene):
    _, a, b = segmentation
    other = planeFromAxis(volume, "K", 3)
    first = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addPoint(a, "negative", at(plane, 4, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    store.addPoint(a, "positive", at(other, 5, 5), other)
    store.addPoint(b, "positive", at(plane, 6, 6), plane)

    store.remove(first.id)
    assert [r.kind for r in store.promptsFor(a, plane)] == ["negative", "box"]

    store.clear(a, plane)
    assert len(store.prompts(a)) == 1 and len(store.prompts(b)) == 1

    store.clear(a)
    assert not store.prompts(a) and len(store.prompts(b)) == 1
    assert count(scene, ROIS) == 0


def test_the_slices_with_prompts_are_known(store, segmentation, volume, plane):
    _, a, _ = segmentation
    other = planeFromNormal(volume, at(plane, 5, 5), (1, 1, 1))
    for place in (plane, other, plane):
        store.addPoint(a, "positive", at(place, 5, 5), place)

    assert [found.signature() for found in store.planes(a)] == [plane.signature(), other.signature()]


@pytest.mark.parametrize("first", ["A", "B"])
def test_removing_a_segment_removes_only_its_prompts(store, segmentation, plane, scene, heard, first):
    node, a, b = segmentation
    for segment in (a, b) if first == "A" else (b, a):
        store.addPoint(segment, "positive", at(plane, 3, 4), plane)
        store.addBox(segment, at(plane, 1, 1), at(plane, 8, 9), plane)
    heard.clear()

    node.GetSegmentation().RemoveSegment(a)

    assert (count(scene, LISTS), count(scene, ROIS)) == (1, 1)
    assert not store.prompts(a) and len(store.prompts(b)) == 2
    assert heard == []


@pytest.mark.parametrize("what", ["prompt", "segment", "segmentation"])
def test_what_is_removed_is_not_drawn_any_more(store, segmentation, plane, scene, what):
    node, segment, _ = segmentation
    store.addPoint(segment, "positive", at(plane, 5, 5), plane)
    box = store.addBox(segment, at(plane, 2, 2), at(plane, 8, 8), plane)
    drawn = count(scene, "vtkMRMLMarkupsDisplayNode")
    if what == "prompt":
        store.remove(box.id)
    elif what == "segment":
        node.GetSegmentation().RemoveSegment(segment)
    else:
        scene.RemoveNode(node)
    # Views draw what has a display node.
    assert count(scene, "vtkMRMLMarkupsDisplayNode") == (drawn - 1 if what == "prompt" else 0)


def test_removing_the_segmentation_removes_its_prompts_and_ends_listening(store, segmentation, plane, scene):
    node, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)

    scene.RemoveNode(node)

    assert (count(scene, LISTS), count(scene, ROIS)) == (0, 0)
    assert store.prompts(a) == []
    with pytest.raises(InputError, match="no longer in the scene"):
        store.addPoint(a, "positive", at(plane, 3, 4), plane)


def test_markups_of_the_user_are_left_alone(store, segmentation, plane, scene, heard):
    node, a, _ = segmentation
    points = scene.AddNewNodeByClass(LISTS, "landmarks")
    points.AddControlPointWorld(vtk.vtkVector3d(*at(plane, 3, 4)), "kept")
    roi = scene.AddNewNodeByClass(ROIS, "crop")
    heard.clear()

    points.SetNthControlPointPositionWorld(0, *at(plane, 5, 5))
    store.clear(a)
    node.GetSegmentation().RemoveSegment(a)
    scene.RemoveNode(node)

    assert heard == []
    assert scene.IsNodePresent(points) and scene.IsNodePresent(roi)
    assert points.GetNthControlPointDescription(0) == "" and points.GetNumberOfControlPoints() == 1


def test_prompts_of_another_segmentation_are_left_alone(store, segmentation, plane, scene, heard):
    other, c = add_segmentation(scene, ["C"])
    other_store = PromptStore(scene, other)
    other_store.addPoint(c, "positive", at(plane, 3, 4), plane)

    scene.RemoveNode(segmentation[0])

    assert len(other_store.prompts(c)) == 1 and heard == []
    other_store.close()


# -- listening


def test_each_change_by_the_store_is_heard_once(store, segmentation, plane, heard):
    _, a, _ = segmentation
    point = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    assert heard == [(a, 9)]

    box = store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    assert heard == [(a, 9)] * 2

    store.move(point.id, at(plane, 5, 5))
    store.move(box.id, at(plane, 2, 2), at(plane, 8, 9))
    assert heard == [(a, 9)] * 4

    store.remove(point.id)
    store.remove(box.id)
    assert heard == [(a, 9)] * 6


def test_dragging_with_the_mouse_is_heard_and_seen(store, segmentation, plane, scene, heard):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    points, roi = (scene.GetFirstNodeByClass(name) for name in (LISTS, ROIS))
    heard.clear()

    points.SetNthControlPointPositionWorld(0, *at(plane, 7, 8))
    assert heard == [(a, 9)]
    assert np.allclose(store.prompts(a)[0].ras, [at(plane, 7, 8)])

    roi.SetCenterWorld(*at(plane, 6, 6))
    assert heard[1:] and set(heard) == {(a, 9)}
    assert np.allclose(np.mean(store.prompts(a)[1].ras, axis=0), at(plane, 6, 6))


def test_deleting_points_or_whole_nodes_by_hand_is_heard_and_seen(store, segmentation, plane, scene, heard):
    _, a, _ = segmentation
    for x in (3, 4):
        store.addPoint(a, "positive", at(plane, x, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    points, roi = (scene.GetFirstNodeByClass(name) for name in (LISTS, ROIS))
    heard.clear()

    points.RemoveNthControlPoint(0)
    assert heard == [(a, 9)] and len(store.prompts(a)) == 2

    scene.RemoveNode(roi)
    assert heard == [(a, 9)] * 2 and len(store.prompts(a)) == 1

    scene.RemoveNode(points)
    assert heard == [(a, 9)] * 3 and store.prompts(a) == []


def test_a_point_placed_with_the_mouse_takes_the_slice_shown(store, segmentation, plane, scene, heard):
    _, a, _ = segmentation
    store.placementPlane = lambda: plane
    store.addPoint(a, "negative", at(plane, 3, 4), plane)
    points = scene.GetFirstNodeByClass(LISTS)
    heard.clear()

    preview = points.AddControlPointWorld(vtk.vtkVector3d(*at(plane, 6, 7)))
    points.SetNthControlPointPositionWorld(preview, *at(plane, 6, 8), points.PositionPreview)
    points.SetNthControlPointPositionWorld(preview, *at(plane, 6, 9), points.PositionDefined)

    placed = store.promptsFor(a, plane)[1]
    assert placed.kind == "negative" and placed.plane.sameAs(plane) and set(heard) == {(a, 9)}
    assert np.allclose(placed.ras, [at(plane, 6, 9)])


def test_a_point_that_is_still_being_placed_is_no_prompt(store, segmentation, plane, scene, heard):
    _, a, _ = segmentation
    store.placementPlane = lambda: plane
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    points = scene.GetFirstNodeByClass(LISTS)
    heard.clear()

    with NodeModify(points):
        preview = points.AddControlPointWorld(vtk.vtkVector3d(*at(plane, 6, 7)))
        points.SetNthControlPointPositionWorld(preview, *at(plane, 6, 8), points.PositionPreview)

    assert len(store.prompts(a)) == 1 and heard == []


def test_a_point_placed_off_the_displayed_slice_is_not_taken_for_one_on_it(store, segmentation, plane, scene):
    _, a, _ = segmentation
    store.placementPlane = lambda: plane
    store.addPoint(a, "positive", at(plane, 3, 4), plane)

    scene.GetFirstNodeByClass(LISTS).AddControlPointWorld(vtk.vtkVector3d(*at(plane, 3, 4, 5)))

    assert len(store.prompts(a)) == 1


def test_a_prompt_dragged_off_its_slice_does_not_apply_until_it_is_back(store, segmentation, plane, scene):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    points = scene.GetFirstNodeByClass(LISTS)

    points.SetNthControlPointPositionWorld(0, *at(plane, 3, 4, 2))
    assert not store.promptsFor(a, plane) and len(store.prompts(a)) == 1

    points.SetNthControlPointPositionWorld(0, *at(plane, 3, 4))
    assert len(store.promptsFor(a, plane)) == 1


def test_prompts_under_a_transform_stay_where_they_are_shown(store, segmentation, plane, scene):
    _, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    shift = np.eye(4)
    shift[:3, 3] = at(plane, 1, 0) - at(plane, 0, 0)
    put_under_transform(scene, scene.GetFirstNodeByClass(LISTS), shift)

    store.addPoint(a, "positive", at(plane, 9, 9), plane)

    assert np.allclose([r.ras[0] for r in store.promptsFor(a, plane)], [at(plane, 4, 4), at(plane, 9, 9)])


def test_silent_changes_are_not_heard_and_nothing_is_after_closing(store, segmentation, plane, scene, heard):
    _, a, _ = segmentation
    with store.silently():
        point = store.addPoint(a, "positive", at(plane, 3, 4), plane)
        store.move(point.id, at(plane, 5, 5))
    assert heard == [] and len(store.prompts(a)) == 1

    store.close()
    scene.GetFirstNodeByClass(LISTS).SetNthControlPointPositionWorld(0, *at(plane, 7, 8))
    assert heard == []


@pytest.mark.parametrize("first", ["segmentation", "prompts"])
def test_closing_the_scene_is_no_change_of_prompts(scene, plane, heard, first):
    node, a = add_segmentation(scene)
    if first == "prompts":  # the order that some saved scenes have
        saved = make_list_before(scene, node, a)
        scene.RemoveNode(node)
        scene.AddNode(saved)
        scene.AddNode(node)
    store = PromptStore(scene, node)
    store.changed.connect(lambda *change: heard.append(change))
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    assert count(scene, LISTS) == 1
    heard.clear()

    scene.Clear(False)

    assert heard == []
    store.close()


def make_list_before(scene, node, segment):
    """A list of prompts taken out of the scene again."""
    points = makePromptNode(scene, node, segment, "positive")
    scene.RemoveNode(points)
    return points


def test_restoring_brings_back_exactly_the_earlier_prompts_unheard(store, segmentation, plane, scene, heard):
    _, a, b = segmentation
    kept = store.addPoint(a, "positive", at(plane, 3, 4), plane)
    removed = store.addPoint(a, "negative", at(plane, 4, 4), plane)
    box = store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)
    store.addPoint(b, "positive", at(plane, 9, 9), plane)
    before = store.prompts(a)
    store.remove(removed.id)
    store.move(box.id, at(plane, 5, 5), at(plane, 6, 6))
    store.addPoint(a, "positive", at(plane, 7, 7), plane)
    heard.clear()

    store.restore(a, before)

    assert all(now.sameAs(old) for now, old in zip(store.prompts(a), before))
    assert len(store.prompts(a)) == len(before) and len(store.prompts(b)) == 1
    assert store.prompts(a)[0].id == kept.id and heard == []


# -- what is drawn


def test_prompts_have_the_color_of_their_segment_and_follow_it(store, segmentation, plane, scene):
    node, a, _ = segmentation
    store.addPoint(a, "positive", at(plane, 3, 4), plane)
    store.addBox(a, at(plane, 1, 1), at(plane, 8, 9), plane)

    node.GetSegmentation().GetSegment(a).SetColor(0.2, 0.4, 0.6)

    for name in (LISTS, ROIS):
        display = scene.GetFirstNodeByClass(name).GetDisplayNode()
        for color in (display.GetColor(), display.GetSelectedColor(), display.GetActiveColor()):
            assert color == pytest.approx((0.2, 0.4, 0.6))


def test_negative_points_differ_in_color_and_in_shape(store, segmentation, plane, scene):
    _, a, _ = segmentation
    for kind in ("positive", "negative"):
        store.addPoint(a, kind, at(plane, 3, 4), plane)
    positive, negative = (scene.GetNthNodeByClass(n, LISTS).GetDisplayNode() for n in range(2))

    assert np.linalg.norm(np.subtract(positive.GetActiveColor(), negative.GetActiveColor())) > 0.5
    assert positive.GetGlyphType() != negative.GetGlyphType()


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_the_color_of_negative_points_stands_out_from_any_segment(color):
    assert np.linalg.norm(np.subtract(contrastingColor(color), color)) > 0.5


# -- bad input
