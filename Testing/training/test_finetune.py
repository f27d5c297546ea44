import numpy as np
import pytest
import torch

from SAMUNetSlicerLib.engine.models import CompactModel
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.training.learning import fine_tuning
from training.corpora import compact_card, disc_pair, tiny_network

SLICE = WindowSetting("slice")


def _volume(slices=8):
    pairs = [disc_pair(x=30 + i) for i in range(slices)]
    return np.stack([image.astype(np.int16) * 8 for image, _ in pairs]), np.stack(
        [labels for _, labels in pairs]
    )


def test_only_segmented_slices_become_training_pairs():
    volume, labels = _volume()
    labels[0] = 0
    pairs = fine_tuning.labeled_slices(volume, labels, SLICE)
    assert len(pairs) == 7
    image, label = pairs[0]
    assert image.dtype == np.uint8
    assert (image.min(), image.max()) == (0, 255)
    assert np.array_equal(label, labels[1])


def test_a_segmentation_of_another_size_is_refused():
    volume, labels = _volume()
    with pytest.raises(InputError, match="differ in size"):
        fine_tuning.labeled_slices(volume, labels[:, 1:], SLICE)


def test_too_few_slices_are_refused_with_the_number_needed():
    volume, labels = _volume(4)
    with pytest.raises(InputError, match="Only 4 slices"):
        fine_tuning.labeled_slices(volume, labels, SLICE)


def test_the_held_out_slices_are_neighbors_and_not_trained_on():
    pairs = list(range(10))
    training, held_out = fine_tuning.hold_out(pairs)
    assert held_out == [4, 5]
    assert training == [0, 1, 2, 3, 6, 7, 8, 9]


def _finetuned(tmp_path, monkeypatch, scores):
    """Fine-tune a small network for two steps with the given scores before and after."""
    torch.manual_seed(0)
    network = tiny_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    given = iter(scores)
    monkeypatch.setattr(fine_tuning, "score", lambda _model, _pairs: next(given))
    pairs = fine_tuning.labeled_slices(*_volume(), SLICE)
    outcome = fine_tuning.finetune(
        network, lambda n: CompactModel(n, compact_card(), "k"), pairs, tmp_path, lambda _: None, steps=2
    )
    changed = [n for n, tensor in network.state_dict().items() if not torch.equal(tensor, before[n])]
    return outcome, changed


def test_better_weights_are_kept_and_the_transformer_is_untouched(tmp_path, monkeypatch):
    outcome, changed = _finetuned(tmp_path, monkeypatch, (0.6, 0.7))
    assert outcome.better
    assert any(name.startswith("mask_decoder.") for name in changed)
    assert not any(name.startswith("image_encoder.") for name in changed)


def test_worse_weights_are_undone(tmp_path, monkeypatch):
    outcome, changed = _finetuned(tmp_path, monkeypatch, (0.7, 0.7))
    assert not outcome.better
    assert not changed


def test_the_score_is_the_mean_of_box_and_click_over_structures():
    model = CompactModel(tiny_network().eval(), compact_card(), "k")
    pairs = fine_tuning.labeled_slices(*_volume(5), SLICE)
    assert 0 <= fine_tuning.score(model, pairs[:1]) <= 1
    with pytest.raises(InputError, match="no structure large enough"):
        fine_tuning.score(model, [(pairs[0][0], np.zeros((80, 80), np.int32))])
