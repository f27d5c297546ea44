import numpy as np
import pytest

from SAMUNetSlicerLib.training.data import RING, TREE, kind_of_mask, synthetic_pair
from SAMUNetSlicerLib.training.data import synthetic_artifacts as artifacts
from SAMUNetSlicerLib.training.data import synthetic_shapes as shapes


def rng(seed=0):
    return np.random.default_rng(seed)


def test_layers_lie_inside_one_another():
    for seed in range(10):
        outer, middle, inner = shapes.layers(120, rng(seed), 3)
        assert not (middle & ~outer).any()
        assert not (inner & ~middle).any()


def test_rings_have_a_hole_or_a_gap():
    rings = [shapes.ring(200, rng(seed)) for seed in range(20)]
    kinds = [kind_of_mask(ring) for ring in rings if ring.sum() > 100]
    assert kinds.count(RING) >= 6


def test_a_tree_is_slender():
    trees = [shapes.tree(200, rng(seed)) for seed in range(10)]
    assert sum(kind_of_mask(tree) == TREE for tree in trees if tree.any()) >= 7


def test_parts_are_many_and_do_not_overlap():
    for seed in range(5):
        found = shapes.parts(160, rng(seed))
        assert len(found) >= 5
        assert np.sum(found, 0).max() == 1


@pytest.mark.parametrize(
    "change", [artifacts.metal_streaks, artifacts.ultrasound, artifacts.thick_pixels, artifacts.stained]
)
def test_an_artifact_keeps_size_and_place_of_what_is_shown(change):
    image = np.full((90, 120, 3), 60, np.float32)
    image[30:60, 40:80] = 200
    for seed in range(3):
        changed = change(image, rng(seed))
        assert changed.shape == image.shape
        assert np.isfinite(changed).all()
        inside, beside = changed[35:55, 45:75].mean(), changed[35:55, 85:115].mean()
        assert abs(inside - beside) > 5


def test_stained_tissue_is_colored_and_speckle_is_gray():
    image = np.full((60, 60, 3), 100, np.float32)
    image[20:40] = 200
    tissue, sonogram = artifacts.stained(image, rng()), artifacts.ultrasound(image, rng())
    assert np.ptp(tissue.mean((0, 1))) > 20
    assert np.ptp(sonogram, axis=2).max() == 0


@pytest.mark.parametrize("seed", range(24))
def test_every_structure_of_a_pair_is_labeled_and_the_image_is_a_picture(seed):
    image, labels = synthetic_pair(rng(seed), 96)
    assert image.shape == (96, 96, 3)
    assert image.dtype == np.uint8
    assert labels.shape == (96, 96)
    assert image.std() > 1
    again = synthetic_pair(rng(seed), 96)
    assert np.array_equal(image, again[0])
    assert np.array_equal(labels, again[1])
