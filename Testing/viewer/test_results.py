"""Results: downloaded or in a folder, and what is in the files."""

import os
import subprocess
import sys
import zipfile

import nibabel
import nrrd
import numpy as np

from SAMUNetSlicerLib.app.files import readProvenance
from SAMUNetSlicerLib.app.session import decodeMask
from SAMUNetSlicerLib.scene.geometry import SlicePlane
from viewer.test_prompting import ORGANS, segment
from viewer.test_views import position
from viewer.viewing import VOLUME


def download(page, folder):
    """Download the results and unpack them."""
    with page.page.expect_download() as started:
        page.press("download")
    assert started.value.suggested_filename == "ts_ct3mm.zip"
    zipfile.ZipFile(started.value.path()).extractall(folder)


def only(folder, ending):
    (path,) = folder.glob(f"*{ending}")
    return path


def labels_of(folder):
    """Label volume (i, j, k) of the NIfTI file of a folder."""
    return np.asarray(nibabel.load(only(folder, ".nii.gz")).dataobj)


def segmentation_of(folder, shape):
    """The same from the .seg.nrrd file, which is cropped."""
    voxels, header = nrrd.read(str(only(folder, ".seg.nrrd")))
    offset = [int(each) for each in header["Segmentation_ReferenceImageExtentOffset"].split()]
    labels = np.zeros(shape, voxels.dtype)
    labels[tuple(slice(start, start + size) for start, size in zip(offset, voxels.shape))] = voxels
    return labels


def records_of(folder):
    """The record of each segment's only slice, with its plane."""
    segments = readProvenance(only(folder, ".provenance.json")).segments
    records = [record for segment in segments for record in segment.records]
    return [(record, SlicePlane.fromDict(record.plane)) for record in records]


def test_the_download_holds_the_masks_voxel_by_voxel(page, tmp_path):
    segment(page)
    page.press("next")
    page.wait(lambda: len(page.segments()) == 2, "there is no other segment")
    segment(page, "Green")
    download(page, tmp_path)
    labels = labels_of(tmp_path)
    assert (segmentation_of(tmp_path, labels.shape) == labels).all()
    affine = nibabel.load(only(tmp_path, ".nii.gz")).affine
    for label, (record, plane) in enumerate(records_of(tmp_path), 1):
        rows, columns = np.nonzero(decodeMask(record.written, plane.shape))
        ras = plane.pixelToRAS(np.column_stack([columns, rows]))
        voxels = np.rint((ras - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(int)
        assert len(voxels) > 50
        assert sorted(map(tuple, voxels)) == sorted(map(tuple, np.argwhere(labels == label)))


def test_the_folder_gets_the_same_voxels_and_earlier_files_stay(page, tmp_path):
    segment(page)
    download(page, tmp_path / "downloaded")
    folder = tmp_path / "results"
    page.page.locator("input#folder").fill(str(folder))
    for count in (1, 2):
        page.waitForStatus("were written", lambda: page.press("export"))
        assert len(list(folder.glob("*.nii.gz"))) == count
    for path in folder.glob("*.nii.gz"):
        assert (np.asarray(nibabel.load(path).dataobj) == labels_of(tmp_path / "downloaded")).all()


def test_a_prompt_is_where_the_mouse_was(page, tmp_path):
    page.press("tool-navigate")
    page.wait(lambda: page.state("tool") == "navigate", "the tool is not taken")
    page.click("Red", *ORGANS["Red"])
    page.settle()
    place = [position(page, view) for view in ("Yellow", "Green", "Red")]
    page.press("hasCrosshair")
    page.press("tool-positive")
    page.wait(lambda: page.state("tool") == "positive", "the tool is not taken")
    segment(page)
    download(page, tmp_path)
    ((record, _),) = records_of(tmp_path)
    (prompt,) = record.prompts
    assert prompt["kind"] == "positive"
    assert np.abs(np.subtract(np.abs(prompt["ras"][0]), np.abs(place))).max() < 0.1


def test_a_download_can_be_replayed_on_the_command_line(page, tmp_path):
    segment(page)
    segment(page, "Green")
    download(page, tmp_path)
    command = [sys.executable, "-m", "SAMUNetSlicerLib.cli.main", "replay"]
    done = subprocess.run(
        [*command, str(only(tmp_path, ".provenance.json")), str(VOLUME)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(VOLUME.parents[2] / "SAMUNetSlicer")},
    )
    assert done.returncode == 0, done.stderr
    assert "Every mask is the same." in done.stdout


def test_an_empty_segmentation_is_not_exported_and_a_sentence_says_so(page):
    page.press("add-segment")
    page.wait(page.segments, "there is no segment")
    assert "segment something first" in page.waitForStatus("no voxels", lambda: page.press("download"))
