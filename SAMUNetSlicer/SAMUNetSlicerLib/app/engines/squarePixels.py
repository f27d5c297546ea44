"""Give the network square pixels, whatever the slice distance of the volume.

Networks have learned from pictures with square pixels.  A coronal slice of a CT with 5 mm between its slices
is a strip of 11 rows; given to the network like that, a box around a tumor finds little of it.  Such slices
are stretched along their coarse direction first, and the mask is brought back to the slice's own pixels.

Measured with LiteMedSAM and exact boxes on the largest coronal and sagittal slices of lesions in five CT and
MR volumes with pixels of 3 to 9 to 1 (Testing/benchmarks/bench_square_pixels.py): mean Dice 0.44 as they
are, 0.82 stretched.
"""

from dataclasses import dataclass, replace
from typing import Tuple

import numpy as np
from PIL import Image

from ...engine.types import POSITIVE, Prediction, Prompts

# Up to here pixels are left as they are, so that ordinary slices are not resampled twice.
_TOLERATED_RATIO = 1.25


@dataclass(frozen=True)
class SquarePixels:
    """Map a slice to nearly square pixels, and the network's answer back.

    :param shape: rows and columns of the slice.
    :param spacing: distance of its pixels along x and y, in mm.
    """

    shape: Tuple[int, int]
    spacing: Tuple[float, float]

    @property
    def stretchedShape(self) -> Tuple[int, int]:
        """Return rows and columns once the coarser direction is as fine as the other one."""
        alongX, alongY = self.spacing
        finest = min(alongX, alongY)
        if max(alongX, alongY) <= _TOLERATED_RATIO * finest:
            return self.shape
        height, width = self.shape
        return max(1, round(height * alongY / finest)), max(1, round(width * alongX / finest))

    def image(self, image: np.ndarray) -> np.ndarray:
        """Stretch an image, uint8 (H, W) or (H, W, 3); one with nearly square pixels is returned as it is."""
        height, width = self.stretchedShape
        if (height, width) == self.shape:
            return image
        return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))

    def prompts(self, prompts: Prompts) -> Prompts:
        """Move prompts in pixels of the slice to the pixels of the stretched image."""
        if self.stretchedShape == self.shape:
            return prompts
        points = (prompts.points + 0.5) * self._factors - 0.5  # points count from centers, boxes from edges
        boxes = prompts.boxes * np.tile(self._factors, 2)
        mask = None if prompts.mask is None else self.mask(prompts.mask)
        return replace(prompts, points=points.astype(np.float32), boxes=boxes.astype(np.float32), mask=mask)

    def values(self, values: np.ndarray) -> np.ndarray:
        """Stretch intensities, (H, W) float32, as ``image`` does."""
        return values if self.stretchedShape == self.shape else _resized(values, self.stretchedShape)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Stretch a mask, (H, W) bool."""
        if self.stretchedShape == self.shape:
            return mask
        return _resized(mask, self.stretchedShape) > 0.5

    def prediction(self, prediction: Prediction, prompts: Prompts) -> Prediction:
        """Bring a prediction for the stretched image back to the pixels of the slice.

        A pixel belongs to the mask if the logits say so on the average over the pixel; one that was clicked
        follows the click if the network's mask does, also where the average does not.

        :param prompts: in pixels of the slice.
        """
        if self.stretchedShape == self.shape:
            return prediction
        logits = _resized(prediction.logits, self.shape)
        mask = logits > 0
        stretched = self.prompts(prompts)
        for point, networkPoint, label in zip(prompts.points, stretched.points, prompts.labels):
            isPositive = bool(label == POSITIVE)
            if prediction.mask[_pixel(networkPoint, prediction.mask.shape)] == isPositive:
                mask[_pixel(point, self.shape)] = isPositive
        boxes = prediction.boxes / np.tile(self._factors, 2)
        return replace(prediction, mask=mask, logits=logits, boxes=boxes)

    @property
    def _factors(self) -> np.ndarray:
        """Return how much longer the stretched image is along x and y."""
        height, width = self.stretchedShape
        return np.array([width / self.shape[1], height / self.shape[0]], np.float32)


def _resized(values: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _pixel(point: np.ndarray, shape: Tuple[int, int]) -> Tuple[int, int]:
    """Return row and column of the pixel that a point (x, y) is in."""
    x, y = np.floor(np.asarray(point) + 0.5).astype(int)
    return int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
