"""Writing one segment never harms another beyond what the overlap policy allows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter, setLocked
from scene.segmentation_scene import CT, add_segmentation, add_volume, fill, voxels_of

SHAPE = (6, 12, 14)
K = 3


@pytest.fixture
def volume(scene):
    return add_volume(scene, SHAPE, CT)


def box(rows, columns, slices=slice(None)):
    voxels = np.zeros(SHAPE, bool)
    voxels[slices, rows, columns] = True
    return voxels


A_VOXELS = box(slice(2, 8), slice(2, 8))
B_SLICE = box(slice(4, 10), slice(4, 10), K)
SHARED = A_VOXELS & B_SLICE


def two_segments(scene, volume, layers):
    """A filled with A_VOXELS and B still empty, in one layer or in two."""
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    if layers == 2:
        node.GetSegmentation().SeparateSegmentLabelmap(b)
    fill(node, a, volume, A_VOXELS)
    assert node.GetSegmentation().GetNumberOfLayers() == layers
    return node, a, b


def write(scene, node, segment, volume, voxels, **options):
    plane = planeFromAxis(volume, "K", K)
    mask = voxels[K][::-1] if plane.planeToRAS[1, 1] < 0 else voxels[K]
    mask = mask[:, ::-1] if plane.planeToRAS[0, 0] < 0 else mask
    return SegmentWriter(scene).writeMask(node, segment, plane, mask, volume, **options)


layouts = pytest.mark.parametrize("layers", [1, 2])


@layouts
def test_protecting_all_leaves_the_other_segment_whole(scene, volume, layers):
    node, a, b = two_segments(scene, volume, layers)

    change = write(scene, node, b, volume, B_SLICE, policy="protectAll")

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)
    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE & ~A_VOXELS)
    assert change.segmentIds == (b,)


@layouts
def test_an_unlocked_segment_gives_way_exactly_where_the_mask_is(scene, volume, layers):
    node, a, b = two_segments(scene, volume, layers)

    change = write(scene, node, b, volume, B_SLICE, policy="protectLocked")

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS & ~B_SLICE)
    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE)
    assert sorted(change.segmentIds) == sorted((a, b))
    assert change.voxelCount == B_SLICE.sum() + SHARED.sum()


@layouts
def test_a_locked_segment_gives_way_to_nothing(scene, volume, layers):
    node, a, b = two_segments(scene, volume, layers)
    setLocked(node, a, True)

    write(scene, node, b, volume, B_SLICE, policy="protectLocked")

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)
    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE & ~A_VOXELS)


@layouts
def test_an_unlocked_segment_keeps_what_a_locked_one_hides_from_the_mask(scene, volume, layers):
    node, a, b = two_segments(scene, volume, layers)
    c = node.GetSegmentation().AddEmptySegment("", "C")
    write(scene, node, c, volume, B_SLICE & A_VOXELS, policy="allowOverlap")
    setLocked(node, c, True)

    write(scene, node, b, volume, B_SLICE, policy="protectLocked")

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)
    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE & ~A_VOXELS)


@layouts
def test_allowing_overlap_gives_both_segments_the_shared_voxels(scene, volume, layers):
    node, a, b = two_segments(scene, volume, layers)

    write(scene, node, b, volume, B_SLICE, policy="allowOverlap")

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)
    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE)
    assert node.GetSegmentation().GetNumberOfLayers() == 2


def test_allowing_overlap_without_any_keeps_one_layer(scene, volume):
    node, _, b = two_segments(scene, volume, 1)

    write(scene, node, b, volume, B_SLICE & ~A_VOXELS, policy="allowOverlap")

    assert node.GetSegmentation().GetNumberOfLayers() == 1


@layouts
@pytest.mark.parametrize("policy", ["protectAll", "protectLocked", "allowOverlap"])
@pytest.mark.parametrize("mode", ["replace", "subtract"])
def test_taking_voxels_from_a_segment_never_touches_another(scene, volume, layers, policy, mode):
    node, a, b = two_segments(scene, volume, layers)
    write(scene, node, b, volume, B_SLICE, policy="protectAll")
    mask = np.zeros(SHAPE, bool) if mode == "replace" else np.ones(SHAPE, bool)

    write(scene, node, b, volume, mask, mode=mode, policy=policy)

    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)
    assert not voxels_of(node, b, SHAPE).any()


def test_an_overlap_that_was_allowed_survives_later_protected_writes(scene, volume):
    node, a, b = two_segments(scene, volume, 1)
    write(scene, node, b, volume, B_SLICE, policy="allowOverlap")

    write(scene, node, b, volume, B_SLICE, policy="protectAll")

    assert np.array_equal(voxels_of(node, b, SHAPE), B_SLICE)
    assert np.array_equal(voxels_of(node, a, SHAPE), A_VOXELS)


def test_a_neighbor_with_another_voxel_size_is_protected_and_overwritten_alike(scene):
    wanted = box(slice(4, 7), slice(4, 9), K)  # covers some of the coarse voxels in part
    volume = add_volume(scene, SHAPE, np.eye(4))
    coarse_shape = tuple(n // 2 for n in SHAPE)
    coarse = add_volume(scene, coarse_shape, [[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    node, a, b = add_segmentation(scene, ["A", "B"], volume)
    node.GetSegmentation().SeparateSegmentLabelmap(b)
    fill(node, b, volume, wanted)
    coarse_voxels = np.zeros(coarse_shape, bool)
    coarse_voxels[1, 1:4, 1:4] = True
    fill(node, a, coarse, coarse_voxels)
    fine = coarse_voxels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    write(scene, node, b, volume, np.zeros(SHAPE, bool))

    write(scene, node, b, volume, wanted, policy="protectAll")
    assert np.array_equal(voxels_of(node, b, SHAPE), wanted & ~fine)
    assert np.array_equal(voxels_of(node, a, coarse_shape), coarse_voxels)

    change = write(scene, node, b, volume, wanted, policy="protectLocked")
    assert np.array_equal(voxels_of(node, b, SHAPE), wanted)
    met = wanted.reshape(3, 2, 6, 2, 7, 2).any(axis=(1, 3, 5))
    assert np.array_equal(voxels_of(node, a, coarse_shape), coarse_voxels & ~met)

    SegmentWriter(scene).revert(node, change)
    assert np.array_equal(voxels_of(node, a, coarse_shape), coarse_voxels)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["protectAll", "protectLocked", "allowOverlap"]),
            st.sampled_from(["replace", "add", "subtract"]),
            st.integers(0, 2**32 - 1),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sets(st.integers(0, 2)),
    st.sets(st.integers(0, 2)),
)
def test_random_writes_follow_the_policies_exactly(writes, locked, apart):
    with startScene() as host:
        volume = add_volume(host.scene, SHAPE, CT)
        node, *ids = add_segmentation(host.scene, ["A", "B", "C"], volume)
        for number in apart:
            node.GetSegmentation().SeparateSegmentLabelmap(ids[number])
        for number in locked:
            setLocked(node, ids[number], True)
        expected = [np.zeros(SHAPE, bool) for _ in ids]
        for number, policy, mode, seed in writes:
            drawn = np.zeros(SHAPE, bool)
            drawn[K] = np.random.default_rng(seed).random(SHAPE[1:]) > 0.6
            write(host.scene, node, ids[number], volume, drawn, mode=mode, policy=policy)
            follow_policy(expected, number, drawn, mode, policy, locked)

        for segment, voxels in zip(ids, expected):
            assert np.array_equal(voxels_of(node, segment, SHAPE), voxels)


def follow_policy(expected, number, drawn, mode, policy, locked):
    """The policies said again on plain arrays."""
    old = expected[number].copy()
    others = [other for other in range(len(expected)) if other != number]
    new = {"replace": drawn, "add": old | drawn, "subtract": old & ~drawn}[mode]
    gained = new & ~old
    kept = {"protectAll": others, "protectLocked": [o for o in others if o in locked], "allowOverlap": []}
    for other in kept[policy]:
        gained &= ~expected[other]
    expected[number] = (old & new) | gained
    if policy == "protectLocked":
        for other in others:
            if other not in locked:
                expected[other] &= ~gained
