"""Pictures of slices: prompts drawn where they were given, sheets that hold every picture."""

import numpy as np
import pytest

from SAMUNetSlicerLib.app.jobs import contactSheet, savePicture, slicePicture
from SAMUNetSlicerLib.app.prompts import parsePrompts, placePrompts
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.errors import OutputError

OTHER = {"ijk": [[2, 2, 5], [9, 9, 5]]}  # of another slice: a segment has at least one positive prompt


def picture_of(desk, points=(), boxes=(), mask=None):
    entry = {"plane": {"axis": "K", "index": 4}, "points": list(points), "boxes": list(boxes)}
    document = {"version": 1, "segments": [{"name": "A", "planes": [entry]}]}
    document["segments"][0]["planes"].append({"plane": {"axis": "K", "index": 5}, "boxes": [OTHER]})
    placed = placePrompts(parsePrompts(document).segments[0].planes[0], desk.volume)
    mask = np.zeros(placed.plane.shape, bool) if mask is None else mask
    return slicePicture(desk.volume, WindowSetting(), placed, mask, None, (1, 0, 0), "caption"), placed.plane


def test_a_point_is_drawn_where_it_was_given(desk):
    point = {"ijk": [10, 30, 4], "label": "positive"}
    positive, plane = picture_of(desk, [point])
    negative, _ = picture_of(desk, [{**point, "label": "negative"}])
    rows, columns = np.nonzero((positive != negative).any(axis=2))
    column, row, *_ = np.linalg.inv(plane.planeToIJK(desk.volume)) @ [10, 30, 4, 1]
    scale = positive.shape[1] / plane.shape[1]
    assert abs(columns.mean() / scale - column - 0.5) < 1
    assert abs(rows.mean() / scale - row - 0.5) < 1


def test_a_mask_changes_the_picture_inside_of_it_only(desk):
    point = {"ijk": [40, 5, 4], "label": "positive"}
    empty, plane = picture_of(desk, [point])
    mask = np.zeros(plane.shape, bool)
    mask[20:30, 10:25] = True
    filled, _ = picture_of(desk, [point], mask=mask)
    scale = empty.shape[1] / plane.shape[1]
    rows, columns = np.nonzero((empty != filled).any(axis=2))
    bounds = np.array([rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]) / scale
    np.testing.assert_allclose(bounds, [20, 30, 10, 25], atol=1)


def test_a_sheet_holds_every_picture_at_one_width():
    pictures = [np.full((40, 20, 3), value, np.uint8) for value in (60, 120, 180)]
    sheet = contactSheet(pictures, columns=2, width=50)
    assert sheet.shape == (2 * 100 + 3 * 8, 2 * 50 + 3 * 8, 3)
    assert [(sheet == value).all(axis=2).sum() for value in (60, 120, 180)] == [50 * 100] * 3


def test_a_picture_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="choose another folder"):
        savePicture(np.zeros((4, 4, 3), np.uint8), tmp_path / "file" / "p.png")
