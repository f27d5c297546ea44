"""``samunet export`` on real files, and ``samunet segment --format``."""

import csv
import json
import os

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import trimesh

from app.dicom_series import write_series
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.scene.export import exportSegNrrd
from SAMUNetSlicerLib.scene.segments import newSegment
from scene.segmentation_scene import ball, fill

SHAPE = (8, 30, 34)


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "series", np.random.default_rng(0).integers(0, 900, SHAPE, dtype=np.int16))
    return tmp_path / "series"


@pytest.fixture
def segmentation(series, tmp_path):
    with startScene() as host:
        volume = loadVolume(host, series)
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "S")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        fill(node, newSegment(node, "Läsion"), volume, ball(SHAPE, (4, 12, 14), 5))
        return exportSegNrrd(node, tmp_path / "Größe.seg.nrrd").path


def test_a_segmentation_becomes_the_files_that_are_asked_for(segmentation, series, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--volume", str(series), "--out", str(out), "--format", "stl, dicom-seg,mha", "--json"]

    assert main(["export", str(segmentation), *arguments]) == 0

    assert sorted(os.listdir(out)) == [
        "Größe-Läsion.stl",
        "Größe.ctbl",
        "Größe.mha",
        "Größe.seg.dcm",
    ]
    assert sorted(json.loads(capsys.readouterr().out)["files"]) == sorted(str(p) for p in out.iterdir())
    voxels = int(sitk.GetArrayFromImage(sitk.ReadImage(str(out / "Größe.mha"))).sum())
    assert voxels == ball(SHAPE, (4, 12, 14), 5).sum()
    assert int(pydicom.dcmread(out / "Größe.seg.dcm").pixel_array.sum()) == voxels
    assert trimesh.load(out / "Größe-Läsion.stl").is_watertight


def test_a_label_map_can_be_exported_and_only_json_is_printed(series, tmp_path, capfd):
    with startScene() as host:
        shape = sitk.GetImageFromArray(ball(SHAPE, (4, 12, 14), 5).astype(np.uint8))
        volume = loadVolume(host, series)
        shape.SetSpacing(volume.GetSpacing())
        shape.SetOrigin([factor * each for factor, each in zip((-1, -1, 1), volume.GetOrigin())])
    sitk.WriteImage(shape, str(tmp_path / "labels.nii.gz"))
    arguments = ["--volume", str(series), "--out", str(tmp_path / "out"), "--format", "csv", "--json"]

    assert main(["export", str(tmp_path / "labels.nii.gz"), *arguments]) == 0

    (written,) = json.loads(capfd.readouterr().out)["files"]
    with open(written, newline="", encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert int(row["voxels"]) == ball(SHAPE, (4, 12, 14), 5).sum()


@pytest.mark.parametrize("name", ["absent.seg.nrrd", "text.seg.nrrd"])
def test_what_is_no_segmentation_is_one_sentence(series, tmp_path, name, capfd):
    (tmp_path / "text.seg.nrrd").write_text("nothing")
    arguments = ["--volume", str(series), "--out", str(tmp_path / "out")]
    assert main(["export", str(tmp_path / name), *arguments]) == 3
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "There is no file" in sentence or "is not a segmentation" in sentence


def test_an_unknown_format_is_one_sentence(segmentation, series, tmp_path, capsys):
    arguments = ["--volume", str(series), "--out", str(tmp_path / "out"), "--format", "docx"]

    assert main(["export", str(segmentation), *arguments]) == 3
    assert "'docx' is no export format: use seg.nrrd, nifti" in capsys.readouterr().err


def test_a_file_that_is_no_segmentation_is_one_sentence(series, tmp_path, capsys):
    (tmp_path / "a.seg.nrrd").write_text("nothing")
    arguments = ["--volume", str(series), "--out", str(tmp_path / "out")]

    assert main(["export", str(tmp_path / "a.seg.nrrd"), *arguments]) == 3
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.weights
def test_what_was_segmented_can_be_exported_later_and_replayed(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    options = ["--prompts", str(prompts()), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(["segment", str(volume), *options, "--format", "seg.nrrd"]) == 0
    exported = ["--volume", str(volume), "--out", str(tmp_path / "later"), "--format", "prompts,csv"]
    assert main(["export", str(tmp_path / "out" / "ts_ct3mm.seg.nrrd"), *exported]) == 0

    with open(tmp_path / "later" / "ts_ct3mm.csv", encoding="utf-8", newline="") as table:
        (row,) = csv.DictReader(table)
    assert 0 < float(row["confidence"]) <= 1
    capsys.readouterr()
    assert main(["replay", str(tmp_path / "later" / "ts_ct3mm.provenance.json"), str(volume)]) == 0
    assert "Every mask is the same." in capsys.readouterr().out


def test_segmenting_for_dicom_needs_the_series_before_the_work(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    options = ["--prompts", str(prompts()), "--out", str(tmp_path / "out"), "--format", "dicom-seg"]

    assert main(["segment", str(volume), *options, "--device", "cpu"]) == 3
    assert "was not read from the DICOM series" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.weights
def test_segment_writes_the_formats_that_are_asked_for(home_with_weights, volume, prompts, tmp_path):
    out = tmp_path / "out"
    options = ["--prompts", str(prompts()), "--out", str(out), "--device", "cpu", "--format", "ply,parquet"]

    assert main(["segment", str(volume), *options]) == 0
    assert sorted(os.listdir(out)) == ["ts_ct3mm-Bladder.ply", "ts_ct3mm.parquet"]


@pytest.mark.parametrize("kept", [0.3, 0.9, -1])
def test_a_segmentation_file_that_was_cut_is_one_sentence(segmentation, series, tmp_path, capfd, kept):
    content = segmentation.read_bytes()
    segmentation.write_bytes(content[: int(len(content) * kept) if kept > 0 else kept])
    assert main(["export", str(segmentation), "--volume", str(series), "--out", str(tmp_path / "out")]) == 3
    said = capfd.readouterr().err
    assert "damaged" in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_flipped_bit_in_a_segmentation_file_is_noticed(segmentation, series, tmp_path, capfd):
    content = bytearray(segmentation.read_bytes())
    content[-30] ^= 1
    segmentation.write_bytes(content)
    assert main(["export", str(segmentation), "--volume", str(series), "--out", str(tmp_path / "out")]) == 3
    assert "damaged" in capfd.readouterr().err
