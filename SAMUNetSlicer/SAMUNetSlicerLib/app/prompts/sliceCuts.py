"""Cut a volume's own slices through points, boxes in space and other segmentations."""

from itertools import combinations
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ...errors import PromptError
from ...scene.geometry import AXES, SlicePlane, dimensions, ijkToRAS, mapPoints, planeFromAxis
from ...scene.prompts import boxCornersOfPixels
from .fromFile import BoxPrompt, PlanePrompts, PointPrompt

# Parts of a label with less than this share of the area of its largest part on the slice are specks.
_SPECK = 0.1


class SlicesOf(NamedTuple):
    """The slices of a volume across one of its voxel axes."""

    volumeNode: object
    axis: str

    @classmethod
    def nearestTo(cls, volumeNode, orientation: str) -> "SlicesOf":
        """Return the slices nearest to "axial", "sagittal" or "coronal"."""
        return cls(volumeNode, planeFromAxis(volumeNode, orientation).axis)

    @property
    def count(self) -> int:
        return dimensions(self.volumeNode)[AXES.index(self.axis)]

    def plane(self, index: int) -> SlicePlane:
        return planeFromAxis(self.volumeNode, self.axis, index)

    def positions(self, points) -> np.ndarray:
        """Return slice indices (n,), with fractions, of world points (n, 3)."""
        return mapPoints(np.linalg.inv(ijkToRAS(self.volumeNode)), points)[:, AXES.index(self.axis)]

    def entry(self, index: int, points: Sequence = (), boxes: Sequence = (), where="") -> PlanePrompts:
        """Return the prompts on one slice."""
        return PlanePrompts({"axis": self.axis, "index": int(index)}, tuple(points), tuple(boxes), where)


def pointEntries(
    slices: SlicesOf, points: Sequence[Tuple[np.ndarray, bool]], where: str
) -> List[PlanePrompts]:
    """Return points on the slices that they lie in, those of one slice together.

    :param points: (world position (3,), whether it is positive) of each.
    """
    bySlice: Dict[int, List[PointPrompt]] = {}
    for position, isPositive in points:
        index = int(np.floor(slices.positions(position)[0] + 0.5))
        if not 0 <= index < slices.count:
            raise PromptError(f"{where} has a point outside the volume: move or remove it.")
        bySlice.setdefault(index, []).append(PointPrompt(tuple(position), "ras", isPositive))
    return [slices.entry(index, found, where=where) for index, found in bySlice.items()]


def boxesInSpace(slices: SlicesOf, corners: np.ndarray) -> Dict[int, BoxPrompt]:
    """Return a box on every slice that a box in space cuts, by slice index; it may be turned.

    :param corners: (2, 2, 2, 3) world, by the end of each edge of the box.
    """
    flat = corners.reshape(8, 3)
    positions = slices.positions(flat)
    first, last = int(np.ceil(positions.min())), int(np.floor(positions.max()))
    if first > last:  # it lies between two slices, as one drawn on a thin slice may
        first = last = int(np.floor(positions.mean() + 0.5))
    found = {}
    for index in range(max(first, 0), min(last, slices.count - 1) + 1):
        plane = slices.plane(index)
        box = _pixelsBetween(plane.rasToPixel(_cut(flat, positions - index))[0], plane)
        if box is not None:
            found[index] = BoxPrompt(boxCornersOfPixels(plane, box), "ras")
    return found


def partBoxes(mask: np.ndarray, plane: SlicePlane, margin: float) -> List[BoxPrompt]:
    """Return a box around each 8-connected part of a mask, specks left out.

    :param mask: bool (H, W) on the plane.
    :param margin: how far a box reaches beyond its part, as a share of its width and height.
    """
    import SimpleITK as sitk

    labels = sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True)
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(labels)
    largest = max((shapes.GetNumberOfPixels(label) for label in shapes.GetLabels()), default=0)
    found = []
    for label in shapes.GetLabels():
        if shapes.GetNumberOfPixels(label) >= _SPECK * largest:
            x, y, width, height = shapes.GetBoundingBox(label)
            grown = np.array([x - margin * width, y - margin * height])
            ends = np.array([x + (1 + margin) * width, y + (1 + margin) * height])
            box = _onImage(np.floor(grown), np.ceil(ends), plane)
            found.append(BoxPrompt(boxCornersOfPixels(plane, box), "ras"))
    return found


def _cut(corners: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return where the edges of a box (8, 3) pass the plane at height 0; the nearest corner if none does."""
    points = []
    for a, b in combinations(range(8), 2):
        isEdge = bin(a ^ b).count("1") == 1
        if isEdge and heights[a] * heights[b] <= 0 and heights[a] != heights[b]:
            share = heights[a] / (heights[a] - heights[b])
            points.append(corners[a] + share * (corners[b] - corners[a]))
    return np.array(points or corners)


def _pixelsBetween(pixels: np.ndarray, plane: SlicePlane) -> Optional[np.ndarray]:
    """Return half-open box [x0, y0, x1, y1) of the pixels whose centers lie between positions, None if none
    does.
    """
    box = _onImage(np.ceil(pixels.min(axis=0)), np.floor(pixels.max(axis=0)) + 1, plane)
    return box if (box[:2] < box[2:]).all() else None


def _onImage(low: np.ndarray, high: np.ndarray, plane: SlicePlane) -> np.ndarray:
    size = np.array([plane.shape[1], plane.shape[0]])
    return np.concatenate([np.clip(low, 0, size), np.clip(high, 0, size)])
