"""``samunet demo``: what a visitor sees first holds what it says."""

import json

import pytest
from PIL import Image

from SAMUNetSlicerLib.cli.main import main


@pytest.mark.long
@pytest.mark.weights
def test_the_demo_finds_the_organs_again_from_the_cache_and_shows_them(home_with_weights, tmp_path, capsys):
    out = tmp_path / "demo"
    arguments = ["demo", "--out", str(out), "--model", "litemedsam", "--device", "cpu", "--json"]
    assert main(arguments) == 0
    values = json.loads(capsys.readouterr().out)
    slices = values["slices"]
    assert len(slices) == 8
    assert all(each["Dice"] > 0.7 for each in slices)
    assert {each["prompt"] for each in slices} == {"box", "click"}
    assert {each["slice"].split()[0] for each in slices} == {"axial", "coronal", "sagittal", "oblique"}
    assert all(each["again"] in ("disk", "memory") for each in slices)
    for picture in values["pictures"]:
        with Image.open(picture) as image:
            assert min(image.size) > 300
    for ending in (".seg.nrrd", ".nii.gz", ".csv", ".provenance.json", ".prompts.json"):
        assert (out / f"ts_ct3mm{ending}").is_file()
        assert (out / f"ts_ct512{ending}").is_file()


@pytest.mark.long
def test_the_demo_needs_no_download(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "demo"), "--device", "cpu", "--json"]) == 0
    dice = [each["Dice"] for each in json.loads(capsys.readouterr().out)["slices"]]
    assert min(dice) > 0.7
    assert sum(dice) / len(dice) > 0.9


def test_without_the_sample_data_the_demo_says_where_they_are(home_with_weights, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "demo"), "--data", str(tmp_path)]) == 3
    assert "checkout of the sources" in capsys.readouterr().err
