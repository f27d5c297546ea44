"""Several volumes from the panel: checked, segmented, told about, looked at."""

import json

import numpy as np
import pytest

from app.desk import SHAPE
from scene.segmentation_scene import CT, add_volume


@pytest.fixture
def volumes(bench):
    """Two more volumes, the list open, a prompted slice on the first."""
    bench.volume.SetName("first")
    voxels = np.random.default_rng(1).integers(-1000, 1000, SHAPE, dtype=np.int16)
    others = [add_volume(bench.scene, ijk_to_ras=CT, array=voxels) for _ in range(2)]
    for node, name in zip(others, ("second", "third")):
        node.SetName(name)
    bench.ui.batchSection.collapsed = False
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    return others


def rows(bench):
    return [bench.ui.batchList.item(row) for row in range(bench.ui.batchList.count)]


def check(bench, *names):
    import qt

    for row in rows(bench):
        row.setCheckState(qt.Qt.Checked if row.text() in names else qt.Qt.Unchecked)


def run(bench):
    bench.click("batchButton")
    for _ in range(200):
        bench.tick(1)
        if not bench.panel.batch.batch.isRunning:
            return
    raise AssertionError("the batch did not end")


def test_all_volumes_of_the_scene_are_listed(bench, volumes):
    assert [row.text() for row in rows(bench)] == ["first", "second", "third"]
    bench.scene.RemoveNode(volumes[0])
    assert [row.text() for row in rows(bench)] == ["first", "third"]


def test_volumes_that_are_loaded_together_are_listed_when_all_are_there(bench, volumes):
    """As by the DICOM module, and by the import of a scene."""
    bench.scene.StartState(bench.scene.BatchProcessState)
    add_volume(bench.scene, ijk_to_ras=CT, array=np.zeros(SHAPE, np.int16), name="fourth")
    assert len(rows(bench)) == 3
    bench.scene.EndState(bench.scene.BatchProcessState)
    assert [row.text() for row in rows(bench)][3:] == ["fourth"]


def test_checked_volumes_get_the_prompts_of_the_chosen_segmentation(bench, volumes):
    own = bench.session.segmentationNode
    check(bench, "second", "third")
    run(bench)
    assert bench.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 3
    assert bench.session.volumeNode is bench.volume
    assert bench.session.segmentationNode is own
    assert rows(bench)[1].text() == "second: done"
    assert "2 of 2 volumes segmented" in bench.ui.statusText.text


def test_check_marks_stay_when_the_list_is_filled_again(bench, volumes):
    check(bench, "third")
    volume = add_volume(bench.scene, ijk_to_ras=CT, array=np.zeros(SHAPE, np.int16))
    assert volume.GetName() in [row.text() for row in rows(bench)]
    assert [node.GetName() for node in bench.panel.batch._checked()] == ["third"]


def test_without_a_check_mark_the_sentence_says_so(bench, volumes):
    bench.click("batchButton")
    assert "choose at least one" in bench.ui.statusText.text
    assert bench.ui.progressBar.pyside.isHidden()


def test_a_finished_volume_is_shown_with_its_result(bench, volumes):
    check(bench, "second")
    run(bench)
    bench.ui.batchList.currentRow = 1
    bench.panel.batch._look()
    assert bench.session.volumeNode is volumes[0]
    assert bench.session.segmentationNode is not None


def test_boxes_around_the_segments_of_each_volume_serve_as_well(bench, volumes):
    """What was segmented on the first volume is the rough segmentation of the others."""
    bench.panel.batch.source.choose("segments")
    check(bench, "second", "third")
    run(bench)
    assert [row.text() for row in rows(bench)][1:] == ["second: done", "third: done"]


def test_markups_of_the_scene_serve_as_well(bench, volumes):
    points = bench.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Cyst")
    points.AddControlPoint(bench.plane(5).pixelToRAS([(25, 25)])[0])
    bench.panel.batch.source.choose("markups")
    check(bench, "second")
    run(bench)
    bench.ui.batchList.currentRow = 1
    bench.panel.batch._look()
    segmentation = bench.session.segmentationNode.GetSegmentation()
    assert [segmentation.GetNthSegment(0).GetName()] == ["Cyst"]
    assert segmentation.GetNumberOfSegments() == 1


def test_without_markups_the_sentence_says_so(bench, volumes):
    bench.panel.batch.source.choose("markups")
    check(bench, "second")
    bench.click("batchButton")
    assert "no markups" in bench.ui.statusText.text


def test_where_prompts_are_laid_can_be_chosen_where_it_matters(bench, volumes):
    assert not bench.ui.batchOrientationCombo.enabled
    bench.panel.batch.source.choose("segments")
    bench.panel.batch.orientation.choose("coronal")
    bench.ui.batchCountSpin.value = 3
    choice = bench.panel.batch._slices()
    assert (choice.orientation, choice.count) == ("coronal", 3)
    bench.ui.batchCountSpin.value = 0
    assert bench.panel.batch._slices().count is None


def test_results_are_forgotten_with_their_scene(bench, volumes):
    check(bench, "second")
    run(bench)
    bench.scene.Clear(0)
    for _ in range(2):
        add_volume(bench.scene, ijk_to_ras=CT, array=np.zeros(SHAPE, np.int16))
    assert not [row.text() for row in rows(bench) if ":" in row.text()]


def test_a_prompts_file_serves_as_well(bench, volumes, tmp_path, monkeypatch):
    from PySide6 import QtWidgets

    plane = {"plane": {"axis": "K", "index": 4}, "points": [{"ijk": [20, 20, 4], "label": "positive"}]}
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"version": 1, "segments": [{"name": "Spleen", "planes": [plane]}]}))
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: str(path))
    bench.panel.batch.source.choose("file")
    check(bench, "second")
    run(bench)
    assert rows(bench)[1].text().startswith("second: ")
