"""Masks of slices that coincide with the segmentation's voxels."""

import numpy as np
import pytest
import slicer
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import CT, add_segmentation, add_volume, fill, rotation, voxels_of

SHAPE = (20, 24, 28)
NUMPY_AXIS = {"K": 0, "J": 1, "I": 2}


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, rotation(30, (1, 2, 3)) @ CT)


@pytest.fixture
def writer(scene):
    return SegmentWriter(scene)


def mask_like_voxels(volume, plane, voxels):
    """The mask that shows voxels (k, j, i) on a plane, from the plane's definition alone."""
    rows, columns = np.indices(plane.shape)
    pixels = np.stack([columns, rows, np.zeros_like(rows), np.ones_like(rows)]).reshape(4, -1)
    i, j, k = np.rint(plane.planeToIJK(volume) @ pixels)[:3].astype(int)
    return voxels[k, j, i].reshape(plane.shape)


@pytest.mark.parametrize("axis", ["K", "J", "I"])
def test_a_slice_of_each_axis_is_written_to_exactly_its_voxels(scene, writer, volume, axis):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, axis, 7)
    wanted = np.zeros(SHAPE, bool)
    written = np.moveaxis(wanted, NUMPY_AXIS[axis], 0)[7]
    written[3:9, 5:17] = True
    written[4, 6] = False

    change = writer.writeMask(node, segment, plane, mask_like_voxels(volume, plane, wanted), volume)

    assert np.array_equal(voxels_of(node, segment, SHAPE), wanted)
    assert (change.voxelsAdded, change.voxelsRemoved) == (wanted.sum(), 0)


def test_replacing_changes_only_its_own_slice(scene, writer, volume):
    node, segment = add_segmentation(scene)
    wanted = np.random.default_rng(0).random(SHAPE) > 0.5
    fill(node, segment, volume, wanted)
    plane = planeFromAxis(volume, "J", 11)
    mask = np.random.default_rng(1).random(plane.shape) > 0.5

    change = writer.writeMask(node, segment, plane, mask, volume)

    now = voxels_of(node, segment, SHAPE)
    assert np.array_equal(mask_like_voxels(volume, plane, now), mask)
    assert np.array_equal(np.delete(now, 11, axis=1), np.delete(wanted, 11, axis=1))
    assert change.voxelsAdded == (now & ~wanted).sum()
    assert change.voxelsRemoved == (wanted & ~now).sum()
    assert change.extent[2:4] == (11, 11)


@pytest.mark.parametrize(
    ("mode", "combine"),
    [
        ("replace", lambda old, mask: mask),
        ("add", lambda old, mask: old | mask),
        ("subtract", lambda old, mask: old & ~mask),
    ],
)
def test_the_mode_says_how_the_mask_meets_what_is_there(scene, writer, volume, mode, combine):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "axial", 5)
    old, mask = (np.random.default_rng(seed).random(plane.shape) > 0.6 for seed in (1, 2))
    writer.writeMask(node, segment, plane, old, volume)

    writer.writeMask(node, segment, plane, mask, volume, mode=mode)

    assert np.array_equal(writer.readMask(node, segment, plane), combine(old, mask))


def test_an_empty_mask_clears_the_slice_and_leaves_the_rest(scene, writer, volume):
    node, segment = add_segmentation(scene)
    fill(node, segment, volume, np.ones(SHAPE, bool))
    plane = planeFromAxis(volume, "K", 0)

    writer.writeMask(node, segment, plane, np.zeros(plane.shape, bool), volume)

    assert voxels_of(node, segment, SHAPE).sum(axis=(1, 2)).tolist() == [0] + [24 * 28] * 19


def test_writing_what_is_there_already_is_no_change_and_no_event(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    mask = np.eye(*plane.shape, dtype=bool)
    writer.writeMask(node, segment, plane, mask, volume)
    events = []
    for event in (slicer.vtkSegmentation.SourceRepresentationModified, "ModifiedEvent"):
        node.AddObserver(event, lambda caller, name: events.append(name))

    change = writer.writeMask(node, segment, plane, mask, volume)

    assert not change and change.extent is None and change.voxelCount == 0
    assert events == []


def test_one_write_tells_listeners_once_about_the_layer_and_once_about_the_segment(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    heard = []
    for name in ("SourceRepresentationModified", "RepresentationModified"):
        event = getattr(slicer.vtkSegmentation, name)
        node.AddObserver(event, lambda *_, name=name: heard.append(name))

    writer.writeMask(node, segment, plane, np.eye(*plane.shape, dtype=bool), volume)

    assert heard == ["SourceRepresentationModified", "RepresentationModified"]


def test_a_written_segmentation_counts_as_unsaved(scene, writer, volume, tmp_path):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    storage = node.CreateDefaultStorageNode()
    scene.AddNode(storage)
    node.SetAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(tmp_path / "saved.seg.nrrd"))
    assert storage.WriteData(node)
    assert not node.GetModifiedSinceRead()

    writer.writeMask(node, segment, plane, np.eye(*plane.shape, dtype=bool), volume)

    assert node.GetModifiedSinceRead()


def test_the_first_mask_gives_the_segmentation_the_geometry_of_the_volume(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)

    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)

    assert node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()) == volume.GetID()
    assert np.array_equal(voxels_of(node, segment, SHAPE).any(axis=(1, 2)).nonzero(), [[4]])


def test_the_first_mask_sets_the_segment_in_progress_as_the_segment_editor_does(scene, writer, volume):
    node, segment = add_segmentation(scene)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    plane = planeFromAxis(volume, "K", 4)

    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)

    assert logic.GetSegmentStatus(node.GetSegmentation().GetSegment(segment)) == logic.InProgress


def test_the_segment_editor_can_go_on_from_a_written_segment(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    painted = np.zeros(SHAPE, bool)
    painted[10:12, 2:5, 3:9] = True

    fill(node, segment, volume, voxels_of(node, segment, SHAPE) | painted)
    writer.writeMask(node, segment, plane, np.eye(*plane.shape, dtype=bool), volume)

    now = voxels_of(node, segment, SHAPE)
    assert np.array_equal(now[5:], painted[5:])
    assert now[4].sum() == min(plane.shape)


def test_a_label_value_beyond_a_byte_is_kept_apart(scene, writer, volume):
    node, *segments = add_segmentation(scene, [f"S{number}" for number in range(300)], volume)
    plane = planeFromAxis(volume, "K", 4)
    first, last = (np.zeros(plane.shape, bool) for _ in range(2))
    first[2:4], last[6:9] = True, True

    writer.writeMask(node, segments[0], plane, first, volume)
    writer.writeMask(node, segments[-1], plane, last, volume)

    assert np.array_equal(writer.readMask(node, segments[0], plane), first)
    assert np.array_equal(writer.readMask(node, segments[-1], plane), last)
    assert node.GetSegmentation().GetNumberOfLayers() == 1


def test_reading_an_empty_segment_gives_an_empty_mask(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "sagittal", 3)

    assert writer.readMask(node, segment, plane).shape == plane.shape
    assert not writer.readMask(node, segment, plane).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"mask": np.zeros((3, 4), bool)}, r"The mask is \(3, 4\)"),
        ({"mode": "paint"}, "'paint' is not a known mode: use replace, add, subtract"),
        ({"policy": "none"}, "'none' is not a known overlap policy"),
        ({"segmentId": "gone"}, "The segment 'gone' is no longer in"),
        ({"segmentationNode": None}, "The segmentation is no longer in the scene"),
        ({"volumeNode": None}, "The volume is no longer in the scene"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_sentence(scene, writer, volume, arguments, sentence):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    call = {"segmentationNode": node, "segmentId": segment, "plane": plane, "volumeNode": volume}
    call["mask"] = np.ones(plane.shape, bool)

    with pytest.raises(InputError, match=sentence):
        writer.writeMask(**{**call, **arguments})
    assert not voxels_of(node, segment, SHAPE).any()


def test_a_segmentation_deleted_from_the_scene_is_refused(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    scene.RemoveNode(node)

    with pytest.raises(InputError, match="no longer in the scene"):
        writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    with pytest.raises(InputError, match="no longer in the scene"):
        writer.readMask(node, segment, plane)


def test_a_segmentation_of_surfaces_is_refused(scene, writer, volume):
    node, segment = add_segmentation(scene)
    plane = planeFromAxis(volume, "K", 4)
    writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)
    node.CreateClosedSurfaceRepresentation()
    node.SetSourceRepresentationToClosedSurface()

    with pytest.raises(InputError, match="stored as closed surface: make its binary labelmap the source"):
        writer.writeMask(node, segment, plane, np.ones(plane.shape, bool), volume)


@st.composite
def slice_writes(draw):
    axis = draw(st.sampled_from("IJK"))
    index = draw(st.integers(0, {"K": 6, "J": 7, "I": 8}[axis] - 1))
    return axis, index, draw(st.sampled_from(["replace", "add", "subtract"])), draw(st.integers(0, 2**32 - 1))


@settings(deadline=None, max_examples=40)
@given(st.lists(slice_writes(), min_size=1, max_size=6), st.sampled_from([1.0, -1.0]))
def test_random_writes_give_what_the_same_writes_give_in_an_array(writes, handedness):
    shape = (6, 7, 8)
    with startScene() as host:
        writer = SegmentWriter(host.scene)
        volume = add_volume(host.scene, shape, rotation(40, (0, 1, 1)) @ np.diag([handedness, 2, 3, 1]))
        node, _, segment = add_segmentation(host.scene, ["other", "written"])
        expected = np.zeros(shape, bool)
        for axis, index, mode, seed in writes:
            plane = planeFromAxis(volume, axis, index)
            drawn = np.random.default_rng(seed).random(shape) > 0.5
            mask = mask_like_voxels(volume, plane, drawn)
            writer.writeMask(node, segment, plane, mask, volume, mode=mode)
            where = tuple(index if name == axis else slice(None) for name in "KJI")
            old, new = expected[where], drawn[where]
            expected[where] = {"replace": new, "add": old | new, "subtract": old & ~new}[mode]

        assert np.array_equal(voxels_of(node, segment, shape), expected)
        plane = planeFromAxis(volume, "K", 3)
        shown = writer.readMask(node, segment, plane)
        assert np.array_equal(shown, mask_like_voxels(volume, plane, expected))
