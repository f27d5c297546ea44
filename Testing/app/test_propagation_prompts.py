"""A prompts file may ask to carry its segments on through the volume."""

from dataclasses import replace

import numpy as np
import pytest

from app.desk import SHAPE
from SAMUNetSlicerLib.app.jobs import PromptRun, runPrompts
from SAMUNetSlicerLib.app.prompts import parsePrompts, readPropagationOptions
from SAMUNetSlicerLib.errors import InputError, PromptError


def document(propagate, *indices):
    planes = [
        {"plane": {"axis": "K", "index": k}, "boxes": [{"ijk": [[12, 10, k], [25, 22, k]]}]} for k in indices
    ]
    segment = {"name": "A", "planes": planes, "propagate": propagate}
    return parsePrompts({"version": 1, "segments": [segment]})


def filled(desk):
    return np.flatnonzero(desk.voxels().any(axis=(1, 2))).tolist()


@pytest.mark.parametrize(
    "propagate, expected",
    [
        (True, range(SHAPE[0])),
        (False, [3, 7]),
        ({"direction": "up", "last": 8}, range(3, 9)),
        ({"method": "fill"}, range(3, 8)),
        ({"region": {"ijk": [[12, 10, 5], [25, 22, 6]]}}, [3, 5, 6, 7]),
    ],
)
def test_a_segment_is_carried_on_as_the_file_says(desk, propagate, expected):
    results = runPrompts(desk.session, document(propagate, 3, 7))
    assert filled(desk) == list(expected)
    made = [each.prompts.plane.index for each in results if each.isPropagated]
    assert sorted(made) == [k for k in expected if k not in (3, 7)]


@pytest.mark.parametrize(
    "region", [{"fraction": [[0.2, 0.2, 0.2], [0.6, 0.5, 0.7]]}, {"ras": [[1, 2, 3], [9, 8, 7]]}]
)
def test_a_region_may_be_given_in_every_space(desk, region):
    options = readPropagationOptions({"region": region, "direction": "down"}, desk.volume)
    sides = np.linalg.norm(options.region.unitToRAS[:3, :3], axis=0)
    extent = np.array([50 * 0.75, 40 * 0.75, 10 * 2.5])
    expected = [8, 6, 4] if "ras" in region else [0.4, 0.3, 0.5] * extent
    np.testing.assert_allclose(sides, expected, atol=1e-9)
    assert options.direction == "down"


def test_what_no_propagation_can_be_is_refused_with_its_place(desk):
    with pytest.raises(PromptError, match=r"segments\[0\]\.propagate"):
        document({"direction": "sideways"}, 3)
    with pytest.raises(InputError, match="no volume"):
        readPropagationOptions({"region": {"ras": [[1, 2, 3], [1, 5, 7]]}}, desk.volume)


def test_a_file_may_ask_for_several_axes(desk):
    runPrompts(desk.session, document({"axes": ["coronal", "sagittal"], "fusion": "mean", "last": 6}, 3))
    record = desk.session.workspace.provenance.of(desk.session.segmentId).record(desk.plane(5).signature())
    assert record.origin == {"method": "consensus", "axes": ["K", "J", "I"], "fusion": "mean"}


def test_a_segment_that_others_left_no_voxels_is_not_carried_on(desk):
    prompts = document(True, 3)
    (first,) = prompts.segments
    second = replace(first, name="B")
    results = runPrompts(desk.session, replace(prompts, segments=(first, second)))
    assert {each.name for each in results if each.isPropagated} == {"A"}
    assert [each.prompts.plane.index for each in results if each.name == "B"] == [3]
    assert not desk.voxels(results[-1].segmentId).any()


def test_the_time_of_the_network_counts_carried_slices_too(desk):
    run = PromptRun(desk.session, document(True, 3))
    for _ in run.steps():
        desk.session.poll()
    assert run.engineSeconds == pytest.approx(SHAPE[0] * (1.0 + 0.1) / 1000)  # as the fake engine says
