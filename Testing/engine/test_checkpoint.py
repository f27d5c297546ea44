"""Weights files of every origin: read when they are sound, refused in one sentence when not."""

import argparse
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from SAMUNetSlicerLib.engine.models import file_sha256, load_weights, read_state_dict, samunet_architecture
from SAMUNetSlicerLib.engine.networks import RES34, RES50, CompactSAMUNet, SAMUNet
from SAMUNetSlicerLib.errors import WeightsError


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1))


def after_one_step(optimizer_type):
    """A network and its optimizer, which has seen one batch."""
    network = small_network()
    optimizer = optimizer_type(network.parameters(), lr=1e-3)
    network(torch.ones(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    return network, optimizer


def assert_same(read, network):
    expected = network.state_dict()
    assert read.keys() == expected.keys()
    assert all(torch.equal(read[key], expected[key]) for key in expected)


@pytest.mark.parametrize("optimizer_type", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD])
def test_a_training_checkpoint_with_its_optimizer_object_is_read(tmp_path, optimizer_type):
    network, optimizer = after_one_step(optimizer_type)
    path = tmp_path / "epoch3_sam_unet.pth"
    torch.save({"model": network.state_dict(), "optimizer": optimizer}, path)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    assert_same(read_state_dict(path), network)


def test_what_training_programs_save_beside_the_weights_is_passed_over(tmp_path):
    network, optimizer = after_one_step(torch.optim.Adam)
    companions = {
        "epoch": 7,
        "model": "SAM-UNet",
        "best_dice": np.float64(0.8),
        "args": argparse.Namespace(lr=1e-4),
        "optimizer": optimizer.state_dict(),
    }
    path = tmp_path / "checkpoint.pt"
    torch.save({**companions, "state_dict": network.state_dict()}, path)
    assert_same(read_state_dict(path), network)


def test_the_names_of_distributed_training_are_stripped(tmp_path):
    network = small_network()
    path = tmp_path / "ddp.pth"
    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, path)
    assert_same(read_state_dict(path), network)


def test_a_bare_state_dict_in_the_old_file_format_is_read(tmp_path):
    network = small_network()
    path = tmp_path / "old.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    assert_same(read_state_dict(path), network)


def test_safetensors_are_read(tmp_path):
    network = small_network()
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path)
    assert_same(read_state_dict(path), network)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(tmp_path, dtype):
    halved = small_network().to(dtype)
    path = tmp_path / "half.pth"
    torch.save(halved.state_dict(), path)
    read = read_state_dict(path)
    assert read["0.weight"].dtype == torch.float32
    assert read["1.num_batches_tracked"].dtype == torch.int64
    assert torch.equal(read["3.weight"], halved[3].weight.float())


class Payload:
    """Creates a file when it is unpickled without restrictions."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_malicious_file_is_refused_and_its_code_does_not_run(tmp_path, new_format):
    trace = tmp_path / "executed"
    path = tmp_path / "sam_unet.pth"
    content = {"model": small_network().state_dict(), "optimizer": Payload(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(WeightsError, match="contains code"):
        read_state_dict(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the payload is a real one"


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_malicious_plain_pickle_is_refused_and_its_code_does_not_run(tmp_path, protocol):
    trace = tmp_path / "executed"
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"model": Payload(trace)}, protocol))
    with pytest.raises(WeightsError, match=r"contains code|no checkpoint"):
        read_state_dict(path)
    assert not trace.exists()


def test_the_refusal_names_the_code(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"model": Payload(tmp_path / "executed")}, path)
    with pytest.raises(WeightsError, match=r"\((posix|nt)\.mkdir\)"):
        read_state_dict(path)


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    state = small_network().state_dict()
    torch.save(state, folder / "new.pth")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, folder / "plain.safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(deadline=None, max_examples=60)
@given(name=st.sampled_from(["new.pth", "old.pth", "plain.safetensors"]), share=st.floats(0, 0.999))
def test_a_file_cut_anywhere_is_refused_in_one_sentence(tmp_path_factory, sound_files, name, share):
    content = sound_files[name]
    path = tmp_path_factory.mktemp("cut") / name
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(WeightsError, match=r"empty|damaged") as caught:
        read_state_dict(path)
    assert str(caught.value).count("\n") == 0


@settings(deadline=None, max_examples=60)
@given(content=st.binary(min_size=1, max_size=200), suffix=st.sampled_from([".pth", ".safetensors"]))
def test_a_file_of_anything_is_refused_in_one_sentence(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("anything") / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"damaged|holds no|contains code"):
        read_state_dict(path)


def test_a_zip_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "slides.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("slides.txt", "not weights")
    with pytest.raises(WeightsError, match="no checkpoint"):
        read_state_dict(path)


def test_a_compressed_archive_that_stands_for_very_many_bytes_is_refused_unopened(
    tmp_path, sound_files, monkeypatch
):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(io.BytesIO(sound_files["new.pth"])) as sound:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
            for member in sound.infolist():
                bomb.writestr(member.filename, sound.read(member))
            bomb.writestr("archive/data/99", bytes(1 << 24))
    monkeypatch.delattr(torch, "load")
    with pytest.raises(WeightsError, match="no checkpoint"):
        read_state_dict(path)


class Zeros:
    """A number of zeros, which takes a few bytes in a pickle."""

    def __init__(self, size):
        self.size = size

    def __reduce__(self):
        return bytearray, (self.size,)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_pickle_that_makes_very_many_bytes_of_few_is_refused_unopened(tmp_path, new_format):
    path = tmp_path / "bomb.pth"
    content = {"model": small_network().state_dict(), "note": Zeros(1 << 40)}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(WeightsError, match="contains code"):
        read_state_dict(path)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(1, dtype=torch.float16).expand(1 << 40),
        torch.zeros(3, dtype=torch.complex64),
        torch.zeros(3).to_sparse(),
        torch.zeros(3, device="meta"),
    ],
    ids=["repeated", "complex", "sparse", "meta"],
)
def test_weights_that_are_no_plain_numbers_are_refused(tmp_path, tensor):
    path = tmp_path / "odd.pth"
    torch.save({"weight": tensor}, path)
    with pytest.raises(WeightsError, match=r"no network here uses \(weight\)"):
        read_state_dict(path)


@pytest.mark.parametrize("kind", ["F4", "F6_E2M3", "F8_E4M3", "C64", "Q9"])
def test_safetensors_of_other_number_formats_are_refused(tmp_path, kind):
    path = tmp_path / "odd.safetensors"
    size = {"F4": 4, "F6_E2M3": 6, "C64": 64}.get(kind, 8)
    header = json.dumps({"a": {"dtype": kind, "shape": [8], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(WeightsError, match=r"no network here uses|no checkpoint"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], {"model": {}}, torch.ones(3), {1: torch.ones(3)}])
def test_a_checkpoint_without_weights_is_refused(tmp_path, content):
    path = tmp_path / "numbers.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="holds no network weights"):
        read_state_dict(path)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path):
    for path in (tmp_path / "absent.pth", tmp_path):
        with pytest.raises(WeightsError, match="no weights file"):
            read_state_dict(path)
        with pytest.raises(WeightsError, match="no weights file"):
            file_sha256(path)


def test_weights_become_the_parameters_of_a_network_without_memory():
    with torch.device("meta"):
        network = small_network()
    state = small_network().state_dict()
    load_weights(network, state, "weights.pth")
    assert_same(network.state_dict(), small_network())


def test_keys_of_another_network_are_listed():
    state = small_network().state_dict()
    state["5.weight"] = state.pop("0.weight")
    state["3.bias"] = torch.zeros(4)
    with pytest.raises(WeightsError) as caught:
        load_weights(small_network(), state, "weights.pth")
    sentence = str(caught.value)
    assert "weights.pth belongs to another network" in sentence
    assert "1 key is missing (0.weight)" in sentence
    assert "1 key is unexpected (5.weight)" in sentence
    assert "1 key is of another shape (3.bias (4,) instead of (1,))" in sentence


def test_many_keys_are_abbreviated():
    with pytest.raises(WeightsError, match=r"9 keys are missing \(0.weight, 0.bias, 1.weight and 6 more\)"):
        load_weights(small_network(), {"a": torch.zeros(1)}, "weights.pth")


def test_keys_that_a_network_is_known_not_to_use_are_ignored():
    state = {**small_network().state_dict(), "head.weight": torch.zeros(1)}
    network = small_network()
    load_weights(network, state, "weights.pth", unused=("head.",))
    assert_same(network.state_dict(), small_network())


@pytest.mark.parametrize(
    ("build", "architecture"),
    [
        (lambda: SAMUNet(RES34), "samunet_res34"),
        (lambda: SAMUNet(RES50), "samunet_res50"),
        (CompactSAMUNet, "samunet_compact"),
        (small_network, None),
    ],
)
def test_weights_of_a_samunet_tell_which_one_they_are(build, architecture):
    with torch.device("meta"):
        weights = build().state_dict()
    assert samunet_architecture(weights) == architecture


def test_a_torch_that_cannot_unpickle_safely_reads_safetensors_only(tmp_path, monkeypatch):
    pickled, plain = tmp_path / "weights.pth", tmp_path / "weights.safetensors"
    torch.save(small_network().state_dict(), pickled)
    save_file(small_network().state_dict(), plain)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cu124")
    with pytest.raises(WeightsError, match=r"torch 2\.5\.1\+cu124 cannot read .*weights\.pth safely: update"):
        read_state_dict(pickled)
    assert read_state_dict(plain).keys() == small_network().state_dict().keys()
