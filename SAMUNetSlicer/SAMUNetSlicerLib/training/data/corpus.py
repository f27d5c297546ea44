"""Read labeled 2D images from disk: what there is, whose it is, and the single structures in it.

Layout: a folder with ``manifest.csv`` (columns image, mask, source, modality, labels, licence, patient, ...),
images as 8-bit PNG, label maps as PNG (0 = background).
"""

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, List, Mapping, Sequence, Tuple, Union

import numpy as np
from PIL import Image
from scipy import ndimage

from ...errors import InputError

MANIFEST = "manifest.csv"
# SA-Med2D's lower limit of a mask, as a fraction of the image (arXiv 2311.11969).
MIN_FRACTION = 0.00153
# Fraction of every source's patients that training leaves out, to choose among its results.
HELD_OUT = 0.08
# Words in the licenses of sources that no shipped weights may be made of.
EXCLUDED_LICENSES = ("GPL",)
EIGHT_NEIGHBORS = np.ones((3, 3), int)


@dataclass(frozen=True)
class Sample:
    """One image with its label map; ``labels`` names the label values, ``anatomy`` what is shown if known."""

    image: Path
    mask: Path
    source: str
    modality: str
    patient: str
    license: str
    labels: Mapping[int, str]
    anatomy: str = ""

    @property
    def name(self) -> str:
        return f"{self.source}/{self.mask.stem}"


@dataclass(frozen=True, eq=False)
class Target:
    """One connected structure: ``mask`` (H, W) bool and the label value it comes from."""

    mask: np.ndarray
    label: int


def read_manifest(folder: Union[str, Path]) -> List[Sample]:
    """Read all samples of a corpus folder, in the manifest's order.

    :raises InputError: there is no manifest, or it lacks a column.
    """
    folder = Path(folder)
    try:
        with open(folder / MANIFEST, newline="", encoding="utf-8") as file:
            return [_sample(folder, row) for row in csv.DictReader(file)]
    except OSError as error:
        raise InputError(f"{folder} holds no readable {MANIFEST}: choose a corpus folder.") from error
    except (KeyError, ValueError) as error:
        raise InputError(f"{folder / MANIFEST} is not a corpus manifest: {error}.") from error


def _sample(folder, row):
    labels = {int(value): name for value, name in json.loads(row["labels"] or "{}").items()}
    image, mask = folder / row["image"], folder / row["mask"]
    about = row["source"], row["modality"], row["patient"], row["licence"]
    return Sample(image, mask, *about, labels, row.get("anatomy") or "")


def load_pair(sample: Sample) -> Tuple[np.ndarray, np.ndarray]:
    """Load an image (H, W) or (H, W, 3) uint8 and its label map (H, W) int32.

    :raises InputError: a file is missing or damaged, or the two sizes differ.
    """
    try:
        with Image.open(sample.image) as image:
            pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
        with Image.open(sample.mask) as mask:
            labels = np.asarray(mask).astype(np.int32)
    except OSError as error:
        raise InputError(f"The image pair of {sample.name} cannot be read: {error}.") from error
    labels = labels[..., 0] if labels.ndim == 3 else labels
    if labels.shape != pixels.shape[:2]:
        raise InputError(f"Image and mask of {sample.name} differ in size: {pixels.shape}, {labels.shape}.")
    return pixels, labels


def targets(labels: np.ndarray, min_fraction: float = MIN_FRACTION) -> List[Target]:
    """Return connected components (8 neighbors) of every label that cover more than ``min_fraction``, by
    size.
    """
    found = []
    # Label by label within its own window: an image of cells has a hundred.
    for value, window in enumerate(ndimage.find_objects(labels), 1):
        if window is None:
            continue
        parts, _ = ndimage.label(labels[window] == value, EIGHT_NEIGHBORS)
        areas = np.bincount(parts.ravel())[1:]
        for part in np.flatnonzero(areas > min_fraction * labels.size):
            mask = np.zeros(labels.shape, bool)
            mask[window] = parts == part + 1
            found.append(Target(mask, value))
    return sorted(found, key=lambda target: -int(target.mask.sum()))


def usable(samples: Iterable[Sample], excluded: Sequence[str] = EXCLUDED_LICENSES) -> List[Sample]:
    """Return the samples whose license contains none of the words."""
    return [sample for sample in samples if not any(word in sample.license for word in excluded)]


def split_by_patient(
    samples: Iterable[Sample], held_out: float = HELD_OUT
) -> Tuple[List[Sample], List[Sample]]:
    """Split samples into (training, held out): about the fraction ``held_out`` of every source's patients,
    never a part of one.

    The choice depends on source and patient alone, so that it is the same in every run and for every order.
    """
    training, development = [], []
    for sample in samples:
        digest = hashlib.blake2b(f"{sample.source}/{sample.patient}".encode(), digest_size=4).digest()
        chosen = int.from_bytes(digest, "big") < held_out * 2**32
        (development if chosen else training).append(sample)
    return training, development
