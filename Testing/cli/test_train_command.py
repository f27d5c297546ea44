"""The whole of training on the command line, with random weights and two steps."""

import json

import pytest
import torch

from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.engine.models import read_state_dict
from SAMUNetSlicerLib.engine.networks import CompactSAMUNet, build_sam_network, compact_config
from training.corpora import write_corpus


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A file with the names and shapes of MobileSAM's weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("start") / "mobile_sam.pt"
    torch.save(build_sam_network("tiny_vit_sam", 1024, {}).state_dict(), path)
    return path


def _arguments(data, output, start, *more):
    where = ["--data", str(data), "--output", str(output), "--start", str(start)]
    return ["train", *where, "--batch-size", "1", "--targets", "2", "--device", "cpu", *more]


def test_a_run_leaves_weights_that_the_product_loads_and_says_what_they_were_made_of(tmp_path, start, capsys):
    data = write_corpus(tmp_path / "data")
    assert main(_arguments(data, tmp_path / "run", start, "--steps", "2", "--json")) == 0
    weights = json.loads(capsys.readouterr().out)["weights"]
    tensors = read_state_dict(weights)
    assert compact_config(tensors).quality
    CompactSAMUNet(compact_config(tensors)).load_state_dict(tensors)
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text(encoding="utf-8"))
    (source,) = provenance["sources"]
    assert (source["source"], source["licence"]) == ("Discs", "CC0-1.0")
    assert provenance["options"]["steps"] == 2


def test_a_run_may_start_from_a_compact_sam_unet_or_from_nothing(tmp_path, start, capsys):
    data = write_corpus(tmp_path / "data")
    assert main(_arguments(data, tmp_path / "new", "none", "--steps", "1", "--json")) == 0
    weights = json.loads(capsys.readouterr().out)["weights"]
    assert main(_arguments(data, tmp_path / "on", weights, "--steps", "1", "--rate", "0", "--keep", "1")) == 0
    before, after = (read_state_dict(tmp_path / run / "samunet_compact.safetensors") for run in ("new", "on"))
    for name in ("image_encoder.neck.0.weight", "resnet.stage0.0.weight"):
        assert torch.allclose(before[name], after[name], atol=1e-3), name


def test_prompt_encoder_and_decoder_may_come_from_another_sam(tmp_path, start):
    data = write_corpus(tmp_path / "data")
    other = {name: tensor + 1 for name, tensor in torch.load(start).items()}
    torch.save(other, tmp_path / "other.pt")
    options = ["--decoder", str(tmp_path / "other.pt"), "--steps", "1", "--keep", "1"]
    assert main(_arguments(data, tmp_path / "run", start, *options)) == 0
    result = read_state_dict(tmp_path / "run" / "samunet_compact.safetensors")
    name = "mask_decoder.output_upscaling.0.weight"
    assert torch.allclose(result[name], other[name], atol=1e-2)
    name = "image_encoder.neck.0.weight"
    assert torch.allclose(result[name], torch.load(start)[name], atol=1e-2)


def test_sources_with_an_excluded_license_never_enter(tmp_path, start, capsys):
    data = write_corpus(tmp_path / "data", license="GPL-3.0 (uploader)")
    assert main(_arguments(data, tmp_path / "run", start, "--steps", "1")) == 3
    assert "licenses" in capsys.readouterr().err


def test_a_run_without_an_end_is_refused(tmp_path, start, capsys):
    assert main(_arguments(tmp_path, tmp_path / "run", start)) == 3
    assert "--steps" in capsys.readouterr().err


def test_without_mobilesam_the_user_is_told_how_to_get_it(tmp_path, capsys):
    where = ["--data", str(tmp_path), "--output", str(tmp_path / "run")]
    assert main(["train", *where, "--steps", "1"]) == 5
    assert "samunet models get mobilesam" in capsys.readouterr().err
