"""A prompts file given to a session makes the segments it names, or changes nothing."""

import numpy as np
import pytest

from fakes.fakeEngine import fake_mask
from SAMUNetSlicerLib.app.jobs import runPrompts
from SAMUNetSlicerLib.app.prompts import parsePrompts
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.errors import EngineError, PromptError
from SAMUNetSlicerLib.scene.segments import segmentTag


def document(*segments, window="percentile"):
    return parsePrompts({"version": 1, "window": {"mode": window}, "segments": list(segments)})


def segment(name, *planes, **more):
    return {"name": name, "planes": list(planes), **more}


def on_slice(index, points=(), boxes=()):
    return {
        "plane": {"axis": "K", "index": index},
        "points": [{"ijk": [*place, index], "label": label} for place, label in points],
        "boxes": [{"ijk": [[*corner, index] for corner in box]} for box in boxes],
    }


def test_every_segment_gets_its_name_color_codes_and_masks(desk):
    codes = {"category": ["SCT", "1", "Structure"], "type": ["SCT", "2", "Liver"]}
    liver = segment("Liver", on_slice(3, boxes=[[(8, 9), (20, 25)]]), color="#ff0000", terminology=codes)
    spleen = segment("Spleen", on_slice(3, [((30, 20), 1)]), on_slice(5, [((12, 20), "positive")]))
    seen = []
    results = runPrompts(desk.session, document(liver, spleen), progress=lambda *step: seen.append(step))
    segmentation = desk.session.segmentationNode.GetSegmentation()
    made = [segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()]
    done = [(each.name, each.prompts.plane.index) for each in results]
    assert made == ["Liver", "Spleen"]
    assert done == [("Liver", 3), ("Spleen", 3), ("Spleen", 5)]
    assert segmentation.GetNthSegment(0).GetColor() == (1.0, 0.0, 0.0)
    assert "Liver" in segmentTag(desk.session.segmentationNode, results[0].segmentId, "TerminologyEntry")
    assert [each.report.confidence for each in results] == [0.9] * 3
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_box_and_a_negative_point_act_together(desk):
    entry = on_slice(3, [((14, 14), "negative")], [[(8, 9), (20, 25)]])
    (result,) = runPrompts(desk.session, document(segment("A", entry)))
    plane = result.prompts.plane
    mask = desk.session.workspace.readMask(result.report.target)
    points, _ = plane.rasToPixel(result.prompts.points)
    corners, _ = plane.rasToPixel(result.prompts.boxes[0])
    box = np.array([[*corners.min(axis=0), *(corners.max(axis=0) + 1)]], np.float32)
    expected = fake_mask(plane.shape, Prompts(points.astype(np.float32), np.array([0]), box))
    np.testing.assert_array_equal(mask, expected)


def test_the_window_of_the_file_is_the_one_used(desk):
    runPrompts(desk.session, document(segment("A", on_slice(3, [((12, 20), 1)])), window="preset:lung"))
    assert desk.session.workspace.window() == WindowSetting("preset:lung")


def test_a_prompt_outside_the_volume_stops_before_anything_is_made(desk):
    good, bad = segment("A", on_slice(3, [((12, 20), 1)])), segment("B", on_slice(3, [((999, 20), 1)]))
    with pytest.raises(PromptError, match=r"segments\[1\]\.planes\[0\]\.points\[0\] lies outside the image"):
        runPrompts(desk.session, document(good, bad))
    assert desk.session.segmentationNode is None


def test_a_failing_engine_is_raised_as_its_sentence(desk, monkeypatch):
    def refuse(image, prompts):
        raise EngineError("The device is gone.")

    monkeypatch.setattr(desk.engine.service, "predict", refuse)
    with pytest.raises(EngineError, match="The device is gone"):
        runPrompts(desk.session, document(segment("A", on_slice(3, [((12, 20), 1)]))))


def test_an_engine_that_dies_after_its_answers_does_not_lose_them(desk):
    def die(done, total):
        if done == total:
            desk.engine.status = None

    entry = on_slice(3, [((12, 20), 1)])
    (result,) = runPrompts(desk.session, document(segment("A", entry)), progress=die)
    assert result.pixels and desk.mask(desk.plane(3), result.segmentId).sum() == result.pixels
