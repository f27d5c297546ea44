"""LiteMedSAM and MobileSAM with their real weights against what their published implementations gave.

``Data/sam_family_published.npz`` was made once with the networks and scripts of bowang-lab/MedSAM (branch
LiteMedSAM) and ChaoningZhang/MobileSAM on `phantom(512, 384)`: embeddings and low-resolution logits at every
n-th place, estimated IoU, masks as packed bits.
"""

import numpy as np
import pytest

from engine.phantom import ellipse, phantom
from SAMUNetSlicerLib.engine.models import load_catalog, load_model

pytestmark = pytest.mark.weights

SIZE = (512, 384)
BOX = np.array([[150, 180, 260, 330]], np.float32)
POINTS, LABELS = np.array([[[205, 255], [60, 60]]], np.float32), np.array([[1, 0]])
NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)


@pytest.fixture(scope="module")
def published(repository):
    return np.load(repository / "Testing/Data/sam_family_published.npz")


@pytest.fixture(scope="module")
def litemedsam(litemedsam_weights):
    return load_model(load_catalog().get("litemedsam"), litemedsam_weights, "cpu", "fp32")


@pytest.fixture(scope="module")
def mobilesam(mobilesam_weights):
    return load_model(load_catalog().get("mobilesam"), mobilesam_weights, "cpu", "fp32")


@pytest.fixture(scope="module")
def encoded(litemedsam):
    return litemedsam.encode([phantom(*SIZE)])[0]


@pytest.fixture(scope="module")
def encoded_by_mobilesam(mobilesam):
    return mobilesam.encode([phantom(*SIZE)])[0]


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def assert_published(result, published, name):
    np.testing.assert_allclose(result.low_res_logits[::4, ::4], published[f"{name}_logits"], atol=2e-3)
    np.testing.assert_allclose(result.iou, published[f"{name}_iou"], atol=1e-4)
    mask = np.unpackbits(published[f"{name}_mask"]).reshape(SIZE).astype(bool)
    assert (result.mask != mask).sum() <= 5


def test_litemedsam_encodes_as_published(encoded, published):
    embedding = encoded.tensors[0][0, ::16, ::8, ::8]
    np.testing.assert_allclose(embedding, published["litemedsam_embedding"], atol=1e-4)


def test_litemedsam_segments_a_box_as_published(litemedsam, encoded, published):
    result = litemedsam.decode(encoded, NO_POINTS, NO_LABELS, BOX)[0]
    assert_published(result, published, "litemedsam_box")
    assert dice(result.mask, ellipse(*SIZE)) > 0.97


def test_mobilesam_encodes_as_published(encoded_by_mobilesam, published):
    embedding = encoded_by_mobilesam.tensors[0][0, ::16, ::8, ::8]
    np.testing.assert_allclose(embedding, published["mobilesam_embedding"], atol=1e-4)


def test_mobilesam_segments_boxes_points_and_masks_as_published(mobilesam, encoded_by_mobilesam, published):
    box = mobilesam.decode(encoded_by_mobilesam, NO_POINTS, NO_LABELS, BOX)[0]
    assert_published(box, published, "mobilesam_box")
    points = mobilesam.decode(encoded_by_mobilesam, POINTS, LABELS)[0]
    assert_published(points, published, "mobilesam_points")
    assert dice(points.mask, ellipse(*SIZE)) > 0.97
    refined = mobilesam.decode(encoded_by_mobilesam, POINTS, LABELS, None, points.low_res_logits[None])[0]
    np.testing.assert_allclose(
        refined.low_res_logits[::4, ::4], published["mobilesam_mask_logits"], atol=2e-3
    )


@pytest.mark.parametrize("size", [(300, 700), (200, 140)])
def test_a_mask_lies_on_its_object_to_half_a_pixel_of_the_input(litemedsam, size):
    center, radii = (0.6 * size[1], 0.4 * size[0]), (0.12 * size[1], 0.2 * size[0])
    truth = ellipse(*size, center, radii)
    y, x = np.nonzero(truth)
    box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)
    embedding = litemedsam.encode([phantom(*size, center=center, radii=radii)])[0]
    mask = litemedsam.decode(embedding, NO_POINTS, NO_LABELS, box)[0].mask
    shift = np.array(np.nonzero(mask)).mean(1) - (y.mean(), x.mean())
    assert dice(mask, truth) > 0.95
    assert np.abs(shift).max() < 0.5 * max(size) / 256 + 0.25


def test_bf16_keeps_litemedsams_mask(litemedsam_weights, litemedsam, encoded):
    fast = load_model(load_catalog().get("litemedsam"), litemedsam_weights, "cpu", "bf16")
    exact = litemedsam.decode(encoded, NO_POINTS, NO_LABELS, BOX)[0].mask
    rounded = fast.decode(fast.encode([phantom(*SIZE)])[0], NO_POINTS, NO_LABELS, BOX)[0].mask
    assert dice(exact, rounded) > 0.99
