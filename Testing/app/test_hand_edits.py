"""Edits with Slicer's own tools: one undo history with the prompts, nobody's voxels lost."""

import numpy as np
import pytest
import slicer
from hypothesis import given, settings
from hypothesis import strategies as st
from vtk.util.numpy_support import vtk_to_numpy

from app.desk import SHAPE, Desk
from fakes.fakeEngine import fake_mask
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.app.session import ExternalEdits, useMaskAsPrompt
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import InputError, PromptError
from SAMUNetSlicerLib.scene.segments import SegmentSnapshot
from scene.segmentation_scene import ball, fill, matrix_to_array, voxels_of, vtk_matrix


@pytest.fixture
def edits(desk):
    edits = ExternalEdits(desk.session)
    yield edits
    edits.close()


def under(x, y, k=4):
    """The voxel (k, j, i) under a pixel of the axial slice, which shows the volume's I and J backwards."""
    return k, SHAPE[1] - 1 - y, SHAPE[2] - 1 - x


def brush(desk, segment, center, radius=5, value=True):
    """A stroke of the Segment Editor: a modifier labelmap, applied by Slicer's own logic."""
    stroke = ball(SHAPE, center, radius)
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*SHAPE[::-1])
    image.AllocateScalars(3, 1)  # VTK_UNSIGNED_CHAR
    voxels_in(image)[:] = stroke if value else ~stroke
    matrix = vtk_matrix(np.eye(4))
    desk.volume.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    mode = logic.MODE_MERGE_MASK if value else logic.MODE_MERGE_MIN
    node = desk.session.segmentationNode
    others = [other for other in node.GetSegmentation().GetSegmentIDs() if other != segment]
    logic.SetBinaryLabelmapToSegment(image, node, segment, mode, None, False, others)
    desk.session.poll()
    return stroke


def voxels_in(image):
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def test_a_stroke_of_the_segment_editor_is_an_undo_step(desk, edits):
    desk.click(12, 20)
    clicked = desk.voxels()
    stroke = brush(desk, desk.session.segmentId, (4, 30, 40))
    assert desk.session.undoLabel == "edit"
    np.testing.assert_array_equal(desk.voxels(), clicked | stroke)
    assert desk.session.undo()
    np.testing.assert_array_equal(desk.voxels(), clicked)
    assert len(desk.session.prompts()) == 1
    assert desk.session.redo()
    np.testing.assert_array_equal(desk.voxels(), clicked | stroke)


def test_prompts_and_strokes_are_taken_back_in_the_order_in_which_they_were_made(desk, edits):
    desk.session.addSegment("A")
    states = [desk.voxels()]
    for action in (
        lambda: desk.click(12, 20),
        lambda: brush(desk, desk.session.segmentId, (4, 30, 40)),
        lambda: desk.click(30, 12),
        lambda: brush(desk, desk.session.segmentId, under(30, 12), 3, value=False),
        lambda: desk.click(12, 20, False),
    ):
        action()
        states.append(desk.voxels())
    assert len({state.tobytes() for state in states}) == len(states)
    for expected in reversed(states[:-1]):
        assert desk.session.undo()
        np.testing.assert_array_equal(desk.voxels(), expected)
    assert desk.session.undoLabel is None
    for expected in states[1:]:
        assert desk.session.redo()
        np.testing.assert_array_equal(desk.voxels(), expected)


def test_the_segment_that_a_stroke_took_voxels_from_gets_them_back(desk, edits):
    desk.click(12, 20)
    first, before = desk.session.segmentId, desk.voxels()
    second = desk.session.addSegment("B")
    desk.session.poll()
    brush(desk, second, under(12, 20), 3)
    assert desk.voxels(first).sum() < before.sum()
    desk.session.undo()
    np.testing.assert_array_equal(desk.voxels(first), before)
    assert not desk.voxels(second).any()


def test_a_stroke_survives_every_later_prompt(desk, edits):
    desk.click(12, 20)
    stroke = brush(desk, desk.session.segmentId, (4, 30, 40))
    desk.click(25, 10)
    prompt = desk.click(45, 5)
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    assert desk.voxels()[stroke].all()


def test_prompts_by_themselves_make_no_edit_steps(desk, edits):
    heard = []
    edits.edited.connect(heard.append)
    prompt = desk.click(12, 20)
    desk.session.movePrompt(prompt, desk.session.plane.pixelToRAS([[20, 25]])[0])
    desk.session.waitUntilIdle()
    desk.session.addBox((5.5, 5.5), (30.5, 12.5), plane=desk.plane(20, "I"))
    desk.session.waitUntilIdle()
    desk.session.nextSegment("B")
    desk.session.setPolicy("allowOverlap")
    desk.click(13, 21)
    desk.session.undo()
    desk.session.redo()
    desk.session.poll()
    assert heard == []


def test_a_segment_that_is_imported_or_removed_is_no_edit(desk, edits):
    heard = []
    edits.edited.connect(heard.append)
    desk.click(12, 20)
    node = desk.session.segmentationNode
    imported = node.GetSegmentation().AddEmptySegment("imported", "imported")
    fill(node, imported, desk.volume, ball(SHAPE, (5, 20, 20), 4))
    node.GetSegmentation().RemoveSegment(imported)
    desk.session.poll()
    assert heard == [] and desk.session.undoLabel == "positive point"


def test_another_segmentation_is_followed_from_the_moment_it_is_chosen(desk, edits):
    desk.click(12, 20)
    desk.session.setSegmentation(None)
    desk.session.addSegment("A")
    desk.session.poll()
    stroke = brush(desk, desk.session.segmentId, (4, 30, 40))
    assert desk.session.undoLabel == "edit"
    desk.session.undo()
    assert stroke.any() and not desk.voxels().any()


def test_a_closed_listener_makes_no_steps(desk):
    edits = ExternalEdits(desk.session)
    desk.click(12, 20)
    edits.close()
    edits.close()
    brush(desk, desk.session.segmentId, (4, 30, 40))
    assert desk.session.undoLabel == "positive point"


STROKES = st.tuples(
    st.integers(0, 1), st.integers(2, 7), st.integers(5, 35), st.integers(5, 45), st.booleans()
)


@settings(deadline=None, max_examples=15)
@given(st.lists(STROKES, min_size=1, max_size=5))
def test_any_strokes_on_two_segments_can_all_be_undone_and_redone(strokes):
    with startScene() as host:
        desk = Desk(host.scene)
        segments = [desk.session.addSegment("A"), desk.session.addSegment("B")]
        desk.session.poll()
        edits = ExternalEdits(desk.session)

        def state():
            return [desk.voxels(segment).tobytes() for segment in segments]

        beginning = state()
        for which, k, j, i, value in strokes:
            brush(desk, segments[which], (k, j, i), 4, value)
        end, count = state(), 0
        while desk.session.undo():
            count += 1
        assert state() == beginning
        for _ in range(count):
            assert desk.session.redo()
        assert state() == end
        edits.close()
        desk.session.close()


def test_a_snapshot_finds_exactly_what_was_changed_when_segments_overlap(desk):
    desk.session.setPolicy("allowOverlap")
    desk.click(12, 20)
    first = desk.session.segmentId
    desk.session.nextSegment("B")
    desk.click(14, 20)
    second, node = desk.session.segmentId, desk.session.segmentationNode
    before = {segment: voxels_of(node, segment, SHAPE) for segment in (first, second)}
    snapshot = SegmentSnapshot(node)
    assert snapshot.difference() == ()

    fill(node, first, desk.volume, ball(SHAPE, under(14, 20), 3))

    (edit,) = snapshot.difference()
    now = voxels_of(node, first, SHAPE)
    assert edit.segmentId == first
    assert as_set(edit.added) == as_set_of(now & ~before[first])
    assert as_set(edit.removed) == as_set_of(before[first] & ~now)
    assert as_set(edit.shared) == as_set_of(before[first] & ~now & before[second])
    snapshot.follow([edit])
    assert snapshot.difference() == ()


def as_set(runs):
    return set(map(tuple, runs.voxels().tolist()))


def as_set_of(voxels):
    return {(i, j, k) for k, j, i in np.argwhere(voxels).tolist()}


def test_a_segmentation_whose_geometry_was_changed_is_followed_anew(desk, edits):
    desk.click(12, 20)
    node = desk.session.segmentationNode
    image = node.GetBinaryLabelmapInternalRepresentation(desk.session.segmentId)
    moved = vtk_matrix(np.eye(4))
    image.GetImageToWorldMatrix(moved)
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(matrix_to_array(moved) + np.eye(4)))
    node.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
    desk.session.poll()
    assert desk.session.undoLabel == "positive point"
    with pytest.raises(InputError, match="geometry"):
        desk.session.undo()


def imported(desk):
    """A segment that somebody else has made, on slice 4."""
    segment = desk.session.addSegment("imported")
    fill(desk.session.segmentationNode, segment, desk.volume, ball(SHAPE, (4, 20, 25), 4))
    desk.session.addSegment("other")
    return segment


def test_the_mask_of_a_segment_is_what_the_network_starts_from(desk):
    segment = imported(desk)
    before = desk.mask(segment=segment)
    useMaskAsPrompt(desk.session, segment)
    assert desk.session.segmentId == segment
    np.testing.assert_array_equal(desk.mask(), before)
    desk.engine.is_automatic = False
    desk.session.addPoint((45, 35))
    (job,) = desk.engine.waiting("predict")
    np.testing.assert_array_equal(job.arguments["prompts"].mask, before)


def test_the_network_may_change_all_of_a_mask_that_was_given_to_it(desk):
    segment = imported(desk)
    useMaskAsPrompt(desk.session, segment)
    start = desk.mask()
    desk.click(25, 20, is_positive=False)
    prompts = Prompts(np.array([[25, 20]], np.float32), np.array([0]), mask=start)
    np.testing.assert_array_equal(desk.mask(), fake_mask(desk.session.plane.shape, prompts))
    desk.session.undo()
    np.testing.assert_array_equal(desk.mask(), start)


def test_a_mask_can_be_given_on_another_slice_than_the_shown_one(desk):
    segment = imported(desk)
    plane = desk.plane(25, "I")
    useMaskAsPrompt(desk.session, segment, plane)
    desk.engine.is_automatic = False
    desk.session.addPoint((25, 5), plane=plane)
    (job,) = desk.engine.waiting("predict")
    assert job.arguments["prompts"].mask.any()


def test_a_mask_that_is_not_there_cannot_be_given(desk):
    segment = imported(desk)
    with pytest.raises(PromptError, match="empty on this slice"):
        useMaskAsPrompt(desk.session, segment, desk.plane(9))
    desk.session.setPlane(None)
    with pytest.raises(PromptError, match="no slice"):
        useMaskAsPrompt(desk.session, segment)
    with pytest.raises(InputError, match="no longer"):
        useMaskAsPrompt(desk.session, "gone", desk.plane(4))


def test_removing_the_prompts_brings_a_mask_back_that_was_given(desk):
    segment = imported(desk)
    useMaskAsPrompt(desk.session, segment)
    start = desk.mask()
    prompt = desk.click(25, 20, is_positive=False)
    desk.click(40, 30)
    desk.session.removePrompt(prompt)
    desk.session.waitUntilIdle()
    prompts = Prompts(np.array([[40, 30]], np.float32), np.array([1]), mask=start)
    np.testing.assert_array_equal(desk.mask(), fake_mask(start.shape, prompts))
    desk.session.clear()
    desk.session.waitUntilIdle()
    np.testing.assert_array_equal(desk.mask(), start)
