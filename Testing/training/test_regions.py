import numpy as np
import pytest

from SAMUNetSlicerLib.engine.overlap import dice
from SAMUNetSlicerLib.training.data import edge_regions, superpixels, targets
from training.corpora import disc, disc_pair


@pytest.mark.parametrize("colors", [False, True])
def test_what_has_edges_is_among_the_regions(colors):
    image, labels = disc_pair(side=120, x=60, y=65, radius=25)
    image = np.repeat(image[..., None], 3, 2) if colors else image
    best = []
    for seed in range(10):
        regions = edge_regions(image, np.random.default_rng(seed))
        best.append(max(dice(target.mask, labels == 1) for target in targets(regions)))
    assert np.median(best) > 0.9


def test_every_pixel_has_a_region_and_a_seed_gives_the_same_ones_again():
    image, _ = disc_pair()
    first, second = (edge_regions(image, np.random.default_rng(5)) for _ in range(2))
    assert first.min() >= 1
    assert np.array_equal(first, second)


def test_regions_differ_from_time_to_time():
    rng = np.random.default_rng(0)
    image = (disc(60, 30, 30, 20) * np.linspace(40, 250, 60)).astype(np.uint8)
    assert len({edge_regions(image, rng).tobytes() for _ in range(10)}) > 5


def test_an_even_image_is_one_region():
    regions = edge_regions(np.full((40, 50), 90, np.uint8), np.random.default_rng(0))
    assert len(np.unique(regions)) == 1


def test_superpixels_follow_the_edges_of_an_image():
    image, labels = disc_pair(side=160, x=80, y=80, radius=40)
    purity = []
    for seed in range(8):
        found = superpixels(image, np.random.default_rng(seed))
        assert found.shape == image.shape
        values = np.unique(found[found > 0])
        assert 1 <= len(values) <= 60
        inside = [(labels[found == value] == 1).mean() for value in values]
        purity.append(np.mean([max(share, 1 - share) for share in inside]))
    assert np.mean(purity) > 0.85


def test_an_even_image_has_superpixels_too():
    assert superpixels(np.full((40, 30, 3), 9, np.uint8), np.random.default_rng(0)).shape == (40, 30)
