"""Convert images, coordinates and logits between a picture and a network's square input."""

from typing import Sequence, Tuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ..networks import PIXEL_MEAN, PIXEL_STD
from .cards import InputFormat

# Part of every cache key: raise it whenever an input computed here changes by as much as a bit.
FRAMING_VERSION = 1


def network_input(image: np.ndarray, form: InputFormat) -> Tuple[Tensor, Tuple[int, int]]:
    """Resize, scale and pad an image.

    :param image: (H, W) or (H, W, 3) RGB, uint8.
    :return: (3, S, S) float32, and the (h, w) that the image takes up in its top left corner.
    """
    shape = _framed_shape(image.shape[0], image.shape[1], form)
    small = _resize(np.ascontiguousarray(image), shape, form.resample)
    mean, std = (PIXEL_MEAN, PIXEL_STD) if form.range == "imagenet" else _unit_range(small)
    return normalized_square(small, form.size, mean, std), shape


def _framed_shape(height, width, form):
    if form.fit == "squash":
        return form.size, form.size
    return resized_shape(height, width, form.size)


def _unit_range(image):
    low, high = float(image.min()), float(image.max())
    # A constant image becomes 0 everywhere.
    return (low,) * 3, (max(high - low, 1e-8),) * 3


def _resize(image, shape, resample):
    if resample == "area":
        return _resize_area(image, shape)
    if resample == "nearest":
        return _resize_nearest(image, shape)
    # MedSAM was trained with scikit-image's cubic spline: Pillow's differs by half a gray level on average.
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[resample]
    return np.asarray(Image.fromarray(image).resize((shape[1], shape[0]), method))


def _resize_area(image, shape):
    """Resize by the mean of the pixels that a new pixel covers, partly covered ones in proportion (OpenCV's
    INTER_AREA).
    """
    rows = _coverage(image.shape[0], shape[0])
    columns = _coverage(image.shape[1], shape[1])
    channels = np.moveaxis(image.reshape(*image.shape[:2], -1), -1, 0).astype(np.float32)
    means = np.moveaxis(rows @ channels @ columns.T, 0, -1).reshape(*shape, *image.shape[2:])
    return np.floor(means + 0.5).astype(np.uint8)


def _coverage(old, new):
    """Return (new, old) share of each old pixel in each new one; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    overlap = np.clip(overlap, 0, None)
    return (overlap / overlap.sum(1, keepdims=True)).astype(np.float32)


def _resize_nearest(image, shape):
    """Resize by the pixel at the new pixel's top left corner (OpenCV's INTER_NEAREST), not the one at its
    center.
    """
    rows = np.arange(shape[0]) * image.shape[0] // shape[0]
    columns = np.arange(shape[1]) * image.shape[1] // shape[1]
    return image[rows][:, columns]


def to_input_pixels(
    coordinates: np.ndarray, original_size: Tuple[int, int], input_size: Tuple[int, int]
) -> np.ndarray:
    """Scale (..., 2) or (..., 4) x, y, x, y from pixels of the image to pixels of the input.

    As SAM does it: plain factors, one for each axis; its prompt encoder adds the half pixel itself.
    """
    factors = np.array([input_size[1] / original_size[1], input_size[0] / original_size[0]], np.float32)
    return np.asarray(coordinates, np.float32) * np.resize(factors, np.shape(coordinates)[-1])


def to_image_logits(
    low_res: Tensor, original_size: Tuple[int, int], input_size: Tuple[int, int], form: InputFormat
) -> Tensor:
    """Enlarge logits (n, L, L) of the square input to those of the image (n, H, W).

    Bilinear, first to the input's size if that is larger, then without its padding to the image's.
    """
    if form.upsample == "probabilities":
        # Clamped where float32 probabilities end, so that the logits stay finite.
        return torch.logit(_enlarge(torch.sigmoid(low_res), original_size), 1e-7)
    if low_res.shape[-1] != form.size:
        low_res = _enlarge(low_res, (form.size, form.size))
    return _enlarge(low_res[:, : input_size[0], : input_size[1]], original_size)


def _enlarge(maps, shape):
    return functional.interpolate(maps[:, None], shape, mode="bilinear", align_corners=False)[:, 0]


def resized_shape(height: int, width: int, side: int) -> Tuple[int, int]:
    """Return (h, w) of an image whose longest side becomes ``side``; never 0."""
    scale = side / max(height, width)
    return max(int(height * scale + 0.5), 1), max(int(width * scale + 0.5), 1)


def resize_longest_side(image: np.ndarray, side: int) -> np.ndarray:
    """Scale the longest side to ``side``, up or down.

    Pillow's antialiased bilinear filter with its rounding to uint8 is what SAM-UNet was trained with;
    other resizes differ by up to 24 gray levels.

    :param image: (H, W) or (H, W, 3) uint8.
    :return: (h, w) or (h, w, 3) uint8.
    """
    height, width = resized_shape(*image.shape[:2], side)
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def normalized_square(image: np.ndarray, side: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return (3, side, side) float32: ``(image - mean) / std``, padded right and bottom with 0 afterwards.

    :param image: (h, w) or (h, w, 3) uint8, at most ``side`` on each side; gray becomes three equal channels.
    """
    height, width = image.shape[:2]
    channels = torch.from_numpy(image.astype(np.float32)).reshape(height, width, -1).permute(2, 0, 1)
    square = torch.zeros(3, side, side)
    square[:, :height, :width] = (channels - _column(mean)) / _column(std)
    return square


def _column(values):
    return torch.tensor(values).view(3, 1, 1)
