"""Define the file formats of an export, by the key that options and commands name them with."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

from ...errors import InputError
from ...scene.export import (
    ExportedFile,
    closedSurfaces,
    exportLabelmap,
    exportLabelTable,
    exportMeasurements,
    exportSegNrrd,
    exportSurface,
    requirePyarrow,
    segmentsToExport,
)
from ...scene.geometry import parentToWorld
from ...scene.segments import requireSegment, sameLattice
from ..common import distinctNames
from .dicomReferences import requirePydicom
from .dicomSegmentation import exportDicomSegmentation
from .provenanceFile import writeProvenance


@dataclass(frozen=True, eq=False)
class ExportSource:
    """Segmentation and volume to export.

    ``segmentIds``: which segments, None for all; .seg.nrrd and provenance always hold all of them.
    ``confidences``: in [0, 1] by segment ID, for the tables.
    ``volumeFile``: where the volume was read from, for the provenance.
    ``dicomSource``: series that the volume was read from: folder, file or list of files; for DICOM SEG.
    ``isPerSegment``: one label volume per segment instead of one for all.
    ``joint``: between the name of the files and that of a segment, in files of one segment.
    """

    segmentationNode: Any
    volumeNode: Any
    segmentIds: Any = None
    confidences: Mapping[str, float] = field(default_factory=dict)
    volumeFile: str = ""
    dicomSource: Any = None
    isPerSegment: bool = False
    joint: str = "-"

    @cached_property
    def ids(self) -> List[str]:
        return segmentsToExport(self.segmentationNode, self.segmentIds)

    @cached_property
    def names(self) -> Dict[str, str]:
        """Return the file name of each segment, by its ID."""
        segments = [requireSegment(self.segmentationNode, each) for each in self.ids]
        return dict(zip(self.ids, distinctNames(each.GetName() for each in segments)))

    def pathOf(self, name: str, stem: Path, ending: str) -> Path:
        """Return the path of a file of one segment."""
        return _path(stem, f"{self.joint}{name}{ending}")

    @cached_property
    def surfaces(self) -> Dict[str, Any]:
        return closedSurfaces(self.segmentationNode, self.ids)


def _nothing() -> None:
    """Require nothing: most formats need no further package."""


class Format(NamedTuple):
    """File format of an export.

    ``ending``: of its files; ``title``: for users; ``write``: (source, stem, ending) -> files;
    ``require``: raises InputError if a package is missing.
    """

    ending: str
    title: str
    write: Callable[[ExportSource, Path, str], List[ExportedFile]]
    require: Callable[[], Any] = _nothing


def formatsOf(keys: Sequence[str]) -> List[Format]:
    """Return the formats of keys.

    :raises InputError: there is no such format, none is given, or one needs a package that is missing.
    """
    unknown = [key for key in keys if key not in FORMATS]
    if unknown or not keys:
        said = f"'{unknown[0]}' is no export format" if unknown else "No export format is chosen"
        raise InputError(f"{said}: use {', '.join(FORMATS)}.")
    formats = [FORMATS[key] for key in dict.fromkeys(keys)]
    for each in formats:
        each.require()
    return formats


def _segmentation(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    exported = exportSegNrrd(source.segmentationNode, _path(stem, ending))
    transforms = [parentToWorld(node) for node in (source.segmentationNode, source.volumeNode)]
    if sameLattice(*transforms):
        return [exported]
    note = f"The {ending} file leaves out the transform that the segmentation is under, as Slicer's files do."
    return [ExportedFile(exported.path, (*exported.notes, note))]


def _labelmap(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    if not source.isPerSegment:
        path = _path(stem, ending)
        return [exportLabelmap(source.segmentationNode, source.volumeNode, path, source.ids)]
    files = []
    for segmentId, name in source.names.items():
        path = source.pathOf(name, stem, ending)
        try:
            files.append(exportLabelmap(source.segmentationNode, source.volumeNode, path, [segmentId]))
        except InputError:
            # The others are there: an empty segment is no reason to export nothing.
            files.append(ExportedFile(path, (f"'{name}' is empty on this volume and has no file.",)))
    return files


def _surfaces(source: ExportSource, stem: Path, ending: str) -> List[ExportedFile]:
    files = []
    for segmentId, name in source.names.items():
        path, surface = source.pathOf(name, stem, ending), source.surfaces.get(segmentId)
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
    "dicom-seg": Format(".seg.dcm", "DICOM Segmentation (.seg.dcm)", _dicom, requirePydicom),
    "stl": Format(".stl", "Surfaces, STL (.stl)", _surfaces),
    "obj": Format(".obj", "Surfaces, Wavefront (.obj)", _surfaces),
    "ply": Format(".ply", "Surfaces, PLY (.ply)", _surfaces),
    "csv": Format(".csv", "Measurements, CSV (.csv)", _table),
    "parquet": Format(".parquet", "Measurements, Parquet (.parquet)", _table, requirePyarrow),
    "prompts": Format(".provenance.json", "Prompts and provenance (.provenance.json)", _provenance),
}
LABELMAP_KEYS = ("nifti", "nrrd", "mha")
DEFAULT_KEYS = ("seg.nrrd", "nifti", "csv", "prompts")
