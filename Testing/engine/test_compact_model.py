from dataclasses import replace

import numpy as np
import pytest
import torch

from SAMUNetSlicerLib.engine.models import CompactModel, load_model, prepared
from SAMUNetSlicerLib.engine.networks import COMPACT_TINY, CompactSAMUNet
from SAMUNetSlicerLib.errors import EngineError, WeightsError
from SAMUNetSlicerLib.training.learning import save_half
from training.corpora import compact_card, disc_pair, tiny_network

IMAGE, _ = disc_pair(side=80)
NONE = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)
POINT = np.array([[[40, 40]]], np.float32), np.array([[1]])
BOX = np.array([[20, 22, 58, 60]], np.float32)


def _tiny(trained_adapters=True):
    torch.manual_seed(0)
    network = tiny_network().eval()
    if trained_adapters:
        for adapter in network.adapters_in:
            torch.nn.init.normal_(adapter[-1].weight, std=0.02)
    return network


@pytest.fixture(scope="module")
def model():
    return CompactModel(prepared(_tiny()), compact_card(), "compact-1")


def test_a_gray_and_an_rgb_image_of_other_shapes_are_encoded_in_one_call(model):
    wide = np.zeros((30, 90, 3), np.uint8)
    first, second = model.encode([IMAGE, wide])
    assert first.original_size == (80, 80)
    assert (second.original_size, second.input_size) == ((30, 90), (21, 64))
    assert [tuple(tensor.shape) for tensor in first.tensors] == [
        (1, 256, 4, 4),
        (1, 32, 16, 16),
        (1, 8, 32, 32),
    ]


def test_folding_the_normalization_away_changes_nothing(model):
    unfolded = CompactModel(_tiny(), compact_card(), "compact-1")
    for ours, theirs in zip(model.encode([IMAGE])[0].tensors, unfolded.encode([IMAGE])[0].tensors):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_prompts_are_mapped_to_the_networks_own_pixels(model):
    embedding = model.encode([IMAGE])[0]
    (decoded,) = model.decode(embedding, *POINT, BOX)
    scale = 64 / 80
    points, labels = torch.tensor(POINT[0]) * scale, torch.tensor(POINT[1])
    boxes = torch.tensor(BOX) * scale
    with torch.inference_mode():
        expected = _tiny().decode_prompts(*embedding.tensors, points, labels, boxes)[0, 0]
    assert np.allclose(decoded.low_res_logits, expected.numpy(), atol=1e-4)


def test_a_result_has_the_size_of_the_image_and_feeds_the_next_call(model):
    embedding = model.encode([IMAGE])[0]
    (first,) = model.decode(embedding, *POINT)
    (second,) = model.decode(embedding, *NONE, BOX, first.low_res_logits[None])
    assert first.mask.shape == first.logits.shape == (80, 80)
    assert first.low_res_logits.shape == (model.low_res_size, model.low_res_size) == (32, 32)
    assert np.array_equal(second.mask, second.logits > 0)
    assert first.iou is None


def test_two_boxes_give_two_masks(model):
    embedding = model.encode([IMAGE])[0]
    boxes = np.concatenate([BOX, BOX / 2])
    both = model.decode(embedding, np.zeros((2, 0, 2)), np.zeros((2, 0)), boxes)
    (second,) = model.decode(embedding, *NONE, boxes[1:])
    assert len(both) == 2
    assert np.allclose(both[1].logits, second.logits, atol=1e-4)


def test_the_embedding_of_another_model_is_refused(model):
    other = CompactModel(_tiny(), compact_card(), "compact-2")
    with pytest.raises(EngineError, match="another model"):
        model.decode(other.encode([IMAGE])[0], *POINT)


def test_half_precision_weights_load_through_the_card_and_keep_the_result(tmp_path):
    torch.manual_seed(0)
    network = CompactSAMUNet().eval()
    path = tmp_path / "compact.safetensors"
    save_half(network.state_dict(), path)
    card = compact_card(size=448)
    loaded = load_model(card, path, "cpu", "fp32")
    assert path.stat().st_size < 25e6
    exact = CompactModel(network, card, loaded.model_key)
    ours, theirs = (m.decode(m.encode([IMAGE])[0], *POINT, BOX)[0] for m in (loaded, exact))
    spread = theirs.logits.std()
    assert np.abs(ours.logits - theirs.logits).max() < 0.1 * spread
    assert loaded.model_id == "compact_test"


def test_weights_with_a_quality_head_estimate_the_iou_and_others_do_not(tmp_path):
    torch.manual_seed(0)
    capable = {"points": True, "boxes": True, "mask": "logits", "multimask": False, "iou": True}
    for head in (True, False):
        network = CompactSAMUNet(replace(COMPACT_TINY, quality=head)).eval()
        path = tmp_path / f"{head}.safetensors"
        save_half(network.state_dict(), path)
        model = load_model(compact_card(size=448, prompts=capable), path, "cpu", "fp32")
        (decoded,) = model.decode(model.encode([IMAGE])[0], *POINT)
        assert isinstance(decoded.iou, float) == head


def test_the_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "compact.safetensors"
    save_half({"conv.weight": torch.ones(2)}, path)
    with pytest.raises(WeightsError, match="compact"):
        load_model(compact_card(size=448), path, "cpu", "fp32")


@pytest.mark.parametrize("count", [1, 3])
def test_the_quick_decoder_gives_the_trained_ones_logits(count):
    network = _tiny()
    torch.nn.init.normal_(network.mask_decoder.refinement[-1].weight, std=0.1)
    torch.nn.init.normal_(network.adapters_bridge[0][-1].weight, std=0.1)
    torch.nn.init.normal_(network.mask_decoder.detail_refinement.weight)
    model = CompactModel(network, compact_card(), "compact-1")
    embedding = model.encode([IMAGE])[0]
    boxes = torch.rand(count, 4, generator=torch.Generator().manual_seed(1)) * 30 + torch.tensor(
        [0, 0, 30, 30]
    )
    mask = torch.randn(count, 32, 32)
    points = np.zeros((count, 0, 2)), np.zeros((count, 0))
    decoded = model.decode(embedding, *points, (boxes / 0.8).numpy(), mask.numpy())
    with torch.inference_mode():
        expected = network.decode_prompts(*embedding.tensors, boxes=boxes, mask_logits=mask[:, None])[:, 0]
    assert np.allclose([d.low_res_logits for d in decoded], expected.numpy(), atol=1e-3)
    assert expected.std() > 1e-2


def test_in_bf16_the_encoder_stays_close_and_the_decoder_exact():
    exact, quick = (CompactModel(prepared(_tiny()), compact_card(), "compact-1") for _ in range(2))
    quick.to("cpu", "bf16")
    ours, theirs = quick.encode([IMAGE])[0], exact.encode([IMAGE])[0]
    for rough, fine in zip(ours.tensors, theirs.tensors):
        assert rough.dtype == torch.float32
        assert (rough - fine).abs().mean() < 0.05 * fine.abs().mean() + 1e-6
    answers = [model.decode(theirs, *POINT)[0].logits for model in (quick, exact)]
    assert np.allclose(*answers, atol=1e-4)
