"""The whole of evaluation and fine-tuning on the command line, with a network of random weights."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from PIL import Image

from SAMUNetSlicerLib.app.common import homeFolder, weightsFolder
from SAMUNetSlicerLib.app.models import catalog, registerModel
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.engine.networks import CompactSAMUNet
from SAMUNetSlicerLib.training.data import read_manifest, split_by_patient
from SAMUNetSlicerLib.training.learning import fine_tuning, save_half
from SAMUNetSlicerLib.training.measuring import read_rows
from training.corpora import compact_card, disc_pair, write_corpus


@pytest.fixture
def model(private_home):
    """A compact SAM-UNet with random weights, registered as the user's own."""
    torch.manual_seed(0)
    card = compact_card(size=448)
    weightsFolder().mkdir(parents=True)
    network = CompactSAMUNet()
    network.start_as_sam()
    save_half(network.state_dict(), weightsFolder() / card.file)
    registerModel(card.to_json())
    return card.id


def test_an_evaluation_leaves_tables_plots_and_the_worst_cases(tmp_path, model, capsys):
    data = write_corpus(tmp_path / "data", patients=1)
    output = tmp_path / "report"
    arguments = ["--data", str(data), "--output", str(output), "--model", model, "--per-image", "1"]
    assert main(["evaluate", *arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)[model]
    assert 0 <= figures["Dice, box exact"] <= 1
    assert 1 <= figures["NoC@85%"] <= 20
    written = {path.name for path in output.iterdir()}
    assert written == {"answers.csv", "report.md", "clicks.png", "calibration.png", f"worst-{model}.png"}


def test_two_evaluations_of_the_same_model_are_equal(tmp_path, model):
    data = write_corpus(tmp_path / "data", patients=1)
    tables = []
    for name in ("first", "second"):
        arguments = ["--data", str(data), "--output", str(tmp_path / name), "--model", model]
        assert main(["evaluate", *arguments, "--per-image", "1"]) == 0
        tables.append((tmp_path / name / "answers.csv").read_text(encoding="utf-8"))
    assert tables[0] == tables[1]


def test_weights_that_are_in_no_catalog_are_measured_on_the_held_out_patients(tmp_path, model, capsys):
    data = write_corpus(tmp_path / "data", patients=30)
    weights = f"trained={weightsFolder() / catalog().get(model).file}"
    where = ["--data", str(data), "--output", str(tmp_path / "report")]
    assert main(["evaluate", *where, "--model", weights, "--held-out", "--clicks", "0", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["trained"]
    seen = {row.case.split("#")[0] for row in read_rows(tmp_path / "report" / "answers.csv")}
    held_out = split_by_patient(read_manifest(data))[1]
    assert seen == {sample.name for sample in held_out}
    assert 0 < len(held_out) < 10


def test_a_folder_laid_out_as_sa_med2d_is_measured(tmp_path, model, capsys):
    for name in ("images", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
    image, labels = disc_pair()
    stem = "ct_00--AbdomenCT1K--Case_00011--x_0041"
    Image.fromarray(image).save(tmp_path / "data" / "images" / f"{stem}.png")
    for value, name in ((1, "0002_000"), (2, "0007_000")):
        mask = np.where(labels == value, 255, 0).astype(np.uint8)
        Image.fromarray(mask).save(tmp_path / "data" / "masks" / f"{stem}--{name}.png")
    where = ["--data", str(tmp_path / "data"), "--output", str(tmp_path / "report")]
    assert main(["evaluate", *where, "--model", model, "--clicks", "1"]) == 0
    rows = read_rows(tmp_path / "report" / "answers.csv")
    assert {(row.source, row.modality, row.structure) for row in rows} == {
        ("AbdomenCT1K", "ct_00", "0002"),
        ("AbdomenCT1K", "ct_00", "0007"),
    }
    truth = {row.structure: row.fraction for row in rows}
    assert truth["0002"] == pytest.approx((labels == 1).mean(), abs=1e-5)


def test_worst_cases_can_be_drawn_without_their_images(tmp_path, model):
    data = write_corpus(tmp_path / "data", patients=1)
    shades = []
    for option in ([], ["--outlines"]):
        where = ["--data", str(data), "--output", str(tmp_path / "report")]
        assert main(["evaluate", *where, "--model", model, "--clicks", "0", *option]) == 0
        with Image.open(tmp_path / "report" / f"worst-{model}.png") as picture:
            shades.append(np.asarray(picture.convert("L")))
    dark = [(shade < 60).mean() for shade in shades]
    assert dark[0] > 0.05 > dark[1]


def test_a_model_without_weights_is_refused_with_the_way_to_get_them(tmp_path, capsys):
    data = write_corpus(tmp_path / "data", patients=1)
    arguments = ["--data", str(data), "--output", str(tmp_path / "report"), "--model", "mobilesam"]
    assert main(["evaluate", *arguments]) == 5
    assert "samunet models get mobilesam" in capsys.readouterr().err


@pytest.fixture
def segmented(tmp_path):
    """(volume file, label map file) of six slices with a disc."""
    pairs = [disc_pair(x=30 + i) for i in range(6)]
    paths = []
    for name, stack in (("volume", [p[0] for p in pairs]), ("labels", [p[1] for p in pairs])):
        image = sitk.GetImageFromArray(np.stack(stack).astype(np.int16))
        image.SetSpacing((0.8, 0.8, 3.0))
        paths.append(tmp_path / f"{name}.nrrd")
        sitk.WriteImage(image, str(paths[-1]))
    return [str(path) for path in paths]


def _finetune(segmented, model):
    arguments = ["--name", "mine", "--model", model, "--steps", "1", "--device", "cpu", "--json"]
    return main(["finetune", *segmented, *arguments])


def test_a_better_model_is_registered_with_its_own_weights(segmented, model, monkeypatch, capsys):
    scores = iter((0.4, 0.6))
    monkeypatch.setattr(fine_tuning, "score", lambda _model, _pairs: next(scores))
    assert _finetune(segmented, model) == 0
    assert json.loads(capsys.readouterr().out) == {"before": 0.4, "after": 0.6, "kept": True}
    card = catalog().get("mine")
    assert (weightsFolder() / card.file).stat().st_size == card.size_bytes
    assert card.accuracy[0].value == 0.6
    assert not (homeFolder() / "finetuning" / "mine").exists()


def test_a_model_that_is_not_better_is_not_registered(segmented, model, monkeypatch, capsys):
    monkeypatch.setattr(fine_tuning, "score", lambda _model, _pairs: 0.5)
    assert _finetune(segmented, model) == 0
    assert not json.loads(capsys.readouterr().out)["kept"]
    assert "mine" not in catalog().cards


def test_a_model_of_another_kind_cannot_be_fine_tuned(segmented, capsys):
    assert _finetune(segmented, "litemedsam") == 3
    assert "compact SAM-UNet" in capsys.readouterr().err
