"""Results as files, with one button."""

import types

import pytest
import slicer


@pytest.fixture
def segmented(bench, tmp_path):
    """A segment on a slice, and a folder for files."""
    bench.volume.SetName("CT")
    bench.ui.exportFolder.directory = str(tmp_path / "results")
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    return bench


def written(tmp_path):
    return sorted(path.name for path in (tmp_path / "results").glob("*"))


def test_the_button_needs_a_segmentation(bench):
    assert not bench.ui.exportButton.enabled
    bench.click("addSegmentButton")
    assert bench.ui.exportButton.enabled


def test_checked_formats_are_written(segmented, tmp_path):
    segmented.panel.export.formats.check(["seg.nrrd", "csv"])
    segmented.click("exportButton")
    assert written(tmp_path) == ["CT.csv", "CT.seg.nrrd"]
    assert "2 files were written" in segmented.ui.statusText.text


def test_files_that_are_there_are_kept_unless_the_user_says_otherwise(segmented, tmp_path):
    segmented.panel.export.formats.check(["csv"])
    segmented.click("exportButton")
    segmented.click("exportButton")
    assert "CT.csv" in segmented.ui.statusText.text
    segmented.panel.export.existing.choose("number")
    segmented.click("exportButton")
    assert len(written(tmp_path)) == 2


def test_a_pattern_that_cannot_be_filled_is_one_sentence(segmented, tmp_path):
    segmented.ui.exportPattern.text = "{patient}"
    segmented.click("exportButton")
    assert "is not a name pattern" in segmented.ui.statusText.text
    assert not written(tmp_path)


def test_cancel_ends_the_export_before_the_next_file_and_leaves_none(segmented, tmp_path, monkeypatch):
    """The button is pressed while the second file is about to be written."""
    segmented.panel.export.formats.check(["seg.nrrd", "csv", "nrrd"])
    pumped = []

    def press():
        pumped.append(segmented.ui.progressBar.value)
        if len(pumped) == 2:
            segmented.ui.cancelButton.pyside.click()

    monkeypatch.setattr(slicer.app, "processEvents", press)
    segmented.click("exportButton")
    assert len(pumped) == 2
    assert "cancelled" in segmented.ui.statusText.text
    assert not written(tmp_path)
    assert segmented.ui.exportButton.enabled
    assert not segmented.panel.progress.isShown


def test_a_long_export_shows_how_far_it_is(segmented, monkeypatch):
    segmented.panel.export.formats.check(["seg.nrrd", "csv"])
    bar, seen, clock = segmented.ui.progressBar, [], iter(range(100))
    segmented.panel.progress._clock = lambda: next(clock)

    def look():
        seen.append(
            (segmented.panel.progress.isShown, bar.value, bar.maximum, segmented.ui.exportButton.enabled)
        )

    monkeypatch.setattr(slicer.app, "processEvents", look)
    segmented.click("exportButton")
    assert seen == [(True, 0, 2, False), (True, 1, 2, False)]


def test_a_change_while_files_are_written_ends_the_export(segmented, tmp_path, monkeypatch):
    segmented.panel.export.formats.check(["seg.nrrd", "csv"])
    monkeypatch.setattr(slicer.app, "processEvents", lambda: segmented.scene.Clear(0))
    segmented.click("exportButton")
    assert "changed during the export" in segmented.ui.statusText.text
    assert not written(tmp_path)


def test_nothing_checked_is_one_sentence(segmented):
    segmented.panel.export.formats.check([])
    segmented.click("exportButton")
    assert "No export format is chosen" in segmented.ui.statusText.text


def test_the_series_of_a_dicom_volume_comes_from_slicers_database(segmented, monkeypatch):
    from SAMUNetSlicerLib.ui.sections import dicomFiles

    assert dicomFiles(segmented.volume) is None
    files = {"1.2": "a.dcm", "1.3": "b.dcm"}
    database = types.SimpleNamespace(fileForInstance=files.get)
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    segmented.volume.SetAttribute("DICOM.instanceUIDs", "1.2 1.3")
    assert dicomFiles(segmented.volume) == ["a.dcm", "b.dcm"]


def test_choices_are_kept_in_the_scene(segmented):
    node = segmented.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    segmented.panel.useParameters(node)
    assert segmented.ui.exportPattern.text == "{case}"
    segmented.panel.export.formats.check(["stl"])
    assert node.GetParameter("exportFormats") == "stl"
    node.SetParameter("exportFormats", "csv nifti")
    assert segmented.panel.export.formats.checked == ["nifti", "csv"]
