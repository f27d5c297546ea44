"""All formats at once, into a folder, read back by libraries that had no part in writing them."""

import csv
import os
import sys

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import slicer
import trimesh
from pyarrow import parquet

from app.dicom_series import write_series
from SAMUNetSlicerLib.app.files import (
    FORMATS,
    ExportOptions,
    exportSegmentation,
    loadVolume,
    readProvenance,
    startScene,
)
from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.segments import newSegment
from scene.segmentation_scene import ball, fill, put_under_transform, rotation, voxels_of
from scene.small_disk import mounted

SHAPE = (9, 30, 34)


@pytest.fixture
def host():
    with startScene() as host:
        yield host


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "series", np.random.default_rng(0).integers(0, 900, SHAPE, dtype=np.int16))
    return tmp_path / "series"


@pytest.fixture
def volume(host, series):
    return loadVolume(host, series, name="CT")


@pytest.fixture
def node(host, volume):
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Befund")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, center in (("Läsion 1", (4, 12, 12)), ("liver", (5, 20, 24))):
        fill(node, newSegment(node, name), volume, ball(SHAPE, center, 5))
    return node


def masks(node):
    return [voxels_of(node, segment, SHAPE) for segment in node.GetSegmentation().GetSegmentIDs()]


def names_in(folder):
    return sorted(os.listdir(folder))


def test_every_format_is_written_and_says_the_same(node, volume, series, tmp_path):
    out = tmp_path / "Ergebnis – 病" / "neu"
    first, second = masks(node)
    labels = first + 2 * second.astype(int)

    result = exportSegmentation(node, volume, ExportOptions(out, tuple(FORMATS), dicomSource=series))

    assert sorted(path.name for path in result.files) == names_in(out)
    assert result.notes == []
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(out / "CT.mha"))), labels)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(out / "CT.nrrd"))), labels)
    assert np.array_equal(np.asarray(nibabel.load(out / "CT.nii.gz").dataobj).T, labels)
    for ending in ("stl", "obj", "ply"):
        meshes = [trimesh.load(out / f"CT-{name}.{ending}") for name in ("Läsion 1", "liver")]
        assert all(mesh.is_watertight for mesh in meshes)
    rows = parquet.read_table(out / "CT.parquet").to_pylist()
    assert [row["voxels"] for row in rows] == [first.sum(), second.sum()]
    with open(out / "CT.csv", encoding="utf-8", newline="") as file:
        assert [row["segment"] for row in csv.DictReader(file)] == ["Läsion 1", "liver"]
    assert [each.name for each in readProvenance(out / "CT.provenance.json").segments] == [
        "Läsion 1",
        "liver",
    ]


def test_the_label_table_names_the_labels_for_slicer(host, node, volume, tmp_path):
    exportSegmentation(node, volume, ExportOptions(tmp_path / "out", ("nifti",)))

    table = host.scene.AddNewNodeByClass("vtkMRMLColorTableNode")
    storage = slicer.vtkMRMLColorTableStorageNode()
    host.scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "out" / "CT.ctbl"))
    assert storage.ReadData(table)
    assert [table.GetColorName(n) for n in range(3)] == ["Background", "Läsion 1", "liver"]
    color = [0.0] * 4
    table.GetColor(2, color)
    expected = node.GetSegmentation().GetNthSegment(1).GetColor()
    assert color[:3] == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize(
    "name", ["two\nlines", '"quoted"\ttext', "#", "  ", "..", "a|b~c^d:=e", "\x01", "x" * 300]
)
def test_any_name_of_a_segment_is_exported_in_every_format(node, volume, series, tmp_path, name):
    node.GetSegmentation().GetNthSegment(0).SetName(name)

    options = ExportOptions(tmp_path / "out", tuple(FORMATS), dicomSource=series)
    result = exportSegmentation(node, volume, options)

    assert names_in(tmp_path / "out") == sorted(path.name for path in result.files)
    assert len(result.files) == len(FORMATS) + 3  # three formats have a file for each of the two segments
    assert parquet.read_table(tmp_path / "out" / "CT.parquet").to_pylist()[0]["segment"] == name


def test_one_label_volume_per_segment_if_asked(node, volume, tmp_path):
    newSegment(node, "leer")

    result = exportSegmentation(node, volume, ExportOptions(tmp_path / "out", ("nrrd",), isPerSegment=True))

    assert names_in(tmp_path / "out") == ["CT-Läsion 1.nrrd", "CT-liver.nrrd"]
    assert result.notes == ["'leer' is empty on this volume and has no file."]
    for mask, name in zip(masks(node), ("Läsion 1", "liver")):
        image = sitk.ReadImage(str(tmp_path / "out" / f"CT-{name}.nrrd"))
        assert np.array_equal(sitk.GetArrayFromImage(image), mask)


def test_chosen_segments_alone_are_exported(node, volume, tmp_path):
    liver = node.GetSegmentation().GetSegmentIdBySegmentName("liver")

    options = ExportOptions(tmp_path / "out", ("nifti", "csv"), segmentIds=(liver,))
    exportSegmentation(node, volume, options)

    labels = np.asarray(nibabel.load(tmp_path / "out" / "CT.nii.gz").dataobj).T
    assert np.array_equal(labels, masks(node)[1])


def test_the_name_follows_the_pattern(node, volume, tmp_path):
    options = ExportOptions(tmp_path, ("csv",), pattern="{case}: {segmentation} of {volume}", case="P/7")

    assert [path.name for path in exportSegmentation(node, volume, options).files] == [
        "P_7_ Befund of CT.csv"
    ]


def test_the_pattern_says_what_stands_before_the_segment(node, volume, tmp_path):
    options = ExportOptions(tmp_path, ("stl", "csv"), pattern="{volume}_{segment}")

    names = [path.name for path in exportSegmentation(node, volume, options).files]

    assert sorted(names) == ["CT.csv", "CT_Läsion 1.stl", "CT_liver.stl"]


def test_a_transform_of_the_segmentation_alone_is_said_to_be_left_out(host, node, volume, tmp_path):
    put_under_transform(host.scene, node, rotation(3, (0, 0, 1)))

    alone = exportSegmentation(node, volume, ExportOptions(tmp_path / "a", ("seg.nrrd",)))
    put_under_transform(host.scene, volume, rotation(3, (0, 0, 1)))
    both = exportSegmentation(node, volume, ExportOptions(tmp_path / "b", ("seg.nrrd",)))

    assert alone.notes == [
        "The .seg.nrrd file leaves out the transform that the segmentation is under, as Slicer's files do."
    ]
    assert both.notes == []


def test_hidden_segments_are_exported_as_well(node, volume, series, tmp_path):
    expected = {tuple(mask.ravel().nonzero()[0]) for mask in masks(node)}
    node.CreateDefaultDisplayNodes()
    for segment in node.GetSegmentation().GetSegmentIDs():
        node.GetDisplayNode().SetSegmentVisibility(segment, False)

    options = ExportOptions(tmp_path, ("mha", "stl", "dicom-seg"), dicomSource=series)
    exportSegmentation(node, volume, options)

    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "CT.mha")))
    assert {tuple((labels == n).ravel().nonzero()[0]) for n in (1, 2)} == expected
    assert (tmp_path / "CT-liver.stl").exists()
    assert len(pydicom.dcmread(tmp_path / "CT.seg.dcm").SegmentSequence) == 2


def test_numbered_files_keep_one_number_for_all(node, volume, tmp_path):
    (tmp_path / "CT.csv").write_text("old")
    options = ExportOptions(tmp_path, ("stl", "csv"), existing="number")

    names = [path.name for path in exportSegmentation(node, volume, options).files]

    assert sorted(names) == ["CT-2-Läsion 1.stl", "CT-2-liver.stl", "CT-2.csv"]
    assert (tmp_path / "CT.csv").read_text() == "old"


def test_a_surface_of_an_earlier_export_is_refused_with_all_else(node, volume, tmp_path):
    (tmp_path / "CT-liver.stl").write_text("old")

    with pytest.raises(OutputError, match=r"CT-liver\.stl exists already"):
        exportSegmentation(node, volume, ExportOptions(tmp_path, ("csv", "stl")))

    assert "CT.csv" not in names_in(tmp_path) and (tmp_path / "CT-liver.stl").read_text() == "old"


def test_the_volume_itself_is_never_overwritten(host, node, volume, tmp_path):
    file = tmp_path / "CT.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4), np.int16)), str(file))
    before = file.read_bytes()
    options = ExportOptions(tmp_path, ("nifti",), existing="overwrite", volumeFile=str(file))

    with pytest.raises(OutputError, match="is the volume itself and is not overwritten"):
        exportSegmentation(node, volume, options)
    assert file.read_bytes() == before


@pytest.mark.parametrize("formats", [(), ("docx",)])
def test_unknown_formats_are_one_sentence(node, volume, tmp_path, formats):
    with pytest.raises(InputError, match=r"use seg\.nrrd, nifti, "):
        exportSegmentation(node, volume, ExportOptions(tmp_path, formats))


@pytest.mark.parametrize(("key", "package"), [("dicom-seg", "highdicom"), ("parquet", "pyarrow")])
def test_a_missing_package_is_told_before_anything_is_written(
    node, volume, series, tmp_path, monkeypatch, key, package
):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(InputError, match=f"pip install {package}"):
        exportSegmentation(node, volume, ExportOptions(tmp_path / "out", ("csv", key), dicomSource=series))
    assert not (tmp_path / "out").exists()


def test_dicom_without_a_series_is_one_sentence_and_nothing_is_written(node, volume, tmp_path):
    out = tmp_path / "out"

    with pytest.raises(InputError, match="give the DICOM series of 'CT'"):
        exportSegmentation(node, volume, ExportOptions(out, ("seg.nrrd", "csv", "dicom-seg")))
    assert not out.exists()


@pytest.mark.parametrize("key", FORMATS)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(node, volume, series, tmp_path, key):
    with mounted(tmp_path / "small", "size=4k") as folder:
        options = ExportOptions(folder / "out", (key, "seg.nrrd", "prompts"), dicomSource=series)
        with pytest.raises(OutputError, match=r"no space left|is full|free some space") as caught:
            exportSegmentation(node, volume, options)
        assert ".samunet" not in str(caught.value) and "'case" not in str(caught.value)
        assert list(folder.iterdir()) == []


def test_a_read_only_folder_is_one_sentence(node, volume, tmp_path):
    with mounted(tmp_path / "fixed", "ro,size=64k") as folder:
        with pytest.raises(OutputError, match="cannot be written"):
            exportSegmentation(node, volume, ExportOptions(folder / "out"))
