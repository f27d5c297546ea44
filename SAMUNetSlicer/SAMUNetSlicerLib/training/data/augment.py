"""Random changes to an image and its label map that keep the labels true.

Images are (H, W, 3) float32 in 0..255, label maps (H, W) int32.
"""

from typing import Tuple

import numpy as np
from PIL import Image
from scipy import ndimage

# Pixels that a close-up shows at least.
_LEAST_SIDE = 32

Pair = Tuple[np.ndarray, np.ndarray]


def augmented(image: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Pair:
    """Vary a uint8 image (H, W) or (H, W, 3): cropped, turned, mirrored, its intensities changed."""
    image = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image
    zoom = rng.random()
    if zoom < 0.5:
        image, labels = (close_up_view if zoom < 0.12 else _crop)(image, labels, rng)
    if rng.random() < 0.35:
        image, labels = _rotate(image, labels, rng)
    image, labels = _mirror(image, labels, rng)
    return change_intensities(image.astype(np.float32), rng), labels


def _crop(image, labels, rng):
    """Crop a window with sides of 45 to 100 % around a random labeled pixel."""
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return image, labels
    chosen = rng.integers(len(rows))
    window = []
    for size, place in zip(labels.shape, (rows[chosen], columns[chosen])):
        length = int(size * rng.uniform(0.45, 1))
        start = int(np.clip(place - length * rng.uniform(0.2, 0.8), 0, size - length))
        window.append(slice(start, start + length))
    return image[tuple(window)], labels[tuple(window)]


def close_up_view(image: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Pair:
    """Cut out a square around one structure, 1.6 to 4 times as wide, as the product shows what is small.

    :return: the part of the image and of the label map.
    """
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return image, labels
    chosen = rng.integers(len(rows))
    place = rows[chosen], columns[chosen]
    parts, _ = ndimage.label(labels == labels[place])
    extent = ndimage.find_objects(parts)[parts[place] - 1]
    longest = max(each.stop - each.start for each in extent)
    side = int(max(_LEAST_SIDE, longest * rng.uniform(1.6, 4)))
    window = []
    for size, each in zip(labels.shape, extent):
        length = min(side, size)
        middle = (each.start + each.stop) / 2 + rng.uniform(-0.15, 0.15) * side
        start = int(np.clip(middle - length / 2, 0, size - length))
        window.append(slice(start, start + length))
    return image[tuple(window)], labels[tuple(window)]


def _rotate(image, labels, rng):
    angle = rng.uniform(-45, 45)
    turned = Image.fromarray(image).rotate(angle, Image.Resampling.BILINEAR)
    turned_labels = Image.fromarray(labels).rotate(angle, Image.Resampling.NEAREST)
    return np.asarray(turned), np.asarray(turned_labels)


def _mirror(image, labels, rng):
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    turns = int(rng.integers(4)) if rng.random() < 0.5 else 0
    return np.ascontiguousarray(np.rot90(image, turns)), np.ascontiguousarray(np.rot90(labels, turns))


def change_intensities(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Window, gamma, inversion, bias field, false colors, blur and noise, each with its own probability."""
    changes = (
        (0.5, _window),
        (0.4, _gamma),
        (0.08, lambda image, rng: 255 - image),
        (0.25, _bias_field),
        (0.4, _tint),
        (0.2, _blur),
        (0.3, _noise),
    )
    for probability, change in changes:
        if rng.random() < probability:
            image = np.clip(change(image, rng), 0, 255)
    return image.astype(np.float32)


def _window(image, rng):
    low, high = np.percentile(image, [rng.uniform(0, 8), rng.uniform(92, 100)])
    return (image - low) / max(high - low, 16) * 255


def _gamma(image, rng):
    return 255 * (image / 255) ** np.exp(rng.uniform(-0.6, 0.6))


def smooth_field(shape: Tuple[int, int], cells: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth random field (H, W) float32 in 0..1 with about ``cells`` bumps along each side."""
    coarse = Image.fromarray(rng.random((cells + 2, cells + 2), np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC)).clip(0, 1)


def _bias_field(image, rng):
    return image * (0.6 + 0.8 * smooth_field(image.shape[:2], int(rng.integers(1, 4)), rng))[..., None]


def _tint(image, rng):
    """Tint as stains, endoscopes and color maps do: a ramp between two colors, mixed in."""
    gray = image.mean(2, keepdims=True) / 255
    colors = rng.uniform(0, 1, (2, 3)) * 255
    painted = colors[0] + (colors[1] - colors[0]) * gray
    share = rng.uniform(0.2, 0.8)
    return share * painted + (1 - share) * image


def _blur(image, rng):
    return ndimage.gaussian_filter(image, (*[rng.uniform(0.3, 1.5)] * 2, 0))


def _noise(image, rng):
    """Additive or, as in ultrasound, multiplicative noise, the same in all channels."""
    noise = rng.normal(0, rng.uniform(2, 16), (*image.shape[:2], 1))
    return image + noise * (image / 96 if rng.random() < 0.5 else 1)
