"""From a card and a file to a model: the right file, the right network, or one clear sentence."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from engine.phantom import phantom
from engine.sam_networks import small_card, small_network
from SAMUNetSlicerLib.engine.models import (
    Source,
    cards,
    file_sha256,
    load_catalog,
    load_model,
    loader,
    weights_path,
)
from SAMUNetSlicerLib.engine.networks import RES34, RES50, SAMUNet
from SAMUNetSlicerLib.errors import EngineError, WeightsError


@pytest.fixture
def small_file(tmp_path):
    path = tmp_path / "small.pth"
    torch.save(small_network().state_dict(), path)
    return path


def test_a_model_is_loaded_and_encodes(small_file):
    model = load_model(small_card(), small_file, "cpu", "fp32")
    embedding = model.encode([phantom(64, 64)])[0]
    assert embedding.tensors[0].shape == (1, 256, 16, 16)
    assert model.placement == ("cpu", "fp32")


def test_the_key_tells_models_weights_and_preprocessing_apart(small_file, tmp_path, monkeypatch):
    key = load_model(small_card(), small_file, "cpu", "fp32").model_key
    assert file_sha256(small_file)[:16] in key
    other_file = tmp_path / "other.pth"
    torch.save(small_network(seed=1).state_dict(), other_file)
    other_card = replace(small_card(), id="renamed")
    keys = {
        key,
        load_model(small_card(), other_file, "cpu", "fp32").model_key,
        load_model(other_card, small_file, "cpu", "fp32").model_key,
    }
    monkeypatch.setattr(loader, "FRAMING_VERSION", 99)
    keys.add(load_model(small_card(), small_file, "cpu", "fp32").model_key)
    assert len(keys) == 4


def test_the_same_weights_in_another_format_give_the_same_model(small_file, tmp_path):
    other = tmp_path / "small.safetensors"
    save_file(small_network().state_dict(), other)
    models = [load_model(small_card(), path, "cpu", "fp32") for path in (small_file, other)]
    first, second = (model.encode([phantom(64, 48)])[0].tensors[0] for model in models)
    assert torch.equal(first, second)


def test_a_file_with_another_sum_than_the_cards_is_refused_unread(small_file):
    card = replace(small_card(), sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"damaged or not the published one of Small SAM.*remove it"):
        load_model(card, small_file, "cpu", "fp32")
    card = replace(card, sha256=file_sha256(small_file))
    assert load_model(card, small_file, "cpu", "fp32").model_id == "small"


def test_missing_keys_are_reported_with_the_files_name(small_file):
    state = torch.load(small_file)
    del state["image_encoder.neck.0.weight"]
    torch.save(state, small_file)
    with pytest.raises(WeightsError, match=r"small.pth .*1 key is missing \(image_encoder.neck.0.weight\)"):
        load_model(small_card(), small_file, "cpu", "fp32")


def test_the_classifier_in_mobilesams_file_is_passed_over(small_file):
    state = torch.load(small_file)
    state["image_encoder.head.weight"] = torch.zeros(1000, 320)
    state["image_encoder.norm_head.bias"] = torch.zeros(320)
    torch.save(state, small_file)
    assert load_model(small_card(), small_file, "cpu", "fp32").model_id == "small"


SMALL_SAMUNET = {
    "image_size": 64,
    "vit_width": 32,
    "vit_depth": 4,
    "vit_heads": 2,
    "vit_global_blocks": (0, 1, 2, 3),
    "resnet_blocks": (1, 1, 1, 1),
    "resnet_width": 8,
    "prompt_width": 32,
    "decoder_mlp": 32,
    "bridge_width": 16,
}


@pytest.mark.parametrize(("preset", "model_id"), [(RES34, "samunet_res34"), (RES50, "samunet_res50")])
@pytest.mark.parametrize("chosen", ["samunet_res34", "samunet_res50"])
def test_weights_of_a_samunet_decide_between_its_resnets(tmp_path, preset, model_id, chosen):
    path = tmp_path / "epoch12_sam_unet.pth"
    network = SAMUNet(replace(preset, **SMALL_SAMUNET))
    optimizer = torch.optim.Adam(network.parameters())
    torch.save({"model": network.state_dict(), "optimizer": optimizer}, path)
    published = load_catalog().get(chosen)
    card = replace(published, config=SMALL_SAMUNET, input=replace(published.input, size=64))
    model = load_model(card, path, "cpu", "fp32")
    assert model.model_id == model_id
    assert model.model_key.startswith(model_id)
    assert model.encode([phantom(50, 64)])[0].tensors[0].shape == (1, 32, 4, 4)


def test_weights_of_another_network_are_refused_for_a_samunet(small_file):
    with pytest.raises(WeightsError, match=r"small.pth belongs to another network.*keys are missing"):
        load_model(load_catalog().get("samunet_res34"), small_file, "cpu", "fp32")


def test_a_device_or_precision_that_does_not_exist_is_refused(small_file):
    with pytest.raises(EngineError, match="device 'cuda:17' is not available"):
        load_model(small_card(), small_file, "cuda:17")
    with pytest.raises(EngineError, match="precision 'fp8' is unknown"):
        load_model(small_card(), small_file, "cpu", "fp8")


def test_weights_are_found_in_the_folder_or_with_the_product(tmp_path, monkeypatch):
    card = small_card()
    assert weights_path(card, tmp_path) is None
    (tmp_path / card.file).write_bytes(b"downloaded")
    assert weights_path(card, tmp_path) == tmp_path / card.file
    engine = tmp_path / "engine"
    (engine / "weights").mkdir(parents=True)
    (engine / "weights" / "small.safetensors").write_bytes(b"bundled")
    monkeypatch.setattr(cards, "ENGINE_FOLDER", engine)
    bundled = replace(card, sources=(Source("bundled", file="weights/small.safetensors"),))
    assert weights_path(bundled, tmp_path) == engine / "weights" / "small.safetensors"
