"""Define a box in space: the region in which a structure is looked for."""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from ...errors import InputError
from .plane import SlicePlane
from .planeFactory import outline
from .volumeGeometry import matrixToArray


@dataclass(frozen=True, eq=False)
class RegionBox:
    """Box in space.

    ``unitToRAS``: (4, 4) from the cube of side 1 around the origin to the box in RAS, mm.
    """

    unitToRAS: np.ndarray

    @classmethod
    def fromCorners(cls, first, opposite, toRAS: Optional[np.ndarray] = None) -> "RegionBox":
        """Make the box between two corners.

        :param first, opposite: two opposite corners (3,) along the axes of a coordinate system.

        :param toRAS: (4, 4) from that system to RAS, voxel indices for example; RAS itself if None.
        :raises InputError: the box has no volume.
        """
        corners = np.array([first, opposite], dtype=np.float64).reshape(2, 3)
        size = np.abs(corners[1] - corners[0])
        if not np.isfinite(corners).all() or size.min() <= 0:
            raise InputError("The region has no volume: give two opposite corners of a box.")
        unit = np.diag([*size, 1.0])
        unit[:3, 3] = corners.mean(axis=0)
        return cls(unit if toRAS is None else toRAS @ unit)

    @classmethod
    def fromNode(cls, roiNode) -> "RegionBox":
        """Make the box of a vtkMRMLMarkupsROINode, as it is turned and moved.

        :raises InputError: the box has no volume.
        """
        half = np.array(roiNode.GetSize()) / 2
        return cls.fromCorners(-half, half, matrixToArray(roiNode.GetObjectToWorldMatrix()))

    def pixelBox(self, plane: SlicePlane) -> Optional[np.ndarray]:
        """Return the half-open box [x0, y0, x1, y1) float32 around the region's cut through a slice.

        :return: clipped to the image; None if the slice misses the region or cuts less than a pixel off it.
        """
        offset = float(plane.normal @ plane.planeToRAS[:3, 3])
        corners = outline(plane.normal, offset, self.unitToRAS, (1, 1, 1))
        if not len(corners):
            return None
        pixels, _ = plane.rasToPixel(corners)
        size = np.array([plane.shape[1], plane.shape[0]])
        low, high = (np.clip(bound + 0.5, 0, size) for bound in (pixels.min(axis=0), pixels.max(axis=0)))
        return np.hstack([low, high]).astype(np.float32) if (high - low >= 1).all() else None
