"""SAM-UNet behind the one interface, with a network of toy size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.toy_samunet import TINY, network
from SAMUNetSlicerLib.engine.models import SAMUNetModel, load_catalog
from SAMUNetSlicerLib.errors import EngineError

NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)
BOX = np.array([[10, 20, 60, 90]], np.float32)


def toy_model(toy=None):
    card = load_catalog().get("samunet_res34")
    return SAMUNetModel(
        toy or network(), replace(card, input=replace(card.input, size=TINY.image_size)), "toy"
    )


def pictures(*shapes):
    generator = np.random.default_rng(3)
    return [generator.integers(0, 256, shape, np.uint8) for shape in shapes]


def decoded_box(model, image):
    return model.decode(model.encode([image])[0], NO_POINTS, NO_LABELS, BOX)[0]


def test_images_of_any_size_come_back_at_their_size_and_alone_as_together():
    model = toy_model()
    images = pictures((50, 70), (130, 90, 3), (1, 40))
    for image, embedding in zip(images, model.encode(images)):
        together = model.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0]
        assert together.mask.shape == together.logits.shape == image.shape[:2]
        assert together.low_res_logits.shape == (24, 24)
        np.testing.assert_allclose(together.logits, decoded_box(model, image).logits, atol=1e-4)


def test_the_fast_decoder_gives_what_the_network_gives():
    model, image = toy_model(), pictures((96, 96))[0]
    embedding = model.encode([image])[0]
    points, labels = np.array([[[20.0, 30], [70, 5]]], np.float32), np.array([[1, 0]])
    previous = np.random.default_rng(0).normal(size=(1, 24, 24)).astype(np.float32)
    ours = model.decode(embedding, points, labels, BOX, previous)[0].low_res_logits
    with torch.inference_mode():
        expected = network().decode_prompts(
            *embedding.tensors,
            points=torch.from_numpy(points),
            labels=torch.from_numpy(labels),
            boxes=torch.from_numpy(BOX),
            mask_logits=torch.from_numpy(previous)[:, None],
        )
    np.testing.assert_allclose(ours, expected[0, 0].numpy(), atol=1e-4)


def test_going_to_bf16_and_back_loses_nothing():
    model, image = toy_model(), pictures((96, 80))[0]
    before = decoded_box(model, image).logits
    half = decoded_box(model.to("cpu", "bf16"), image).logits
    assert model.placement == ("cpu", "bf16")
    assert np.array_equal(decoded_box(model.to("cpu", "fp32"), image).logits, before)
    assert not np.array_equal(half, before)


def test_numbers_that_overflowed_are_refused_and_not_shown_as_an_empty_mask():
    toy = network()
    toy.image_encoder.sam_img_encoder.neck[0].weight.data.fill_(torch.inf)
    model = toy_model(toy)
    with pytest.raises(EngineError, match="invalid numbers in fp32: choose the precision fp32, or get its"):
        model.encode(pictures((20, 20)))
