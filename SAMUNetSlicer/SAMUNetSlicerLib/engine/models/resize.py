"""From an 8-bit image of any size to the network's square input."""

from typing import Sequence, Tuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def resized_shape(height: int, width: int, side: int) -> Tuple[int, int]:
    """(h, w) of an image whose longest side becomes ``side``; never 0."""
    scale = side / max(height, width)
    return max(int(height * scale + 0.5), 1), max(int(width * scale + 0.5), 1)


def resize_longest_side(image: np.ndarray, side: int) -> np.ndarray:
    """Scale the longest side to ``side``, up or down.

    Pillow's antialiased bilinear filter with its rounding to uint8 is what SAM-UNet was trained with;
    other resizes differ by up to 24 grey levels.

    :param image: (H, W) or (H, W, 3) uint8.
    :return: (h, w) or (h, w, 3) uint8.
    """
    height, width = resized_shape(*image.shape[:2], side)
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def normalised_square(image: np.ndarray, side: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(3, side, side) float32: ``(image - mean) / std``, padded right and bottom with 0 afterwards.

    :param image: (h, w) or (h, w, 3) uint8, at most ``side`` on each side; grey becomes three equal channels.
    """
    height, width = image.shape[:2]
    channels = torch.from_numpy(image.astype(np.float32)).reshape(height, width, -1).permute(2, 0, 1)
    square = torch.zeros(3, side, side)
    square[:, :height, :width] = (channels - _column(mean)) / _column(std)
    return square


def _column(values):
    return torch.tensor(values).view(3, 1, 1)
