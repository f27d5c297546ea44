"""Undo and redo bring prompts and mask back together, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal
from SAMUNetSlicerLib.scene.history import STEP_LIMIT, History
from SAMUNetSlicerLib.scene.prompts import PromptStore
from SAMUNetSlicerLib.scene.segments import SegmentWriter, setLocked
from scene.segmentation_scene import CT, add_segmentation, add_volume, disk, fill, voxels_of

SHAPE = (10, 20, 24)


class Desk:
    """A segmentation with segments A, B and C, and everything that works on it."""

    def __init__(self, scene, **options):
        self.scene = scene
        self.volume = add_volume(scene, SHAPE, CT)
        self.node, self.a, self.b, self.c = add_segmentation(scene, ["A", "B", "C"], self.volume)
        self.writer = SegmentWriter(scene)
        self.prompts = PromptStore(scene, self.node)
        self.history = History(self.node, self.writer, self.prompts, **options)
        self.plane = planeFromAxis(self.volume, "K", 4)

    def write(self, segment, mask, plane=None, **options):
        return self.writer.writeMask(self.node, segment, plane or self.plane, mask, self.volume, **options)

    def point(self, segment, x, y, kind="positive"):
        return self.prompts.addPoint(segment, kind, self.plane.pixelToRAS([[x, y]])[0], self.plane)

    def voxels(self, segment):
        return voxels_of(self.node, segment, SHAPE)

    def state(self):
        """Everything that undo is about."""
        ids = (self.a, self.b, self.c)
        prompts = [
            [(r.id, r.kind, r.order, np.round(r.ras, 6).tolist()) for r in self.prompts.prompts(segment)]
            for segment in ids
        ]
        return prompts, [self.voxels(segment).tobytes() for segment in ids]

    def click(self, x, y, radius=4, segment=None):
        """A point, the mask that it gives, and the step."""
        segment = segment or self.a
        self.point(segment, x, y)
        change = self.write(segment, disk(self.plane.shape, (x, y), radius))
        self.history.record(segment, f"point {x}", [change])


@pytest.fixture
def desk(scene):
    desk = Desk(scene)
    yield desk
    desk.prompts.close()


def test_one_step_back_takes_the_prompt_and_the_mask(desk):
    desk.click(8, 8)
    before = desk.state()
    desk.click(14, 10)

    outcome = desk.history.undo()

    assert desk.state() == before
    assert (outcome.segmentId, outcome.label, outcome.voxelsKept) == (desk.a, "point 14", 0)


def test_many_steps_go_back_and_forth(desk):
    states = [desk.state()]
    for number in range(6):
        desk.click(6 + number, 8, 3 + number % 3, desk.a if number % 2 else desk.b)
        states.append(desk.state())

    for expected in reversed(states[:-1]):
        assert desk.history.undo() is not None
        assert desk.state() == expected
    assert desk.history.undo() is None

    for expected in states[1:]:
        assert desk.history.redo() is not None
        assert desk.state() == expected
    assert desk.history.redo() is None


def test_a_new_step_ends_what_could_be_redone(desk):
    desk.click(8, 8)
    desk.click(14, 10)
    desk.history.undo()
    assert desk.history.redoLabel == "point 14"

    desk.click(5, 5)

    assert desk.history.redoLabel is None and desk.history.redo() is None
    assert desk.history.undoLabel == "point 5"


def test_moving_and_removing_a_prompt_are_steps_too(desk):
    desk.click(8, 8)
    start = desk.state()
    (point,) = desk.prompts.prompts(desk.a)
    desk.prompts.move(point.id, desk.plane.pixelToRAS([[12, 9]])[0])
    desk.history.record(desk.a, "move", [desk.write(desk.a, disk(desk.plane.shape, (12, 9), 4))])
    moved = desk.state()
    desk.prompts.remove(point.id)
    desk.history.record(desk.a, "remove", [desk.write(desk.a, np.zeros(desk.plane.shape, bool))])

    desk.history.undo()
    assert desk.state() == moved
    desk.history.undo()
    assert desk.state() == start


def test_nothing_changed_makes_no_step(desk):
    desk.click(8, 8)
    again = desk.write(desk.a, disk(desk.plane.shape, (8, 8), 4))

    assert not desk.history.record(desk.a, "nothing", [again])
    assert desk.history.undoLabel == "point 8"


def test_prompts_that_were_there_before_the_history_are_not_undone(desk):
    desk.point(desk.a, 3, 3)
    history = History(desk.node, desk.writer, desk.prompts)
    before = desk.state()
    desk.point(desk.a, 5, 5)
    history.record(desk.a, "point")

    history.undo()

    assert desk.state() == before and len(desk.prompts.prompts(desk.a)) == 1


def test_undo_calls_no_one_to_segment_again(desk):
    desk.click(8, 8)
    heard = []
    desk.prompts.changed.connect(lambda *change: heard.append(change))

    desk.history.undo()
    desk.history.redo()

    assert heard == []


def test_undo_gives_overwritten_voxels_back_to_their_segment(desk):
    desk.click(8, 8, 6, desk.a)
    before = desk.state()
    change = desk.write(desk.b, disk(desk.plane.shape, (11, 8), 6), policy="protectLocked")
    assert set(change.segmentIds) == {desk.a, desk.b}
    desk.history.record(desk.b, "box", [change])
    after = desk.state()

    desk.history.undo()
    assert desk.state() == before

    desk.history.redo()
    assert desk.state() == after


@pytest.mark.parametrize("isCollapsed", [False, True])
def test_undo_gives_two_overlapping_segments_back_what_a_third_took_from_both(desk, isCollapsed):
    desk.click(8, 8, 6, desk.a)
    desk.write(desk.b, disk(desk.plane.shape, (10, 8), 5), policy="allowOverlap")
    before = desk.state()
    change = desk.write(desk.c, disk(desk.plane.shape, (9, 8), 9), policy="protectLocked")
    desk.history.record(desk.c, "box", [change])
    assert not desk.voxels(desk.a).any() and not desk.voxels(desk.b).any()
    if isCollapsed:
        desk.node.GetSegmentation().CollapseBinaryLabelmaps(False)

    desk.history.undo()

    assert desk.state() == before


def test_undo_gives_back_what_was_shared_with_a_segment_that_still_has_it(desk):
    desk.click(8, 8, 6, desk.a)
    desk.write(desk.b, disk(desk.plane.shape, (10, 8), 5), policy="allowOverlap")
    before = desk.state()
    desk.history.record(desk.a, "clear", [desk.write(desk.a, np.zeros(desk.plane.shape, bool))])

    assert desk.history.undo().voxelsKept == 0
    assert desk.state() == before


def test_several_writes_can_be_one_step(desk):
    before = desk.state()
    planes = [planeFromAxis(desk.volume, "K", k) for k in range(2, 7)]
    changes = [desk.write(desk.a, disk(plane.shape, (10, 10), 5), plane) for plane in planes]
    changes.append(desk.write(desk.a, disk(planes[0].shape, (12, 10), 3), planes[0]))
    desk.history.record(desk.a, "propagate", changes)

    desk.history.undo()

    assert desk.state() == before


def test_oblique_steps_are_undone_exactly(desk):
    desk.click(8, 8)
    before = desk.state()
    plane = planeFromNormal(desk.volume, desk.plane.pixelToRAS([[10, 10]])[0], (1, 1, 2))
    desk.history.record(desk.a, "oblique", [desk.write(desk.a, np.ones(plane.shape, bool), plane)])
    after = desk.state()

    desk.history.undo()
    assert desk.state() == before
    desk.history.redo()
    assert desk.state() == after


# -- edits by other means


def paint(desk, segment, where, erase=False):
    """What the Segment Editor does: the whole segment, through Slicer's own logic."""
    now = desk.voxels(segment)
    now[where] = not erase
    fill(desk.node, segment, desk.volume, now)


def test_voxels_painted_by_hand_survive_undo_and_redo(desk):
    desk.click(8, 8)
    painted = np.zeros(SHAPE, bool)
    painted[4:6, 2:6, 2:6] = True
    assert not (painted & desk.voxels(desk.a)).any()
    paint(desk, desk.a, painted)

    outcome = desk.history.undo()
    assert np.array_equal(desk.voxels(desk.a), painted) and outcome.voxelsKept == 0

    desk.history.redo()
    assert desk.voxels(desk.a)[painted].all()


def test_voxels_erased_by_hand_do_not_come_back_with_redo(desk):
    desk.click(8, 8)
    clicked = desk.voxels(desk.a)
    erased = clicked & (np.arange(SHAPE[2]) < clicked.any(axis=(0, 1)).nonzero()[0].mean())
    paint(desk, desk.a, erased, erase=True)

    outcome = desk.history.undo()
    assert outcome.voxelsKept == erased.sum()
    assert not desk.voxels(desk.a).any()

    desk.history.redo()
    assert np.array_equal(desk.voxels(desk.a), clicked & ~erased)


def test_undo_does_not_take_voxels_that_another_segment_has_got_since(desk):
    desk.click(8, 8)
    old = desk.voxels(desk.a)
    desk.history.record(desk.a, "clear", [desk.write(desk.a, np.zeros(desk.plane.shape, bool))])
    painted = old & (np.arange(SHAPE[1])[:, None] % 2 == 0)
    fill(desk.node, desk.b, desk.volume, painted)

    outcome = desk.history.undo()

    assert np.array_equal(desk.voxels(desk.b), painted)
    assert np.array_equal(desk.voxels(desk.a), old & ~painted)
    assert outcome.voxelsKept == painted.sum()


def test_a_layer_split_by_others_does_not_confuse_undo(desk):
    desk.click(8, 8, 6, desk.a)
    before = desk.state()
    desk.click(14, 10, 6, desk.b)
    desk.node.GetSegmentation().SeparateSegmentLabelmap(desk.b)

    desk.history.undo()
    assert desk.state() == before

    desk.node.GetSegmentation().CollapseBinaryLabelmaps(True)
    desk.history.redo()
    desk.history.undo()
    assert desk.state() == before


def test_steps_of_a_deleted_segment_are_dropped_and_the_others_still_work(desk):
    desk.click(8, 8, 4, desk.a)
    before = desk.voxels(desk.a)
    desk.click(14, 10, 4, desk.b)
    desk.click(9, 8, 5, desk.a)

    desk.node.GetSegmentation().RemoveSegment(desk.b)

    assert desk.history.undo().label == "point 9"
    assert np.array_equal(desk.voxels(desk.a), before)
    assert desk.history.undo().label == "point 8"
    assert desk.history.undo() is None


def test_a_deleted_victim_of_overwriting_is_passed_over(desk):
    desk.click(8, 8, 6, desk.a)
    change = desk.write(desk.b, disk(desk.plane.shape, (11, 8), 6), policy="protectLocked")
    desk.history.record(desk.b, "box", [change])
    desk.node.GetSegmentation().RemoveSegment(desk.a)

    desk.history.undo()

    assert not desk.voxels(desk.b).any()


def test_a_changed_geometry_is_said_and_ends_the_history(desk, scene):
    desk.click(8, 8)
    coarse = add_volume(scene, (5, 10, 12), CT @ np.diag([2, 2, 2, 1]))
    node = desk.node
    fill(node, desk.a, coarse, np.ones((5, 10, 12), bool))
    node.SetReferenceImageGeometryParameterFromVolumeNode(coarse)

    with pytest.raises(InputError, match=r"geometry of 'Segmentation' has changed"):
        desk.history.undo()
    assert desk.history.undoLabel is None


# -- memory


def test_the_oldest_steps_are_forgotten_when_memory_is_short(scene):
    desk = Desk(scene, byteLimit=20_000)
    for number in range(40):
        desk.click(5 + number % 10, 8, 4)
        assert desk.history.nbytes <= 20_000

    undone = 0
    while desk.history.undo() is not None:
        undone += 1
        assert desk.history.nbytes <= 20_000
    assert 0 < undone < 40
    desk.prompts.close()


def test_an_afternoon_of_small_steps_takes_no_more_memory_than_its_last_ones(scene):
    desk = Desk(scene)
    masks = [disk(desk.plane.shape, (8 + number, 8), 4) for number in range(2)]
    for number in range(STEP_LIMIT + 20):
        change = desk.write(desk.a, masks[number % 2])
        desk.history.record(desk.a, "mask", [change], (number, None), stateBytes=1000)
    assert STEP_LIMIT * 1000 < desk.history.nbytes < STEP_LIMIT * 4000
    states = []
    while (outcome := desk.history.undo()) is not None:
        states.append(outcome.state)
    assert states == list(range(20, STEP_LIMIT + 20))[::-1]
    desk.prompts.close()


def test_a_step_beyond_the_limit_cannot_be_undone_and_neither_can_earlier_ones(scene):
    desk = Desk(scene, byteLimit=4_000)
    desk.click(8, 8)
    noise = np.random.default_rng(0).random(desk.plane.shape) > 0.5
    changes = [desk.write(desk.a, noise, planeFromAxis(desk.volume, "K", k)) for k in range(10)]

    desk.history.record(desk.a, "noise", changes)

    assert desk.history.undo() is None and desk.history.nbytes == 0
    desk.prompts.close()


def test_a_large_mask_takes_little_memory(scene):
    desk = Desk(scene)
    volume = add_volume(scene, (2, 512, 512), np.eye(4))
    node, segment = add_segmentation(scene, ["A"], volume)
    plane = planeFromAxis(volume, "K", 1)

    change = desk.writer.writeMask(node, segment, plane, disk(plane.shape, (256, 256), 200), volume)

    assert change.voxelsAdded > 120_000 and change.nbytes < 8_000
    desk.prompts.close()


# -- proof


SEGMENTS = st.integers(0, 2)

operations = st.one_of(
    st.tuples(
        st.just("write"),
        SEGMENTS,
        st.sampled_from("KJIo"),
        st.sampled_from(["replace", "add", "subtract"]),
        st.sampled_from(["protectAll", "protectLocked", "allowOverlap"]),
        st.integers(0, 2**32 - 1),
    ),
    st.tuples(st.just("point"), SEGMENTS, st.sampled_from(["positive", "negative"]), st.integers(0, 9)),
    st.tuples(st.just("box"), SEGMENTS, st.integers(0, 9)),
    st.tuples(st.just("move"), SEGMENTS, st.integers(0, 9)),
    st.tuples(st.just("remove"), SEGMENTS),
)


def perform(desk, operation):
    """Do it and make it a step; True if it was one."""
    kind, number, *rest = operation
    segment = (desk.a, desk.b, desk.c)[number]
    present = desk.prompts.prompts(segment)
    changes = []
    if kind == "write":
        changes = [random_write(desk, segment, *rest)]
    elif kind == "point":
        desk.point(segment, rest[1], 5, rest[0])
    elif kind == "box":
        desk.prompts.addBox(segment, *desk.plane.pixelToRAS([[1, 1], [3 + rest[0], 8]]), desk.plane)
    elif kind == "move" and present:
        corners = [[rest[0], 2], [rest[0] + 5, 9]][: len(present[0].ras)]
        desk.prompts.move(present[0].id, *desk.plane.pixelToRAS(corners))
    elif kind == "remove" and present:
        desk.prompts.remove(present[-1].id)
    return desk.history.record(segment, kind, changes)


def random_write(desk, segment, axis, mode, policy, seed):
    rng = np.random.default_rng(seed)
    middle = desk.plane.pixelToRAS([[10, 10]])[0]
    oblique = axis == "o"
    plane = (
        planeFromNormal(desk.volume, middle, (1, 2, 1)) if oblique else planeFromAxis(desk.volume, axis, 5)
    )
    return desk.write(segment, rng.random(plane.shape) > 0.5, plane, mode=mode, policy=policy)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(operations, min_size=1, max_size=10),
    st.sets(SEGMENTS),
    st.lists(st.booleans(), max_size=12),
)
def test_after_any_sequence_each_step_back_and_forth_is_bit_identical(sequence, locked, walk):
    with startScene() as host:
        desk = Desk(host.scene)
        for number in locked:
            setLocked(desk.node, (desk.a, desk.b, desk.c)[number], True)
        states = [desk.state()]
        for operation in sequence:
            if perform(desk, operation):
                states.append(desk.state())
        place = len(states) - 1
        for back in (*[True] * len(states), *[False] * len(states), *walk):
            outcome = desk.history.undo() if back else desk.history.redo()
            place = max(place - 1, 0) if back else min(place + 1, len(states) - 1)
            assert outcome is None or outcome.voxelsKept == 0
            assert desk.state() == states[place]
        desk.prompts.close()


def test_a_segmentation_that_is_gone_is_said_and_ends_the_history(desk):
    desk.click(8, 8)
    desk.scene.RemoveNode(desk.node)

    with pytest.raises(InputError, match="no longer in the scene"):
        desk.history.undo()
    assert desk.history.undo() is None


def test_undo_and_redo_return_the_callers_own_state_of_that_moment(desk):
    desk.point(desk.a, 8, 8)
    desk.history.record(desk.a, "point", states=("before", "after"))

    assert [desk.history.undo().state, desk.history.redo().state, desk.history.undo().state] == [
        "before",
        "after",
        "before",
    ]
