"""Define what the demo segments: structures of the sample volumes, prompted where their labels say they
are.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np
import SimpleITK as sitk

from ...errors import InputError
from ...scene.geometry import SlicePlane, extractSlice
from ..prompts import resolvePlane

# Drawn boxes are never exact: each side lies this fraction of the structure's extent, but at least
# two pixels, outside of it.
BOX_MARGIN = 0.05
_LEAST_MARGIN = 2.0


@dataclass(frozen=True)
class DemoStructure:
    """One structure on one slice; ``prompt`` is "box" or "click", ``plane`` as in a prompts file."""

    name: str
    plane: Mapping[str, Any]
    prompt: str = "box"


@dataclass(frozen=True)
class DemoCase:
    """The structures of one sample volume."""

    volume: str
    title: str
    structures: Tuple[DemoStructure, ...]


CASES = (
    DemoCase(
        "ts_ct512.nii.gz",
        "CT, 512 x 512",
        (
            DemoStructure("Liver", {"orientation": "axial", "index": 10}),
            DemoStructure("Spleen", {"orientation": "axial", "index": 10}, "click"),
            DemoStructure("Stomach", {"orientation": "axial", "index": 10}),
            DemoStructure("Aorta", {"orientation": "axial", "index": 10}, "click"),
        ),
    ),
    DemoCase(
        "ts_ct3mm.nii.gz",
        "CT, 3 mm",
        (
            DemoStructure("Spleen", {"orientation": "coronal", "index": 37}),
            DemoStructure("Right kidney", {"orientation": "sagittal", "index": 83}, "click"),
            DemoStructure("Urinary bladder", {"orientation": "axial", "index": 18}),
            # Tilted by 30 degrees out of the axial plane, through the middle of the gallbladder.
            DemoStructure("Gallbladder", {"origin": [65, 212, 363], "normal": [0.5, 0, 0.866]}, "click"),
        ),
    ),
)


class LabeledVolume:
    """The truth of a sample volume: its label map and the names and codes of its values."""

    def __init__(self, folder: Path, volume: str):
        catalog = _readLabels(folder)
        (case,) = [case for case in catalog["cases"] if case["volume"] == volume]
        self.labelFile = folder / case["labels"]
        self._category = catalog["category"]
        self._structures = {structure["name"]: structure for structure in case["structures"]}

    def mask(self, labelNode, plane: SlicePlane, name: str) -> np.ndarray:
        """Return bool (H, W): the structure on the plane, by the nearest voxel."""
        return extractSlice(labelNode, plane, interpolate=False) == self._structures[name]["value"]

    def terminology(self, name: str) -> Dict[str, List[str]]:
        """Return codes of a structure as in a prompts file."""
        structure = self._structures[name]
        codes = {"category": self._category, "type": structure["type"]}
        return {**codes, "typeModifier": structure["modifier"]} if "modifier" in structure else codes


def promptsDocument(case: DemoCase, truth: LabeledVolume, labelNode, volumeNode) -> Dict[str, Any]:
    """Return a prompts file that outlines each structure of a case.

    :raises InputError: a structure is not on its slice.
    """
    segments = []
    for structure in case.structures:
        plane = resolvePlane(structure.plane, volumeNode)
        mask = truth.mask(labelNode, plane, structure.name)
        if not mask.any():
            raise InputError(f"{case.volume} shows no {structure.name} on the slice of the demo.")
        prompts = {"boxes": [_looseBox(plane, mask)]} if structure.prompt == "box" else _click(plane, mask)
        segments.append(
            {
                "name": structure.name,
                "terminology": truth.terminology(structure.name),
                "planes": [{"plane": dict(structure.plane), **prompts}],
            }
        )
    return {"version": 1, "window": {"mode": "preset:abdomen"}, "segments": segments}


def _looseBox(plane: SlicePlane, mask: np.ndarray) -> Dict[str, Any]:
    rows, columns = np.nonzero(mask)
    corners = np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]], dtype=np.float64)
    margin = np.maximum(BOX_MARGIN * (corners[1] - corners[0] + 1), _LEAST_MARGIN)
    height, width = mask.shape
    loose = np.clip(corners + np.array([-margin, margin]), 0, [width - 1, height - 1])
    return {"ras": plane.pixelToRAS(loose).round(4).tolist()}


def _click(plane: SlicePlane, mask: np.ndarray) -> Dict[str, Any]:
    """Return the pixel deepest inside: where a person would click."""
    image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
    depth = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(image, insideIsPositive=True))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    (position,) = plane.pixelToRAS([[column, row]]).round(4).tolist()
    return {"points": [{"ras": position, "label": "positive"}]}


def _readLabels(folder: Path) -> Dict[str, Any]:
    try:
        return json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The sample data are not in {folder}: run the demo in a checkout of the sources, or give --data."
        ) from error
