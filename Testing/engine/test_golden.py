"""SAM-UNet gives what the reference implementation gives, for the same weights, image and prompts."""

import hashlib

import numpy as np
import pytest
import torch

from engine import golden_outputs as golden
from SAMUNetSlicerLib.engine.resize import normalised_square, resize_longest_side
from SAMUNetSlicerLib.engine.samunet import PIXEL_MEAN, PIXEL_STD, RES34, RES50, SAMUNet

pytestmark = pytest.mark.golden

CONFIGS = {"res34": RES34, "res50": RES50}
CASES = golden.index()["cases"]


@pytest.fixture(scope="module", params=golden.KINDS)
def reference(request):
    """(kind, network with the golden weights, the reference's outputs, its embedding by our encoder)."""
    with torch.device("meta"):
        network = SAMUNet(CONFIGS[request.param])
    shapes = golden.index()["models"][request.param]["keys"]
    network.load_state_dict(golden.filled_weights(shapes), strict=True, assign=True)
    network.eval().requires_grad_(False)
    return request.param, network, golden.arrays(request.param), network.encode_image(_input()[None])


def test_the_resized_image_is_the_reference_s_to_the_bit():
    resized = resize_longest_side(golden.image(), 256)
    assert hashlib.sha256(resized.tobytes()).hexdigest() == golden.index()["resized_sha256"]


@pytest.mark.parametrize("kind", golden.KINDS)
def test_tensors_have_the_reference_s_names_shapes_and_order(kind):
    with torch.device("meta"):
        ours = SAMUNet(CONFIGS[kind]).state_dict()
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


def _input():
    return normalised_square(resize_longest_side(golden.image(), 256), 256, PIXEL_MEAN, PIXEL_STD)


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
