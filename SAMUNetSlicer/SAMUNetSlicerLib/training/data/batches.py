"""Make training examples: an augmented image on the network's canvas and several structures in it."""

from collections import Counter
from dataclasses import dataclass
from typing import Iterator, List, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from ...engine.networks import PIXEL_MEAN, PIXEL_STD
from .augment import Pair, augmented, change_intensities
from .corpus import Sample, Target, targets
from .regions import edge_regions, superpixels
from .synthetic import synthetic_pair

# Smaller than what is evaluated: a view may show the structure from nearer.
SMALLEST = 0.0006


@dataclass(frozen=True)
class ExampleOptions:
    """Options of training examples.

    ``image_size``: the canvas; ``targets``: structures per image.

    ``synthetic``: fraction of images that are generated; ``regions``: fraction of the others whose structures
    are the areas between their edges instead of the labeled ones.
    """

    image_size: int = 448
    targets: int = 4
    synthetic: float = 0.25
    regions: float = 0.2


def on_canvas(image: np.ndarray, side: int) -> Tensor:
    """Return (3, side, side) float32: longest side resized to ``side``, normalized, padded right and bottom
    with 0.

    :param image: (H, W, 3) float32 0..255.
    """
    size = _fitted(image.shape[:2], side)
    resized = np.asarray(
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).resize(size[::-1], Image.BILINEAR)
    )
    canvas = torch.zeros(3, side, side)
    normal = (resized.astype(np.float32) - np.float32(PIXEL_MEAN)) / np.float32(PIXEL_STD)
    canvas[:, : size[0], : size[1]] = torch.from_numpy(normal).permute(2, 0, 1)
    return canvas


def mask_on_canvas(mask: np.ndarray, side: int) -> np.ndarray:
    """Return (side, side) float32: the covered fraction of every pixel of the canvas."""
    height, width = _fitted(mask.shape, side)
    canvas = np.zeros((side, side), np.float32)
    soft = Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.BILINEAR)
    canvas[:height, :width] = np.asarray(soft).clip(0, 1)
    return canvas


def _fitted(shape, side):
    scale = side / max(shape)
    return tuple(max(1, int(length * scale + 0.5)) for length in shape)


def choose(found: Sequence[Target], count: int, rng: np.random.Generator) -> List[Target]:
    """Choose ``count`` targets, larger ones a little more often; repeated only when there are too few."""
    weights = np.array([np.sqrt(target.mask.sum()) for target in found])
    first = rng.choice(len(found), min(count, len(found)), replace=False, p=weights / weights.sum())
    order = [first[i % len(first)] for i in range(count)]
    return [found[i] for i in order]


def balanced_weights(samples: Sequence[Sample], kinds: Sequence[str]) -> np.ndarray:
    """Return every sample's probability, (n,), so that no source, modality, anatomy or kind of shape rules.

    A sample counts with the fourth root of 1 / (images of its source * of its modality * of its anatomy * of
    its kind of shape), so that what is rare is seen more often, but not endlessly.

    :param kinds: of shape, one per sample, see `shapes.kind_of_labels`.
    """
    groups = [
        (("source", s.source), ("modality", s.modality), ("anatomy", s.anatomy), ("kind", kind))
        for s, kind in zip(samples, kinds)
    ]
    sizes = Counter(group for sample in groups for group in sample)
    weights = np.array([np.prod([float(sizes[group]) for group in sample]) ** -0.25 for sample in groups])
    return weights / weights.sum()


class Examples(IterableDataset):
    """Endless stream of {"image": (3, S, S), "targets": (P, S/2, S/2) float32 in 0..1}.

    Every worker of a loader has its own, reproducible random numbers.

    :param pairs: (image uint8, label map) each, kept in memory.
    :param weights: probability of every pair, (n,).
    """

    def __init__(self, pairs: Sequence[Pair], weights: np.ndarray, options: ExampleOptions, seed: int):
        self._pairs, self._weights = pairs, weights
        self._options, self._seed = options, seed

    def __iter__(self) -> Iterator[dict]:
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            example = self._example(rng)
            if example:
                yield example

    def _example(self, rng):
        image, labels = self._view(rng)
        found = targets(labels, SMALLEST)
        if not found:
            return None
        side = self._options.image_size
        chosen = choose(found, self._options.targets, rng)
        masks = np.stack([mask_on_canvas(target.mask, side // 2) for target in chosen])
        return {"image": on_canvas(image, side), "targets": torch.from_numpy(masks)}

    def _view(self, rng):
        if rng.random() < self._options.synthetic:
            image, labels = synthetic_pair(rng)
            return change_intensities(image.astype(np.float32), rng), labels
        image, labels = self._pairs[rng.choice(len(self._pairs), p=self._weights)]
        if rng.random() < self._options.regions:
            labels = (edge_regions if rng.random() < 0.5 else superpixels)(image, rng)
        return augmented(image, labels, rng)
