"""``samunet segment`` and ``replay`` on a real volume with real weights, and on everything that is wrong."""

import csv
import json
import os

import numpy as np
import pytest
import SimpleITK as sitk

from SAMUNetSlicerLib.cli.main import main

CLICK = {"plane": {"axis": "J", "index": 37}, "points": [{"ijk": [22, 37, 100], "label": "positive"}]}


def segment(volume, prompts, out, *more):
    return main(
        ["segment", str(volume), "--prompts", str(prompts), "--out", str(out), "--device", "cpu", *more]
    )


def array(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.weights
def test_a_box_becomes_files_that_hold_the_organ(home_with_weights, volume, prompts, tmp_path, capsys):
    out = tmp_path / "results ü"
    assert segment(volume, prompts(), out, "--json", "--overlays") == 0
    values = json.loads(capsys.readouterr().out)
    assert names_in(out) == [
        "ts_ct3mm-slices",
        "ts_ct3mm.csv",
        "ts_ct3mm.nii.gz",
        "ts_ct3mm.provenance.json",
        "ts_ct3mm.seg.nrrd",
    ]
    labels, truth = array(out / "ts_ct3mm.nii.gz"), array(volume.with_name("ts_ct3mm_seg.nii.gz")) == 21
    assert np.flatnonzero(labels.any(axis=(1, 2))).tolist() == [18]
    overlap = (labels[18] > 0) & truth[18]
    assert 2 * overlap.sum() / ((labels[18] > 0).sum() + truth[18].sum()) > 0.95
    with open(out / "ts_ct3mm.csv", newline="", encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert int(row["voxels"]) == (labels > 0).sum()
    (described,) = values["slices"]
    assert (described["segment"], described["slice"], described["encoding"]) == (
        "Bladder",
        "axial 18",
        "encoded",
    )
    assert str(out / "ts_ct3mm.seg.nrrd") in values["files"]


@pytest.mark.weights
def test_a_replay_makes_the_same_masks_and_tells_when_it_does_not(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    assert segment(volume, prompts(CLICK, name="Spleen"), tmp_path / "out") == 0
    provenance = tmp_path / "out" / "ts_ct3mm.provenance.json"
    command = ["replay", str(provenance), str(volume), "--out", str(tmp_path / "again"), "--json"]
    capsys.readouterr()
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True
    first, again = (array(tmp_path / folder / "ts_ct3mm.nii.gz") for folder in ("out", "again"))
    np.testing.assert_array_equal(first, again)
    other = volume.with_name("ts_mr3mm.nii.gz")
    assert main(["replay", str(provenance), str(other)]) == 3


@pytest.mark.weights
def test_a_second_run_finds_the_slice_in_the_cache(home_with_weights, volume, prompts, tmp_path, capsys):
    segment(volume, prompts(), tmp_path / "a")
    capsys.readouterr()
    segment(volume, prompts(), tmp_path / "b", "--json")
    assert json.loads(capsys.readouterr().out)["slices"][0]["encoding"] == "disk"
    np.testing.assert_array_equal(*(array(tmp_path / each / "ts_ct3mm.nii.gz") for each in "ab"))


@pytest.mark.weights
def test_results_that_are_there_are_refused_numbered_or_replaced(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    assert segment(volume, prompts(), tmp_path / "out") == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert segment(volume, prompts(), tmp_path / "out") == 6
    assert "exists already" in capsys.readouterr().err
    assert before == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert segment(volume, prompts(), tmp_path / "out", "--number") == 0
    assert "ts_ct3mm-2.seg.nrrd" in names_in(tmp_path / "out")
    assert segment(volume, prompts(), tmp_path / "out", "--overwrite") == 0
    assert (tmp_path / "out" / "ts_ct3mm.csv").stat().st_mtime_ns > before["ts_ct3mm.csv"]


@pytest.mark.weights
def test_the_text_says_what_was_found_and_written(home_with_weights, volume, prompts, tmp_path, capsys):
    assert segment(volume, prompts(), tmp_path / "out", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("Bladder  axial 18      confidence 0.")
    assert f"wrote {tmp_path / 'out' / 'ts_ct3mm.seg.nrrd'}" in captured.out


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_volume_that_cannot_be_read_is_exit_code_3(
    home_with_weights, volume, prompts, tmp_path, capsys, content
):
    damaged = tmp_path / volume.name
    damaged.write_bytes(volume.read_bytes()[:100_000] if content is None else content)
    assert segment(damaged, prompts(), tmp_path / "out") == 3
    assert capsys.readouterr().err.startswith("samunet: ")
    assert not (tmp_path / "out").exists()


def test_a_missing_volume_is_exit_code_3(home_with_weights, prompts, tmp_path, capsys):
    assert segment(tmp_path / "absent.nrrd", prompts(), tmp_path / "out") == 3
    assert "absent.nrrd" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("kind", ["loop", "long", "bytes", "complex"])
def test_a_volume_that_cannot_be_named_or_used_is_one_sentence(volume, prompts, tmp_path, capfd, kind):
    path = tmp_path / {"loop": "loop.nii", "long": "x" * 256 + ".nii", "bytes": os.fsdecode(b"\xe4.nii")}.get(
        kind, "complex.nrrd"
    )
    if kind == "loop":
        path.symlink_to(path)
    elif kind == "bytes":
        path.write_bytes(volume.read_bytes())
    elif kind == "complex":
        header = "NRRD0004\ntype: float\ndimension: 4\nsizes: 2 2 2 2\nkinds: complex space space space\n"
        geometry = "space: left-posterior-superior\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\n"
        path.write_bytes(f"{header}{geometry}endian: little\nencoding: raw\n\n".encode() + bytes(64))
    assert segment(path, prompts(), tmp_path / "out") == 3
    (sentence,) = capfd.readouterr().err.splitlines()
    assert sentence.startswith("samunet: ") and sentence.endswith(".")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["x" * 256, os.fsdecode(b"\xe4"), "file/out"])
def test_a_folder_of_results_that_cannot_be_is_refused_before_anything_is_read(
    prompts, tmp_path, capfd, name
):
    (tmp_path / "file").touch()
    assert segment(tmp_path / "absent.nrrd", prompts(), tmp_path / name) == 6
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "choose another folder" in sentence


def test_a_prompt_outside_the_volume_is_exit_code_4_and_writes_nothing(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    outside = {"plane": {"axis": "K", "index": 18}, "points": [{"ijk": [500, 20, 18], "label": 1}]}
    assert segment(volume, prompts(outside), tmp_path / "out") == 4
    assert "planes[0].points[0] lies outside the image" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_invalid_prompts_file_is_exit_code_4(volume, tmp_path, capsys):
    (tmp_path / "p.json").write_text('{"version": 1}')
    assert segment(volume, tmp_path / "p.json", tmp_path / "out") == 4
    assert "p.json.segments is missing" in capsys.readouterr().err


def test_absent_weights_are_exit_code_5_with_the_command_that_gets_them(volume, prompts, tmp_path, capsys):
    assert segment(volume, prompts(), tmp_path / "out", "--model", "litemedsam") == 5
    assert "samunet models get litemedsam" in capsys.readouterr().err


def test_weights_that_are_none_are_exit_code_5(volume, prompts, tmp_path, capsys):
    (tmp_path / "own.pth").write_bytes(b"junk")
    assert segment(volume, prompts(), tmp_path / "out", "--weights", str(tmp_path / "own.pth")) == 5
    assert "own.pth" in capsys.readouterr().err


@pytest.mark.weights
def test_an_output_that_cannot_be_a_folder_is_exit_code_6(
    home_with_weights, volume, prompts, tmp_path, capsys
):
    (tmp_path / "out").write_text("a file")
    assert segment(volume, prompts(), tmp_path / "out") == 6
    assert capsys.readouterr().err.startswith("samunet: ")
    assert (tmp_path / "out").read_text() == "a file"


def test_an_unknown_device_is_exit_code_7(home_with_weights, volume, prompts, tmp_path, capsys):
    arguments = ["segment", str(volume), "--prompts", str(prompts()), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--device", "cuda:99"]) == 7
    assert "cuda:99" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{}", '{"format": "SAMUNetSlicer provenance", "version": 1}'])
def test_a_damaged_provenance_file_is_exit_code_3(volume, tmp_path, capsys, content):
    (tmp_path / "p.json").write_text(content)
    assert main(["replay", str(tmp_path / "p.json"), str(volume)]) == 3
    assert capsys.readouterr().err.startswith("samunet: ")


def test_a_read_only_cache_does_not_stop_the_work(home_with_weights, volume, prompts, tmp_path):
    (home_with_weights / "cache").write_text("a file where the folder should be")
    assert segment(volume, prompts(), tmp_path / "out") == 0
