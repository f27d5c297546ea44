"""The demo's prompts: valid, on the structures they name, and looser than the truth."""

import numpy as np
import pytest

from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.jobs import CASES, LabeledVolume, promptsDocument
from SAMUNetSlicerLib.app.prompts import parsePrompts, placePrompts
from SAMUNetSlicerLib.errors import InputError


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.volume)
def placed(request, repository):
    """(structure, its placed prompts, its true mask) for all structures of one case."""
    folder = repository / "Resources" / "SampleData"
    with startScene() as host:
        truth = LabeledVolume(folder, request.param.volume)
        volume, labels = loadVolume(host, folder / request.param.volume), loadVolume(host, truth.labelFile)
        prompts = parsePrompts(promptsDocument(request.param, truth, labels, volume))
        found = []
        for structure, segment in zip(request.param.structures, prompts.segments):
            placement = placePrompts(segment.planes[0], volume)
            found.append((structure, placement, truth.mask(labels, placement.plane, structure.name)))
        yield found


def test_the_cases_show_three_orientations_one_oblique_slice_and_a_click():
    structures = [structure for case in CASES for structure in case.structures]
    assert {s.plane.get("orientation") for s in structures} >= {"axial", "sagittal", "coronal"}
    assert any("normal" in structure.plane for structure in structures)
    assert any(structure.prompt == "click" for structure in structures)


def test_a_box_holds_the_whole_structure_with_a_margin_on_each_side_that_has_room(placed):
    for structure, placement, mask in placed:
        if structure.prompt == "box":
            pixels, _ = placement.plane.rasToPixel(placement.boxes[0])
            rows, columns = np.nonzero(mask)
            last = np.array(mask.shape[::-1]) - 1
            first, farthest = pixels.min(axis=0).round(2), pixels.max(axis=0).round(2)
            assert np.all(first <= np.maximum([columns.min() - 2, rows.min() - 2], 0))
            assert np.all(farthest >= np.minimum([columns.max() + 2, rows.max() + 2], last))


def test_a_click_lies_inside_the_structure(placed):
    for structure, placement, mask in placed:
        if structure.prompt == "click":
            pixels, _ = placement.plane.rasToPixel(placement.points)
            column, row = np.rint(pixels[0]).astype(int)
            assert mask[row - 2 : row + 3, column - 2 : column + 3].all()
            assert placement.positive.tolist() == [True]


def test_without_the_sample_data_the_sentence_says_where_they_are(tmp_path):
    with pytest.raises(InputError, match="checkout of the sources, or give --data"):
        LabeledVolume(tmp_path, CASES[0].volume)
