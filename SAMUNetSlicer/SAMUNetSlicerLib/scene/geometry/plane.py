"""Define the plane that a prompt, an image and a mask share: a pixel grid with its place in the patient."""

import hashlib
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from ...errors import InputError
from .volumeGeometry import ijkToRAS, mapPoints

# Rounding of the signature in mm: far below any voxel, far above the noise of float64 matrices.
_SIGNATURE_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """A grid of pixels on a flat slice of the patient, oriented as Slicer displays the slice.

    ``planeToRAS``: (4, 4) float64, read-only; takes (x, y, z, 1) with x the column (to the right), y the row
    (down), integers at pixel centers, to world RAS in mm.  Columns 0 and 1 are one pixel's step; they
    are parallel to voxel axes when the plane is a volume plane (and then not perpendicular if the volume is
    sheared).  Column 2 is the unit normal times ``thickness``, towards +R, +A or +S, whichever is nearest.
    ``shape``: (H, W) of the grid.
    ``axis``: "I", "J" or "K", the voxel axis that is constant on the plane, None if the plane is oblique to
    the volume; ``index``: the voxel index along it, None if oblique.
    ``thickness``: mm from this slice to the next.
    """

    planeToRAS: np.ndarray
    shape: Tuple[int, int]
    axis: Optional[str]
    index: Optional[int]
    thickness: float

    def __post_init__(self):
        matrix = np.array(self.planeToRAS, dtype=np.float64)
        matrix.flags.writeable = False
        object.__setattr__(self, "planeToRAS", matrix)
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        object.__setattr__(self, "thickness", float(self.thickness))

    @property
    def normal(self) -> np.ndarray:
        """Unit normal in RAS, (3,)."""
        return self.planeToRAS[:3, 2] / self.thickness

    @property
    def spacing(self) -> Tuple[float, float]:
        """Size of a pixel in mm: (along x, along y)."""
        stepX, stepY = np.linalg.norm(self.planeToRAS[:3, :2], axis=0)
        return float(stepX), float(stepY)

    def rasToPlane(self) -> np.ndarray:
        """Return the (4, 4) inverse of ``planeToRAS``; its third coordinate counts slices from this plane."""
        return np.linalg.inv(self.planeToRAS)

    def planeToIJK(self, volumeNode) -> np.ndarray:
        """Return (4, 4) from (x, y, z, 1) to the voxel indices of any volume, whose parent transform
        counts.
        """
        return np.linalg.inv(ijkToRAS(volumeNode)) @ self.planeToRAS

    def pixelToRAS(self, pixels) -> np.ndarray:
        """Convert pixels (n, 2) given as (x, y), fractions allowed, to world RAS (n, 3) in mm."""
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        return mapPoints(self.planeToRAS, np.column_stack([pixels, np.zeros(len(pixels))]))

    def rasToPixel(self, points) -> Tuple[np.ndarray, np.ndarray]:
        """Convert world points (n, 3) to pixels (n, 2) as (x, y) and their signed distance (n,) in mm.

        The distance is along the normal, positive towards the next slice.  Pixels outside the grid are
        returned as they are; ``contains`` tells them apart.
        """
        onPlane = mapPoints(self.rasToPlane(), points)
        return onPlane[:, :2], onPlane[:, 2] * self.thickness

    def contains(self, pixels) -> np.ndarray:
        """Return (n,) bool: which pixels (n, 2) lie on the grid, counting the whole area of its border
        pixels.
        """
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        size = np.array([self.shape[1], self.shape[0]])
        return np.all((pixels >= -0.5) & (pixels < size - 0.5), axis=1)

    def sameAs(self, other: "SlicePlane", tolerance: float = 1e-3) -> bool:
        """Tell whether both grids cover the same pixels: no corner is further apart than tolerance mm."""
        if self.shape != other.shape:
            return False
        corners = [[0, 0], [self.shape[1], 0], [0, self.shape[0]]]
        difference = self.pixelToRAS(corners) - other.pixelToRAS(corners)
        return bool(np.abs(difference).max() <= tolerance)

    def signature(self) -> str:
        """Return a short text, equal for equal grids: in a file name, a dictionary key, a node attribute."""
        values = np.round(self.planeToRAS, _SIGNATURE_DECIMALS) + 0.0  # + 0.0: no negative zeros
        digest = hashlib.blake2b(values.tobytes() + repr(self.shape).encode(), digest_size=8).hexdigest()
        return f"{self.axis}{self.index}-{digest}" if self.axis else f"oblique-{digest}"

    def toDict(self) -> dict:
        """Return plain JSON values; ``fromDict`` gives the identical plane back."""
        return {
            "planeToRAS": self.planeToRAS.tolist(),
            "shape": list(self.shape),
            "axis": self.axis,
            "index": self.index,
            "thickness": self.thickness,
        }

    @classmethod
    def fromDict(cls, values: dict) -> "SlicePlane":
        """Read what ``toDict`` has returned.

        :raises InputError: the values are not those of a plane.
        """
        try:
            plane = cls(**values)
        except (TypeError, ValueError, IndexError) as error:
            raise InputError(f"The stored slice plane cannot be read ({error}).") from error
        if not plane._isPlacement():
            raise InputError(
                "The stored slice plane cannot be read: its matrix does not place pixels in space."
            )
        return plane

    def _isPlacement(self) -> bool:
        matrix = self.planeToRAS
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or min(self.shape) < 1:
            return False
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)
        return bool(
            self.thickness > 0 and lengths.min() > 0 and abs(np.linalg.det(matrix[:3, :3] / lengths)) > 1e-6
        )
