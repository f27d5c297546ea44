"""The model class behind which SAM and its relatives stand, with small random networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.phantom import phantom
from engine.sam_networks import TINY_SAM_VIT, small_card, small_network
from SAMUNetSlicerLib.engine.models import InputFormat, SamModel, network_input
from SAMUNetSlicerLib.engine.networks import build_sam_network
from SAMUNetSlicerLib.errors import EngineError, PromptError

NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)
BOX = np.array([[30, 40, 90, 100]], np.float32)


def model(form=None, key="small-1", seed=0, **capabilities):
    return SamModel(small_network(seed), small_card(form, **capabilities), key)


def sams_way(network, card, image, points, labels, boxes, mask):
    """The steps of SAM's own predictor, on its own modules: low-resolution logits and logits of the image."""
    square, shape = network_input(image, card.input)
    factors = torch.tensor([shape[1] / image.shape[1], shape[0] / image.shape[0]], dtype=torch.float32)
    clicks = (torch.tensor(points) * factors, torch.tensor(labels)) if points.shape[1] else None
    corners = None if boxes is None else torch.tensor(boxes) * factors.repeat(2)
    masks = None if mask is None else torch.tensor(mask)[:, None]
    with torch.inference_mode():
        embedding = network.image_encoder(square[None])
        sparse, dense = network.prompt_encoder(clicks, corners, masks)
        low_res, _ = network.mask_decoder(
            embedding, network.prompt_encoder.get_dense_pe(), sparse, dense, multimask_output=False
        )
        logits = functional.interpolate(
            low_res[:, :, : shape[0], : shape[1]], image.shape[:2], mode="bilinear", align_corners=False
        )
    return low_res[:, 0].numpy(), logits[:, 0].numpy()


@pytest.mark.parametrize("size", [(160, 120), (50, 130), (64, 64)])
@pytest.mark.parametrize("kind", ["box", "two boxes", "points", "box, point and mask"])
def test_a_decode_takes_the_steps_of_sams_predictor(kind, size):
    network, card = small_network(), small_card()
    rng = np.random.default_rng(0)
    count = 2 if kind == "two boxes" else 1
    points = rng.uniform(0, 50, (count, 3 if "point" in kind else 0, 2)).astype(np.float32)
    labels = np.ones(points.shape[:2], np.int64)
    boxes = np.repeat(BOX, count, 0) + np.arange(count, dtype=np.float32)[:, None] if "box" in kind else None
    mask = rng.normal(size=(1, 64, 64)).astype(np.float32) if "mask" in kind else None
    image = phantom(*size)
    low_res, logits = sams_way(network, card, image, points, labels, boxes, mask)
    subject = SamModel(network, card, "key")
    results = subject.decode(subject.encode([image])[0], points, labels, boxes, mask)
    assert len(results) == count
    for i, result in enumerate(results):
        np.testing.assert_allclose(result.low_res_logits, low_res[i], atol=1e-4)
        np.testing.assert_allclose(result.logits, logits[i], atol=1e-4)
        np.testing.assert_array_equal(result.mask, result.logits > 0)
        assert result.logits.shape == size
        assert isinstance(result.iou, float)


def test_images_of_several_sizes_are_encoded_together_as_one_by_one():
    subject = model()
    images = [phantom(100, 80), phantom(64, 200), np.repeat(phantom(30, 30)[..., None], 3, 2)]
    together = subject.encode(images)
    for image, embedding in zip(images, together):
        alone = subject.encode([image])[0]
        assert torch.equal(embedding.tensors[0], alone.tensors[0])
        assert embedding.original_size == image.shape[:2]
        assert embedding.input_size == alone.input_size
        assert embedding.tensors[0].shape == (1, 256, 16, 16)


def test_half_precision_embeddings_of_the_cache_are_decoded():
    subject = model()
    embedding = subject.encode([phantom(100, 80)])[0]
    exact = subject.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
    cached = subject.decode(embedding.half(), NO_POINTS, NO_LABELS, BOX)[0]
    assert np.abs(exact.logits - cached.logits).max() < 0.02 * np.ptp(exact.logits)


def test_bf16_changes_the_encoder_only():
    subject = model().to("cpu", "bf16")
    assert subject.placement == ("cpu", "bf16")
    embedding = subject.encode([phantom(100, 80)])[0]
    assert embedding.tensors[0].dtype == torch.float32
    reference = model().encode([phantom(100, 80)])[0].tensors[0]
    difference = (embedding.tensors[0] - reference).abs()
    assert 0 < difference.mean() < 0.05 * reference.std()


def test_a_move_to_half_precision_and_back_loses_nothing():
    subject = model()
    before = subject.encode([phantom(100, 80)])[0].tensors[0]
    after = subject.to("cpu", "bf16").to("cpu", "fp32").encode([phantom(100, 80)])[0].tensors[0]
    assert torch.equal(before, after)


def test_sam_med2ds_adapters_move_with_their_blocks():
    card = replace(small_card(), architecture="sam_med2d", config=TINY_SAM_VIT)
    torch.manual_seed(0)
    network = build_sam_network(card.architecture, 64, card.config).eval().requires_grad_(False)
    subject = SamModel(network, card, "key")
    before = subject.encode([phantom(100, 80)])[0].tensors[0]
    rounded = subject.to("cpu", "bf16").encode([phantom(100, 80)])[0].tensors[0]
    assert 0 < (before - rounded).abs().mean() < 0.05 * before.std()


def test_of_several_masks_the_one_with_the_highest_estimate_is_given():
    several, single = model(multimask=True), model()
    embedding = several.encode([phantom(100, 80)])[0]
    chosen = several.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
    other = single.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
    assert not np.array_equal(chosen.logits, other.logits)


def test_without_a_quality_head_there_is_no_estimate():
    subject = model(iou=False)
    result = subject.decode(subject.encode([phantom(50, 50)])[0], NO_POINTS, NO_LABELS, BOX)[0]
    assert result.iou is None


def test_sam_med2d_is_given_probabilities_as_mask():
    logits = np.random.default_rng(0).normal(0, 4, (1, 64, 64)).astype(np.float32)
    as_probabilities, as_logits = model(mask="probability"), model(mask="logits")
    embedding = as_logits.encode([phantom(100, 80)])[0]
    got = as_probabilities.decode(embedding, NO_POINTS, NO_LABELS, BOX, logits)[0]
    expected = as_logits.decode(embedding, NO_POINTS, NO_LABELS, BOX, 1 / (1 + np.exp(-logits)))[0]
    np.testing.assert_allclose(got.logits, expected.logits, atol=1e-5)


def test_a_mask_is_refused_where_none_was_trained():
    subject = model(mask="none")
    embedding = subject.encode([phantom(50, 50)])[0]
    with pytest.raises(PromptError, match="Small SAM takes no mask"):
        subject.decode(embedding, NO_POINTS, NO_LABELS, BOX, np.zeros((1, 64, 64), np.float32))


def test_a_slice_that_another_model_encoded_is_refused():
    foreign = model(key="other-1").encode([phantom(50, 50)])[0]
    with pytest.raises(EngineError, match="another model has encoded"):
        model().decode(foreign, NO_POINTS, NO_LABELS, BOX)


def test_squashing_maps_the_axes_by_different_factors():
    form = InputFormat(64, "squash", "bicubic", "unit")
    subject = SamModel(small_network(), small_card(form), "key")
    embedding = subject.encode([phantom(160, 80)])[0]
    assert embedding.input_size == (64, 64)
    assert subject.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0].mask.shape == (160, 80)


def test_the_model_says_what_its_card_says():
    subject = model()
    assert subject.model_id == "small"
    assert subject.model_key == "small-1"
    assert subject.capabilities == replace(small_card().capabilities)
    assert (subject.image_size, subject.low_res_size) == (64, 64)


def test_repeating_a_decode_gives_the_same_bits():
    subject = model()
    embedding = subject.encode([phantom(100, 80)])[0]
    first = subject.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
    subject.decode(embedding, NO_POINTS, NO_LABELS, BOX + 3)
    again = subject.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
    np.testing.assert_array_equal(first.logits, again.logits)
