import csv

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from SAMUNetSlicerLib.errors import WeightsError
from SAMUNetSlicerLib.training.data import ExampleOptions, Examples
from SAMUNetSlicerLib.training.learning import (
    CHECKPOINT,
    LOG,
    Trainer,
    TrainOptions,
    averaged_weights,
    mixed,
    shifted,
)
from training.corpora import disc_pair, tiny_network

OPTIONS = TrainOptions(steps=4, warm_up=1, rate=1e-3, pretrained_rate=1e-3)


def batches():
    stream = Examples([disc_pair()], np.ones(1), ExampleOptions(64, targets=2, synthetic=0.5), seed=1)
    return list(zip(range(4), DataLoader(stream, batch_size=2)))


def fresh_network():
    torch.manual_seed(0)
    return tiny_network()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of four steps: (folder, weights before, trainer)."""
    folder = tmp_path_factory.mktemp("run")
    network = fresh_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trainer = Trainer(network, folder, OPTIONS)
    trainer.run([batch for _, batch in batches()], lambda _: None, every=2)
    return folder, before, trainer


def _changed(before, after, prefix):
    return [n for n in before if n.startswith(prefix) and not torch.equal(before[n], after[n])]


def test_the_transformer_keeps_its_weights_and_statistics(finished):
    _, before, trainer = finished
    assert not _changed(before, trainer.network.state_dict(), "image_encoder.")


@pytest.mark.parametrize(
    "part", ["resnet.", "adapters_in.", "adapters_bridge.", "mask_decoder.", "embedding_", "detail_"]
)
def test_every_other_part_learns(finished, part):
    _, before, trainer = finished
    assert _changed(before, trainer.network.state_dict(), part)


def test_the_log_has_one_line_per_interval(finished):
    with open(finished[0] / LOG, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["step"] for line in lines] == ["2", "4"]
    assert all(np.isfinite(float(line["loss"])) for line in lines)


def test_the_averaged_weights_are_complete_and_differ_from_the_last(finished):
    folder, before, trainer = finished
    averaged = averaged_weights(folder)
    assert averaged.keys() == before.keys()
    assert _changed(averaged, trainer.network.state_dict(), "mask_decoder.")


def test_an_interrupted_run_ends_as_an_uninterrupted_one(finished, tmp_path):
    data = [batch for _, batch in batches()]
    Trainer(fresh_network(), tmp_path, OPTIONS).run(data[:2], lambda _: None)
    continued = Trainer(fresh_network(), tmp_path, OPTIONS)
    assert continued.step == 2
    continued.run(data[2:], lambda _: None)
    expected = finished[2].network.state_dict()
    for name, tensor in continued.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_a_finished_run_is_not_trained_further(finished):
    again = Trainer(fresh_network(), finished[0], OPTIONS)
    again.run([batch for _, batch in batches()], lambda _: None)
    assert again.step == 4


def test_the_rate_warms_up_and_falls_to_nothing(tmp_path):
    trainer = Trainer(fresh_network(), tmp_path, TrainOptions(steps=100, warm_up=10))
    rates = []
    for trainer.step in range(101):
        trainer._set_rates()
        rates.append(trainer._optimizer.param_groups[1]["lr"])
    assert rates[0] < rates[9]
    assert np.argmax(rates) in (9, 10)
    assert rates[100] == pytest.approx(0, abs=1e-12)


def test_a_checkpoint_of_another_network_is_refused_with_its_folder(tmp_path):
    torch.save({"model": {"unknown": torch.ones(1)}}, tmp_path / CHECKPOINT)
    with pytest.raises(WeightsError, match="choose another folder"):
        Trainer(fresh_network(), tmp_path, OPTIONS)


def test_mixing_goes_back_towards_the_start_in_the_pretrained_parts_alone(finished):
    folder, before, _ = finished
    after = averaged_weights(folder)
    half = mixed(before, after, 0.5)
    name = "mask_decoder.med_token.weight"
    assert torch.allclose(half[name], (before[name] + after[name]) / 2)
    for name in ("resnet.stage1.0.conv1.weight", "mask_decoder.refinement.0.weight"):
        assert torch.equal(half[name], after[name])
    assert all(torch.equal(tensor, after[name]) for name, tensor in mixed(before, after, 0).items())


def test_a_shift_makes_all_logits_larger():
    weights = fresh_network().state_dict()
    logits = []
    for each in (weights, shifted(weights, 0.5)):
        network = fresh_network().eval()
        network.load_state_dict(each)
        with torch.inference_mode():
            encoded = network.encode_image(torch.zeros(1, 3, 64, 64))
            logits.append(network.decode_prompts(*encoded, boxes=torch.tensor([[4.0, 5, 40, 50]])))
    assert torch.allclose(logits[1], logits[0] + 0.5, atol=1e-5)


def test_the_last_steps_are_logged_too(tmp_path):
    Trainer(fresh_network(), tmp_path, OPTIONS).run(
        [batch for _, batch in batches()], lambda _: None, every=3
    )
    with open(tmp_path / LOG, newline="", encoding="utf-8") as file:
        assert [line["step"] for line in csv.DictReader(file)] == ["3", "4"]


@pytest.mark.parametrize(
    ("thaw", "changed", "kept"),
    [("last", ("layers.3", "neck"), ("patch_embed", "layers.0", "layers.2")), ("all", ("patch_embed",), ())],
)
def test_the_transformer_thaws_as_far_as_wished(tmp_path, thaw, changed, kept):
    network = fresh_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    options = TrainOptions(steps=2, warm_up=1, pretrained_rate=1e-3, thaw=thaw)
    Trainer(network, tmp_path, options).run([batch for _, batch in batches()], lambda _: None)
    after = network.state_dict()
    assert all(_changed(before, after, f"image_encoder.{part}") for part in changed)
    assert not any(_changed(before, after, f"image_encoder.{part}") for part in kept)


def test_a_teacher_is_asked_about_boxes_alone_and_changes_what_is_learned(tmp_path):
    asked = []

    def teacher(images, targets):
        asked.append((images.shape, targets.shape))
        return 1 - targets.flatten(0, 1)

    networks = []
    for name, one in (("taught", teacher), ("alone", None)):
        trainer = Trainer(fresh_network(), tmp_path / name, OPTIONS, teacher=one)
        trainer.run([batch for _, batch in batches()], lambda _: None)
        networks.append(trainer.network.state_dict())
    assert 0 < len(asked) < 5
    assert asked[0] == ((2, 3, 64, 64), (2, 1, 32, 32))
    assert _changed(*networks, "mask_decoder.")
