"""``samunet batch`` on real images with the real network, its files read back by others."""

import csv
import json

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from app.batch_runs import write_image
from SAMUNetSlicerLib.cli.main import main

BLADDER = "ts_ct3mm,Bladder,box,ijk,42,34,18,78,72,18"
HEAD = "case,segment,kind,space,x,y,z,x2,y2,z2"


@pytest.fixture
def data(tmp_path, volume):
    (tmp_path / "in").mkdir()
    for name in ("ts_ct3mm.nii.gz", "ts_mr3mm.nii.gz"):
        (tmp_path / "in" / name).symlink_to(volume.with_name(name))
    (tmp_path / "boxes.csv").write_text(f"{HEAD}\n{BLADDER}\n")
    return tmp_path


def batch(data, *more, out="out"):
    arguments = [str(data / "in"), "--prompts", str(data / "boxes.csv"), "--out", str(data / out)]
    return main(["batch", *arguments, "--devices", "cpu", "--workers", "1", *more])


def segmented(folder):
    return np.asarray(nibabel.load(next(folder.glob("*.nii.gz"))).dataobj)


def test_real_images_get_the_masks_that_one_by_one_gives(data, volume, prompts, capsys):
    assert batch(data, "--window", "preset:abdomen", "--json") == 1  # the MR has no prompts
    values = json.loads(capsys.readouterr().out)
    states = {case["name"]: case["state"] for case in values["cases"]}
    assert states == {"ts_ct3mm": "done", "ts_mr3mm": "failed"}
    assert values["counts"]["failed"] == 1
    labels = segmented(data / "out" / "ts_ct3mm")
    truth = np.asarray(nibabel.load(volume.with_name("ts_ct3mm_seg.nii.gz")).dataobj) == 21
    overlap = (labels[..., 18] > 0) & truth[..., 18]
    assert 2 * overlap.sum() / ((labels[..., 18] > 0).sum() + truth[..., 18].sum()) > 0.95
    np.testing.assert_allclose(
        nibabel.load(data / "out" / "ts_ct3mm" / "ts_ct3mm.nii.gz").affine, nibabel.load(volume).affine
    )
    with open(data / "out" / "ts_ct3mm" / "ts_ct3mm.csv", newline="", encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert int(row["voxels"]) == (labels > 0).sum()
    command = [
        "segment",
        str(volume),
        "--prompts",
        str(prompts()),
        "--out",
        str(data / "one"),
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    np.testing.assert_array_equal(segmented(data / "one"), labels)
    page = (data / "out" / "report.html").read_text(encoding="utf-8")
    assert "ts_ct3mm" in page and "data:image/jpeg;base64," in page
    assert "no prompts for &#x27;ts_mr3mm&#x27;" in page


def test_key_slices_are_propagated_if_asked(data):
    """A box with depth, prompted in its middle and carried through the bladder."""
    (data / "boxes.csv").write_text(f"{HEAD}\nts_ct3mm,Bladder,box,ijk,42,34,16,78,72,20\n")
    batch(data, "--slices", "1", "--propagate", "--window", "preset:abdomen", "--quiet")
    labels = segmented(data / "out" / "ts_ct3mm")
    slices = np.flatnonzero(labels.any(axis=(0, 1)))
    assert 18 in slices and len(slices) >= 5
    record = json.loads((data / "out" / "ts_ct3mm" / "record.json").read_text(encoding="utf-8"))
    assert [each["index"] for each in record["slices"] if not each["isPropagated"]] == [18]
    assert len(record["slices"]) == len(slices)


def test_what_is_wrong_is_one_sentence(data, capsys):
    for more, code, reason in (
        (["--window", "1,x"], 3, "is not a window"),
        (["--orientation", "oblique"], 3, "is not an orientation"),
        (["--model", "nothing"], 3, "nothing"),
        (["--margin", "-5"], 3, "share of their size"),
        (["--format", "docx"], 3, "'docx' is no export format"),
    ):
        assert batch(data, *more) == code
        assert reason in capsys.readouterr().err
    assert main(["batch", str(data / "absent"), "--prompts", str(data / "boxes.csv"), "--out", "x"]) == 3
    for name, value in (("--slices", "0"), ("--workers", "none")):
        with pytest.raises(SystemExit):
            batch(data, name, value)
    assert not (data / "out").exists()


def test_a_color_photo_and_a_series_go_through_as_well(tmp_path):
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[20:40, 30:50] = (200, 120, 90)
    (tmp_path / "in").mkdir()
    sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=True), str(tmp_path / "in" / "skin.png"))
    write_image(tmp_path / "in" / "noise.mha", shape=(4, 50, 60))
    row = ",Spot,box,fraction,0.35,0.3,0,0.65,0.7,1"
    (tmp_path / "boxes.csv").write_text(f"{HEAD}\n{row}\n")
    assert batch(tmp_path, "--quiet", "--format", "nifti,stl") == 0
    assert (tmp_path / "out" / "skin" / "skin-Spot.stl").is_file()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    slices = {case["name"]: case["segments"][0]["slices"] for case in manifest["cases"]}
    assert slices == {"noise": 4, "skin": 1}
    spot = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "skin" / "skin.nii.gz")))[0] > 0
    truth = pixels[..., 0] > 0
    assert 2 * (spot & truth).sum() / (spot.sum() + truth.sum()) > 0.9
