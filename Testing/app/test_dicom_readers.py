"""DICOM Segmentations under the eyes of those who had no part in making them: dcmqi and dicom3tools."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from app.dicom_case import LEFT_KIDNEY, LIVER, OBLIQUE, SHAPE, Case
from SAMUNetSlicerLib.app.files import startScene
from scene.segmentation_scene import ball

ORIENTATIONS = pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE])


def run(program, *arguments):
    """Its standard error; programs of the test's own environment come first."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    found = shutil.which(program, path=path)
    if found is None:
        pytest.skip(f"{program} is not installed: pip install -e .[test]")
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def exported(tmp_path, orientation):
    """Three segments, two of which overlap."""
    with startScene() as host:
        case = Case(host, tmp_path / "series", orientation)
        case.add("Leber", ball(SHAPE, (3, 12, 12), 5), LIVER)
        case.add("Niere", ball(SHAPE, (4, 20, 24), 4), LEFT_KIDNEY)
        case.node.GetSegmentation().SeparateSegmentLabelmap(next(iter(case.masks)))
        case.add("Läsion", ball(SHAPE, (3, 14, 14), 5))
        case.export(tmp_path / "a.seg.dcm")
        yield case


@ORIENTATIONS
def test_the_file_keeps_the_standard(exported, tmp_path):
    assert "Error" not in run("dciodvfy", "-new", tmp_path / "a.seg.dcm")


@ORIENTATIONS
def test_slicers_dicom_reader_finds_each_segment_in_its_place(exported, tmp_path):
    (tmp_path / "out").mkdir()
    run("segimage2itkimage", "--inputDICOM", tmp_path / "a.seg.dcm", "--outputDirectory", tmp_path / "out")

    described = json.loads((tmp_path / "out" / "meta.json").read_text(encoding="utf-8"))
    entries = sorted((entry for group in described["segmentAttributes"] for entry in group), key=_label)
    assert [entry["SegmentLabel"] for entry in entries] == ["Leber", "Niere", "Läsion"]
    assert entries[1]["SegmentedPropertyTypeModifierCodeSequence"]["CodeMeaning"] == "Left"
    series = sitk.ReadImage([str(path) for path in exported.paths])
    for number, voxels in enumerate(exported.masks.values(), 1):
        found = sitk.ReadImage(str(tmp_path / "out" / f"{number}.nrrd"))
        # It writes only as many slices as show something: put them where they say they are.
        whole = sitk.Resample(found, series, sitk.Transform(), sitk.sitkNearestNeighbor)
        assert np.array_equal(sitk.GetArrayFromImage(whole) > 0, voxels)


def _label(entry):
    return entry["labelID"]
