"""Read folders laid out as SA-Med2D-20M: one file per image, one binary mask file per structure.

``images/ct_00--AbdomenCT1K--Case_00011--x_0041.png`` and
``masks/ct_00--AbdomenCT1K--Case_00011--x_0041--0000_001.png``: modality, data set, case, slice, and for masks
class and instance.  Source: Ye et al., "SA-Med2D-20M Dataset", arXiv 2311.11969.
"""

from pathlib import Path
from typing import List, Union

from ...errors import InputError
from .corpus import MANIFEST, Sample, read_manifest

_LICENSE = "CC-BY-NC-SA-4.0 (SA-Med2D)"


def read_sa_med2d(folder: Union[str, Path]) -> List[Sample]:
    """Read one sample per mask file whose image exists, sorted by name; masks without an image are left out.

    :raises InputError: the folder has no such pair.
    """
    folder = Path(folder)
    samples = [_sample(folder, mask) for mask in sorted((folder / "masks").glob("*--*--*--*--*.png"))]
    found = [sample for sample in samples if sample.image.exists()]
    if not found:
        raise InputError(f"{folder} holds neither {MANIFEST} nor images/ and masks/ named as in SA-Med2D.")
    return found


def _sample(folder, mask):
    image, _, structure = mask.stem.rpartition("--")
    modality, source, case = image.split("--")[:3]
    return Sample(
        image=folder / "images" / f"{image}.png",
        mask=mask,
        source=source,
        modality=modality,
        patient=case,
        license=_LICENSE,
        labels={255: structure.split("_")[0], 1: structure.split("_")[0]},
    )


def read_corpus(folder: Union[str, Path]) -> List[Sample]:
    """Read the samples of a folder of either layout."""
    return read_manifest(folder) if (Path(folder) / MANIFEST).exists() else read_sa_med2d(folder)
