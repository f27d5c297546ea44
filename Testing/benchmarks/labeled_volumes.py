"""Real volumes with labels for benchmarks: which structures, and how well a mask agrees with them.

Structures are chosen by a rule: within each class of a volume the labels are sorted by size, those of which
less than 95 % are one connected part or that are on fewer than 12 axial slices are left out, and of the six
largest the first, third and fifth are taken (left and right sides are neighbors in this order).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from SAMUNetSlicerLib.app.files import loadVolume
from SAMUNetSlicerLib.scene.geometry import voxelArray

LEAST_SLICES, LEAST_SHARE = 12, 0.95
TAKEN = slice(0, 6, 3)

# Label values of TotalSegmentator and FreeSurfer, grouped by what they look like.
CT = {
    "organ": range(1, 25),
    "vessel": range(52, 69),
    "bone": (*range(25, 51), *range(69, 79)),
    "muscle": range(80, 90),
}
VOLUMES = {
    "ts_ct3mm": ("preset:abdomen", CT),
    "ts_mr3mm": ("slice", {"organ": range(1, 15)}),
    "la2018_case99": ("slice", {"organ": (1,)}),
    "pyrad_lung2": ("preset:mediastinum", {"lesion": (1,)}),
    "fs_t1_norm": ("slice", {"brain": range(4, 29)}),
    "ts_ct512": ("preset:abdomen", CT),
}


class Structure(NamedTuple):
    """``truth``: (K, J, I) bool."""

    volume: str
    kind: str
    label: int
    truth: np.ndarray


def load(host, folder, name):
    """The volume's node in the scene and its label map (K, J, I)."""
    paths = {path.name.split(".")[0]: path for path in Path(folder).iterdir()}
    volume, labels = (loadVolume(host, paths[stem]) for stem in (name, f"{name}_seg"))
    return volume, voxelArray(labels)


def structures(name, labels):
    """The structures of a volume that the rule chooses, largest first within each class."""
    found = []
    for kind, values in VOLUMES[name][1].items():
        sizes = {value: np.count_nonzero(labels == value) for value in values}
        fit = [value for value in sizes if sizes[value] and _is_fit(labels == value)]
        for value in sorted(fit, key=lambda value: -sizes[value])[TAKEN]:
            found.append(Structure(name, kind, value, labels == value))
    return found


def _is_fit(truth):
    if np.count_nonzero(truth.any(axis=(1, 2))) < LEAST_SLICES:
        return False
    parts, _ = ndimage.label(truth)
    return np.bincount(parts.ravel())[1:].max() >= LEAST_SHARE * np.count_nonzero(truth)


def dice(mask, truth):
    """2 |A and B| / (|A| + |B|)."""
    return 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))


def surface_dice(mask, truth, spacing, tolerance=2.0):
    """Share of both surfaces that lies within ``tolerance`` mm of the other one.

    Nikolov et al., "Clinically applicable segmentation of head and neck anatomy", 2018, with every voxel of a
    surface (6 neighbors) counting the same.

    :param mask, truth: (K, J, I) bool, neither empty.
    :param spacing: mm between voxels along K, J and I.
    """
    window = tuple(
        slice(places.min(), places.max() + 1) for places in np.nonzero(mask | truth)
    )  # distances within the union are the same
    surfaces = [_surface(np.pad(each[window], 1)) for each in (mask, truth)]
    near = [ndimage.distance_transform_edt(~each, spacing) <= tolerance for each in surfaces]
    within = np.count_nonzero(surfaces[0] & near[1]) + np.count_nonzero(surfaces[1] & near[0])
    return within / sum(map(np.count_nonzero, surfaces))


def _surface(mask):
    return mask & ~ndimage.binary_erosion(mask)
