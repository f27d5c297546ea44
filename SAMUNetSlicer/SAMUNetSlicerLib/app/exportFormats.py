"""The file formats of an export, by the key that options and commands name them with."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

from ..errors import InputError
from ..scene.labelTable import exportLabelTable
from ..scene.segmentationExport import (
    ExportedFile,
    exportLabelmap,
    exportMeasurements,
    exportSegmentation,
    segmentsToExport,
)
from ..scene.segmentLayers import requireSegment
from ..scene.surfaceExport import closedSurfaces, exportSurface
from .dicomSegmentation import exportDicomSegmentation
from .exportNames import distinctNames
from .provenanceFile import writeProvenance


@dataclass(frozen=True, eq=False)
class ExportSource:
    """What is exported.

    ``segmentIds``: which segments, None for all; .seg.nrrd and provenance always hold all of them.
    ``confidences``: in [0, 1] by segment ID, for the tables.
    ``volumeFile``: where the volume was read from, for the provenance.
    ``dicomSource``: series that the volume was read from: folder, file or list of files; for DICOM SEG.
    ``isPerSegment``: one label volume per segment instead of one for all.
    """

    segmentationNode: Any
    volumeNode: Any
    segmentIds: Any = None
    confidences: Mapping[str, float] = field(default_factory=dict)
    volumeFile: str = ""
    dicomSource: Any = None
    isPerSegment: bool = False

    @cached_property
    def ids(self) -> List[str]:
        return segmentsToExport(self.segmentationNode, self.segmentIds)

    @cached_property
    def names(self) -> Dict[str, str]:
        """File name of each segment, by its ID."""
        segments = [requireSegment(self.segmentationNode, each) for each in self.ids]
        return dict(zip(self.ids, distinctNames(each.GetName() for each in segments)))

    @cached_property
    def surfaces(self) -> Dict[str, Any]:
        return closedSurfaces(self.segmentationNode, self.ids)


class Format(NamedTuple):
    """``ending``: of its files; ``title``: for users; ``write``: (source, stem, ending) -> files."""

    ending: str
    title: str
    write: Callable[[ExportSource, Path, str], List[ExportedFile]]


def formatsOf(keys: Sequence[str]) -> List[Format]:
    """:raises InputError: there is no such format, or none is given."""
    unknown = [key for key in keys if key not in FORMATS]
    if unknown or not keys:
        said = f"'{unknown[0]}' is no export format" if unknown else "No export format is chosen"
        raise InputError(f"{said}: use {', '.join(FORMATS)}.")
    return [FORMATS[key] for key in dict.fromkeys(keys)]


def _segmentation(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    return [exportSegmentation(source.segmentationNode, _path(stem, ending))]


def _labelmap(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    if not source.isPerSegment:
        path = _path(stem, ending)
        return [exportLabelmap(source.segmentationNode, source.volumeNode, path, source.ids)]
    files = []
    for segmentId, name in source.names.items():
        path = _path(stem, f"-{name}{ending}")
        try:
            files.append(exportLabelmap(source.segmentationNode, source.volumeNode, path, [segmentId]))
        except InputError:
            # The others are there: an empty segment is no reason to export nothing.
            files.append(ExportedFile(path, (f"'{name}' is empty on this volume and has no file.",)))
    return files


def _surfaces(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    files = []
    for segmentId, name in source.names.items():
        path, surface = _path(stem, f"-{name}{ending}"), source.surfaces.get(segmentId)
        if surface is None:
            files.append(ExportedFile(path, (f"'{name}' is empty and has no surface.",)))
        else:
            files.append(ExportedFile(exportSurface(surface, path)))
    return files


def _table(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    arguments = (_path(stem, ending), source.confidences, source.ids)
    return [exportMeasurements(source.segmentationNode, source.volumeNode, *arguments)]


def _labelTable(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    return [ExportedFile(exportLabelTable(source.segmentationNode, _path(stem, ending), source.ids))]


def _provenance(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    arguments = (source.segmentationNode, source.volumeNode, _path(stem, ending), source.volumeFile)
    return [ExportedFile(writeProvenance(*arguments))]


def _dicom(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    if source.dicomSource is None:
        raise InputError(
            f"DICOM SEG refers to the images that were segmented: give the DICOM series of "
            f"'{source.volumeNode.GetName()}'."
        )
    arguments = (source.dicomSource, _path(stem, ending), source.ids)
    return [exportDicomSegmentation(source.segmentationNode, source.volumeNode, *arguments)]


def _path(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


FORMATS = {
    "seg.nrrd": Format(".seg.nrrd", "Slicer segmentation (.seg.nrrd)", _segmentation),
    "nifti": Format(".nii.gz", "Label volume, NIfTI (.nii.gz)", _labelmap),
    "nrrd": Format(".nrrd", "Label volume, NRRD (.nrrd)", _labelmap),
    "mha": Format(".mha", "Label volume, MetaImage (.mha)", _labelmap),
    "label-table": Format(".ctbl", "Names and colors of the labels (.ctbl)", _labelTable),
    "dicom-seg": Format(".seg.dcm", "DICOM Segmentation (.seg.dcm)", _dicom),
    "stl": Format(".stl", "Surfaces, STL (.stl)", _surfaces),
    "obj": Format(".obj", "Surfaces, Wavefront (.obj)", _surfaces),
    "ply": Format(".ply", "Surfaces, PLY (.ply)", _surfaces),
    "csv": Format(".csv", "Measurements, CSV (.csv)", _table),
    "parquet": Format(".parquet", "Measurements, Parquet (.parquet)", _table),
    "prompts": Format(".provenance.json", "Prompts and provenance (.provenance.json)", _provenance),
}
LABELMAP_KEYS = ("nifti", "nrrd", "mha")
DEFAULT_KEYS = ("seg.nrrd", "nifti", "csv", "prompts")
