"""SAM-UNet gives what the reference implementation gives, for the same weights, image and prompts."""

import hashlib

import numpy as np
import pytest
import torch

from engine import golden_outputs as golden
from SAMUNetSlicerLib.engine.models import SAMUNetModel, load_catalog, normalized_square, resize_longest_side
from SAMUNetSlicerLib.engine.networks import PIXEL_MEAN, PIXEL_STD, SAMUNet

pytestmark = pytest.mark.golden

CASES = golden.index()["cases"]


@pytest.fixture(scope="module", params=golden.KINDS)
def reference(request):
    """(kind, network with the golden weights, the reference's outputs, its embedding by our encoder)."""
    network = golden.filled_network(request.param)
    return request.param, network, golden.arrays(request.param), network.encode_image(_input()[None])


@pytest.fixture(scope="module")
def model(reference):
    """The same network as the product runs it, and its embedding of the image."""
    kind, network, _, _ = reference
    model = SAMUNetModel(network, load_catalog().get(f"samunet_{kind}"), kind)
    return model, model.encode([golden.image()])[0]


def test_the_resized_image_is_the_reference_s_to_the_bit():
    resized = resize_longest_side(golden.image(), 256)
    assert hashlib.sha256(resized.tobytes()).hexdigest() == golden.index()["resized_sha256"]


@pytest.mark.parametrize("kind", golden.KINDS)
def test_tensors_have_the_reference_s_names_shapes_and_order(kind):
    with torch.device("meta"):
        ours = SAMUNet(golden.CONFIGS[kind]).state_dict()
    expected = golden.index()["models"][kind]["keys"]
    assert [(name, list(tensor.shape)) for name, tensor in ours.items()] == list(expected.items())


def test_the_weights_are_those_of_the_reference_s_run(reference):
    kind, network, _, _ = reference
    assert golden.digest(network.state_dict()) == golden.index()["models"][kind]["state_digest"]


def test_the_encoder_gives_the_reference_s_embedding_and_feature(reference):
    _, _, expected, (embedding, feature) = reference
    assert _difference(embedding, expected["image_embeddings"]) <= golden.EMBEDDING_TOLERANCE
    strided = feature[:, :, ::4, ::4]
    assert _difference(strided, expected["multi_scale_feature_s4"]) <= golden.EMBEDDING_TOLERANCE


@pytest.mark.parametrize("case", CASES)
def test_the_decoder_gives_the_reference_s_logits_and_mask(reference, case):
    _, network, expected, encoded = reference
    low_res = network.decode_prompts(*encoded, **_prompts(CASES[case], expected))
    assert _difference(low_res, expected[f"{case}/low_res_logits"]) <= golden.LOGITS_TOLERANCE
    final = _enlarged(low_res)
    assert _difference(final[..., ::4, ::4], expected[f"{case}/final_logits_s4"]) <= golden.LOGITS_TOLERANCE
    wanted = golden.reference_mask(expected, case, final.shape)
    flipped = (final.numpy() > 0) != wanted
    assert flipped.sum() <= golden.FLIPPED_PIXELS
    assert np.abs(final.numpy()[flipped]).max(initial=0) < 1e-3


def test_the_fast_encoder_gives_the_reference_s_embedding_and_feature(reference, model):
    embedding, feature = model[1].tensors
    assert _difference(embedding, reference[2]["image_embeddings"]) <= golden.EMBEDDING_TOLERANCE
    strided = feature[:, :, ::4, ::4]
    assert _difference(strided, reference[2]["multi_scale_feature_s4"]) <= golden.EMBEDDING_TOLERANCE


@pytest.mark.parametrize("case", CASES)
def test_the_fast_model_gives_the_reference_s_logits_and_mask(reference, model, case):
    expected = reference[2]
    decoded = _decoded(*model, CASES[case], expected)
    for name in ("low_res_logits", "final_logits_s4"):
        ours = np.stack(
            [d.low_res_logits if name == "low_res_logits" else d.logits[::4, ::4] for d in decoded]
        )
        assert np.abs(ours[:, None] - expected[f"{case}/{name}"]).max() <= golden.LOGITS_TOLERANCE
    masks = np.stack([d.mask for d in decoded])[:, None]
    flipped = masks != golden.reference_mask(expected, case, masks.shape)
    assert flipped.sum() <= golden.FLIPPED_PIXELS


def test_bf16_keeps_the_masks(reference, model):
    half = model[0].to("cpu", "bf16")
    try:
        embedding = half.encode([golden.image()])[0]
        for case, prompts in CASES.items():
            masks = np.stack([d.mask for d in _decoded(half, embedding, prompts, reference[2])])[:, None]
            wanted = golden.reference_mask(reference[2], case, masks.shape)
            assert 2 * (masks & wanted).sum() / (masks.sum() + wanted.sum()) >= 0.99, case
    finally:
        half.to("cpu", "fp32")


def _decoded(model, embedding, case, expected):
    """The model's answers to a case in pixels of the image, as front ends ask."""
    points, labels, boxes = (case.get(name) for name in ("points", "labels", "boxes"))
    count = len(points or boxes or [0])
    return model.decode(
        embedding,
        np.zeros((count, 0, 2), np.float32) if points is None else np.array(points, np.float32),
        np.zeros((count, 0), np.int64) if labels is None else np.array(labels),
        None if boxes is None else np.array(boxes, np.float32),
        expected[f"{case['mask']}/low_res_logits"][:, 0] if "mask" in case else None,
    )


def _input():
    return normalized_square(resize_longest_side(golden.image(), 256), 256, PIXEL_MEAN, PIXEL_STD)


def _prompts(case, expected):
    """Keyword arguments of `SAMUNet.decode_prompts`."""
    mask = torch.from_numpy(expected[f"{case['mask']}/low_res_logits"]) if "mask" in case else None
    points, labels, boxes = (case.get(name) for name in ("points_256", "labels", "boxes_256"))
    return {
        "points": None if points is None else torch.tensor(points),
        "labels": None if labels is None else torch.tensor(labels),
        "boxes": None if boxes is None else torch.tensor(boxes),
        "mask_logits": mask,
    }


def _enlarged(low_res):
    """As the reference: to the square input, without its padding, to the image."""
    resized = resize_longest_side(golden.image(), 256).shape[:2]
    square = torch.nn.functional.interpolate(low_res, (256, 256), mode="bilinear", align_corners=False)
    square = square[..., : resized[0], : resized[1]]
    return torch.nn.functional.interpolate(
        square, golden.image().shape[:2], mode="bilinear", align_corners=False
    )


def _difference(ours, theirs):
    return np.abs(ours.numpy() - theirs).max()
