"""A stack of slices written at once gives what the slices give one by one, and comes back by undo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import neighborPlane, planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.segments import POLICIES, SegmentWriter, setLocked, stackMerge
from scene.segmentation_scene import CT, add_segmentation, add_volume, fill, put_under_transform, voxels_of

SHAPE = (6, 12, 14)


def write(scene, node, segment, slices, volume, policy="protectAll"):
    writer = SegmentWriter(scene)
    steps = writer.writeMasks(node, segment, slices, volume, policy)
    return [change for change in steps if change is not None]


def disk(plane, radius):
    rows, columns = np.indices(plane.shape)
    height, width = plane.shape
    return (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < radius**2


@pytest.mark.long
@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from("IJK"),
    st.integers(0, 2**32 - 1),
    st.sampled_from(POLICIES),
    st.sets(st.integers(0, 2)),
    st.sets(st.integers(0, 2)),
    st.booleans(),
    st.integers(40, 10_000),
)
def test_at_once_and_one_by_one_are_the_same(axis, seed, policy, locked, apart, is_large, part):
    random = np.random.default_rng(seed)
    drawn = [random.random(SHAPE) > density for density in (0.5, 0.8)]
    with startScene() as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stackMerge, "_PART", part)
        patch.setattr(stackMerge, "_LARGE", 0 if is_large else 1_000_000)
        volume = add_volume(host.scene, SHAPE, CT)
        results = []
        for is_at_once in (True, False):
            node, *ids = add_segmentation(host.scene, "ABC", volume)
            for number in apart:
                node.GetSegmentation().SeparateSegmentLabelmap(ids[number])
            for number in locked:
                setLocked(node, ids[number], True)
            for segment, voxels in zip(ids[1:], drawn):
                fill_in(host.scene, node, segment, volume, voxels)
            before = [voxels_of(node, segment, SHAPE) for segment in ids]
            planes = [planeFromAxis(volume, axis, index) for index in (1, 2, 4)]
            masks = [np.random.default_rng([seed, n]).random(p.shape) > 0.4 for n, p in enumerate(planes)]
            writer = SegmentWriter(host.scene)
            if is_at_once:
                changes = write(host.scene, node, ids[0], list(zip(planes, masks)), volume, policy)
            else:
                pairs = zip(planes, masks)
                changes = [writer.writeMask(node, ids[0], *pair, volume, policy=policy) for pair in pairs]
            results.append([voxels_of(node, segment, SHAPE) for segment in ids])
            back = [writer.revert(node, change) for change in reversed(changes)]
            assert np.array_equal([voxels_of(node, segment, SHAPE) for segment in ids], before)
            for change in reversed(back):
                writer.revert(node, change)
            assert np.array_equal([voxels_of(node, segment, SHAPE) for segment in ids], results[-1])
        assert np.array_equal(*results)


def fill_in(scene, node, segment, volume, voxels):
    """Fill a segment slice by slice, protecting the others."""
    for index in range(SHAPE[0]):
        plane = planeFromAxis(volume, "K", index)
        SegmentWriter(scene).writeMask(node, segment, plane, voxels[index], volume)


def test_slices_that_a_stack_does_not_name_stay_as_they_are(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, segment = add_segmentation(scene, "A", volume)
    fill(node, segment, volume, np.ones(SHAPE, bool))
    planes = [planeFromAxis(volume, "K", index) for index in (2, 3)]
    write(scene, node, segment, [(plane, np.zeros(plane.shape, bool)) for plane in planes], volume)
    expected = np.ones(SHAPE, bool)
    expected[2:4] = False
    assert np.array_equal(voxels_of(node, segment, SHAPE), expected)


def test_tilted_slices_are_read_as_they_were_written(scene):
    volume = add_volume(scene, (40, 48, 50), np.diag([1, 1, 1.5, 1.0]))
    put_under_transform(scene, volume, [[0.8, -0.6, 0, 9], [0.6, 0.8, 0, -4], [0, 0, 1, 3], [0, 0, 0, 1]])
    node, segment = add_segmentation(scene, "A", volume)
    first = planeFromNormal(volume, middle_of(volume), [0.4, 0.3, 0.85])
    planes = [neighborPlane(first, volume, step) for step in range(-6, 7)]
    masks = [disk(plane, 14 - abs(step)) for step, plane in zip(range(-6, 7), planes)]
    write(scene, node, segment, list(zip(planes, masks)), volume)
    for plane, mask in zip(planes[1:-1], masks[1:-1]):
        found = SegmentWriter(scene).readMask(node, segment, plane)
        assert dice(found, mask) > 0.93


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def middle_of(volume):
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    return np.reshape(bounds, (3, 2)).mean(axis=1)


def test_views_hear_of_a_stack_once_and_not_before_it_is_whole(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, segment = add_segmentation(scene, "A", volume)
    planes = [planeFromAxis(volume, "K", index) for index in range(4)]
    slices = [(plane, np.ones(plane.shape, bool)) for plane in planes]
    heard = []
    import slicer

    event = slicer.vtkSegmentation.RepresentationModified
    tag = node.GetSegmentation().AddObserver(event, lambda *_: heard.append(len(seen)))
    seen = []
    for step in SegmentWriter(scene).writeMasks(node, segment, slices, volume):
        seen.append(step)
    node.GetSegmentation().RemoveObserver(tag)
    assert heard == [len(seen)]


def test_a_stack_on_a_segment_that_is_gone_is_refused(scene):
    volume = add_volume(scene, SHAPE, CT)
    node, segment = add_segmentation(scene, "A", volume)
    node.GetSegmentation().RemoveSegment(segment)
    plane = planeFromAxis(volume, "K", 1)
    with pytest.raises(InputError, match="no longer in"):
        write(scene, node, segment, [(plane, np.ones(plane.shape, bool))], volume)
