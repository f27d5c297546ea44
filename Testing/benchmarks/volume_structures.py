"""Which structures of the labeled volumes a simulated user segments, by a rule and not by results.

Within each class of a volume the labels are sorted by size; those of at least 300 voxels on at least 7 axial
slices of which 90 % are one connected part stay, and every second one of the 12 largest is taken (left and
right are neighbors in this order).  Structures in two parts are pairs taken as one.  Half of all, by the MD5
sum of their names, are for tuning; the others were never looked at.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from scipy import ndimage

LEAST_VOXELS, LEAST_SLICES, LEAST_SHARE, MOST = 300, 7, 0.9, 6

# Label values of TotalSegmentator and FreeSurfer, grouped by what they look like.
CT = {
    "organ": range(1, 25),
    "vessel": range(52, 69),
    "bone": (*range(25, 51), *range(69, 79)),
    "muscle": range(80, 90),
}
MR = {"organ": range(1, 15), "vessel": range(21, 26), "muscle": range(40, 50)}
VOLUMES = {
    "ts_ct3mm": (
        CT,
        {
            "kidneys": (2, 3),
            "hips": (77, 78),
            "autochthon": (86, 87),
            "gluteus": (80, 81),
            "iliacs": (67, 68),
        },
    ),
    "ts_ct512": (CT, {"autochthon": (86, 87), "costal": (117,)}),
    "ts_mr3mm": (MR, {"kidneys": (2, 3), "autochthon": (46, 47)}),
    "la2018_case99": ({"organ": (1,)}, {}),
    "fs_t1_norm": (
        {"brain": range(4, 60)},
        {
            "callosum": (251, 252, 253, 254, 255),
            "hippocampi": (17, 53),
            "thalami": (10, 49),
            "ventricles": (4, 43),
        },
    ),
    "pyrad_lung2": ({"lesion": (1,)}, {}),
}


class Structure(NamedTuple):
    """``name``: volume/label or volume/pair; ``truth``: (K, J, I) bool."""

    name: str
    kind: str
    truth: np.ndarray


def structures(volume, labels, which):
    """The structures of a volume that are for tuning ("tuned"), that are not ("unseen"), or all."""
    classes, pairs = VOLUMES[volume]
    found = []
    for kind, values in classes.items():
        sizes = {value: np.count_nonzero(labels == value) for value in values}
        fit = [value for value in sizes if sizes[value] and _is_fit(labels == value)]
        for value in sorted(fit, key=lambda value: -sizes[value])[::2][:MOST]:
            found.append((f"{volume}/{value}", kind, (value,)))
    found += [(f"{volume}/{name}", "two parts", values) for name, values in pairs.items()]
    for name, kind, values in found:
        if which == "all" or _is_unseen(name) == (which == "unseen"):
            yield Structure(name, kind, np.isin(labels, values))


def _is_unseen(name):
    return hashlib.md5(name.encode()).digest()[0] % 2 == 1


def _is_fit(truth):
    if np.count_nonzero(truth) < LEAST_VOXELS or np.count_nonzero(truth.any(axis=(1, 2))) < LEAST_SLICES:
        return False
    parts, _ = ndimage.label(truth)
    return np.bincount(parts.ravel())[1:].max() >= LEAST_SHARE * np.count_nonzero(truth)
