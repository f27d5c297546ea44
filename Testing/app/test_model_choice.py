"""From a model's name to what the engine loads."""

from pathlib import Path

import pytest

from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.engine.models import ModelCard, load_catalog
from SAMUNetSlicerLib.errors import InputError, WeightsError


@pytest.fixture
def installed(private_home):
    """Files under the names of two models' weights."""
    folder = private_home / "weights"
    folder.mkdir()
    for name in ("lite_medsam.pth", "mobile_sam.pt"):
        (folder / name).write_bytes(b"weights")
    return folder


def test_without_a_name_it_is_the_default_with_the_weights_the_product_brings(private_home):
    spec = modelSpec()
    assert spec.model_id == load_catalog().default
    assert Path(spec.weights).name == "samunet_compact.safetensors"
    assert spec.cache_folder == str(private_home / "cache")
    assert ModelCard.from_json(spec.card) == load_catalog().get(spec.model_id)


def test_downloaded_weights_are_found_by_the_name_of_their_model(installed):
    assert modelSpec("litemedsam").weights == str(installed / "lite_medsam.pth")


def test_choices_are_passed_on(installed, tmp_path):
    spec = modelSpec("mobilesam", tmp_path / "own.pt", "cuda:1", "fp16", tmp_path / "cache")
    assert (spec.model_id, spec.weights) == ("mobilesam", str(tmp_path / "own.pt"))
    assert (spec.device, spec.precision, spec.cache_folder) == ("cuda:1", "fp16", str(tmp_path / "cache"))


def test_an_unknown_model_is_an_input_error():
    with pytest.raises(InputError, match="no model 'unet'"):
        modelSpec("unet")


@pytest.mark.parametrize(
    ("model", "command"), [("litemedsam", "litemedsam`"), ("samunet_res50", "--from FILE`")]
)
def test_absent_weights_lead_to_the_command_that_gets_them(model, command):
    with pytest.raises(WeightsError, match=f"samunet models get .*{command}"):
        modelSpec(model)
