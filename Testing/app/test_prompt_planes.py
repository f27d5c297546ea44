"""The prompts of a file land on the slice and in the voxels that they name, in any geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.prompts import chosenTerminology, parsePrompts, placePrompts, resolvePlane
from SAMUNetSlicerLib.errors import InputError, PromptError
from scene.geometries import VolumeScene, matrices, parents

STRAIGHT = np.diag([1.0, 1.0, 2.0, 1.0])  # 5 x 6 x 7 voxels


def prompts_on(plane, points=(), boxes=()):
    entry = {"plane": plane, "points": list(points), "boxes": list(boxes)}
    return parsePrompts({"version": 1, "segments": [{"name": "s", "planes": [entry]}]}).segments[0].planes[0]


@settings(deadline=None, max_examples=25)
@given(matrices(), parents(), st.sampled_from("IJK"), st.data())
def test_voxel_indices_and_millimeters_name_the_same_place(matrix, parent, axis, data):
    with VolumeScene(matrix, parent) as scene:
        number = "IJK".index(axis)
        ijk = np.array([data.draw(st.integers(0, size - 1)) for size in (5, 6, 7)], float)
        ras = (scene.ijk_to_ras @ [*ijk, 1])[:3]
        plane = {"axis": axis, "index": int(ijk[number])}
        points = [{"ijk": ijk.tolist(), "label": "positive"}, {"ras": ras.tolist(), "label": "negative"}]
        placed = placePrompts(prompts_on(plane, points), scene.volume)
        np.testing.assert_allclose(placed.points, [ras, ras], atol=1e-6)
        assert placed.positive.tolist() == [True, False]
        assert (placed.plane.axis, placed.plane.index) == (axis, ijk[number])


@pytest.mark.parametrize(
    "plane",
    [
        {"orientation": "axial", "offset": 6.0},
        {"orientation": "axial", "index": 3},
        {"axis": "K", "index": 3},
        {"origin": [1, 1, 6], "normal": [0, 0, -2]},
        {"sliceToRAS": [-1, 0, 0, 2, 0, 1, 0, 2, 0, 0, 1, 6, 0, 0, 0, 1]},
    ],
)
def test_every_way_to_name_a_slice_gives_the_same_slice(plane):
    with VolumeScene(STRAIGHT) as scene:
        expected = resolvePlane({"axis": "K", "index": 3}, scene.volume)
        assert resolvePlane(plane, scene.volume).sameAs(expected)


@pytest.mark.parametrize("ends", [(0, 0, 0.5), (0, 1, 0.5), (1, 0, 0.5), (1, 1, 0.5)])
@pytest.mark.parametrize("turn", [np.diag([1.0, 1.0, 2.0, 1.0]), np.diag([-1.0, -1.0, 2.0, 1.0])])
def test_a_fraction_at_either_end_of_the_volume_is_in_its_outermost_voxel(ends, turn):
    with VolumeScene(turn) as scene:
        point = {"fraction": list(ends), "label": 1}
        placed = placePrompts(prompts_on({"orientation": "axial", "index": 3}, [point]), scene.volume)
        pixel, _ = placed.plane.rasToPixel(placed.points)
        assert placed.plane.contains(pixel).all()
        ras = (scene.ijk_to_ras @ np.array([[0, 0, 3, 1], [4, 5, 3, 1]]).T)[:2]
        expected = [np.sort(ras[axis])[end] + (end - 0.5) for axis, end in enumerate(ends[:2])]
        np.testing.assert_allclose(placed.points[0][:2], expected, atol=1e-4)


def test_an_oblique_slice_takes_its_box():
    with VolumeScene(STRAIGHT) as scene:
        plane = {"origin": [2, 2.5, 6], "normal": [0, 1, 1], "up": [0, 1, -1]}
        corners = [[1, 1.5, 7], [3, 3.5, 5]]
        placed = placePrompts(prompts_on(plane, boxes=[{"ras": corners}]), scene.volume)
        assert placed.plane.axis is None
        np.testing.assert_allclose(placed.boxes, [corners])
        assert placed.points.shape == (0, 3)


def test_a_prompt_off_its_slice_is_refused_with_its_distance():
    with VolumeScene(STRAIGHT) as scene:
        prompts = prompts_on({"axis": "K", "index": 3}, [{"ras": [1, 1, 7.5], "label": 1}])
        with pytest.raises(PromptError, match=r"planes\[0\]\.points\[0\] lies 1\.5 mm from its slice"):
            placePrompts(prompts, scene.volume)


def test_a_point_outside_the_image_is_refused_with_its_place():
    with VolumeScene(STRAIGHT) as scene:
        prompts = prompts_on({"axis": "K", "index": 3}, [{"ijk": [5, 5, 3], "label": 1}])
        with pytest.raises(PromptError, match=r"points\[0\] lies outside the image.*5 x 6 pixels"):
            placePrompts(prompts, scene.volume)


@pytest.mark.parametrize("box", [[[5, 0, 3], [9, 5, 3]], [[1, 1, 3], [1, 4, 3]]])
def test_a_box_without_area_on_the_image_is_refused(box):
    with VolumeScene(STRAIGHT) as scene:
        prompts = prompts_on({"axis": "K", "index": 3}, boxes=[{"ijk": box}])
        with pytest.raises(PromptError, match=r"boxes\[0\]: The box has no area on the image"):
            placePrompts(prompts, scene.volume)


def test_a_box_may_reach_beyond_the_image():
    with VolumeScene(STRAIGHT) as scene:
        prompts = prompts_on({"axis": "K", "index": 3}, boxes=[{"ijk": [[-3, -3, 3], [2, 2, 3]]}])
        assert placePrompts(prompts, scene.volume).boxes.shape == (1, 2, 3)


@pytest.mark.parametrize(
    "plane",
    [
        {"axis": "K", "index": 7},
        {"orientation": "axial", "offset": 99},
        {"origin": [0, 0, 0], "normal": [0, 0, 0]},
    ],
)
def test_a_slice_that_the_volume_does_not_have_is_an_input_error(plane):
    with VolumeScene(STRAIGHT) as scene, pytest.raises(InputError):
        resolvePlane(plane, scene.volume)


def test_the_terminology_is_what_slicer_stores():
    codes = {"category": ["SCT", "1", "Anatomical Structure"], "type": ["SCT", "2", "Liver"]}
    entry = {"plane": {"axis": "K", "index": 3}, "points": [{"ijk": [1, 1, 3], "label": 1}]}
    document = {"version": 1, "segments": [{"name": "s", "terminology": codes, "planes": [entry]}]}
    assert "~SCT^1^Anatomical Structure~SCT^2^Liver~" in str(
        chosenTerminology(parsePrompts(document).segments[0])
    )
