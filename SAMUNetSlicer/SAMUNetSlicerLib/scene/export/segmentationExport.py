"""Write segmentations as files: .seg.nrrd, label volumes, measurements.

Each file is written beside its place, read back by another library, compared, and then renamed: it is there
complete or not at all.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np
import slicer

from ...errors import InputError, OutputError
from ..geometry import ownIJKToRAS
from ..segments import SegmentVoxels, labelVolume
from .exportCheck import LPS_TO_RAS, checkLabelmap, checkSegmentation
from .exportFiles import writeChecked
from .measurementTable import exportCsv, exportParquet, measurementRows

LABELMAP_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True)
class ExportedFile:
    """Exported file.

    ``path``: where the file is, perhaps numbered; ``notes``: sentences about what it does not hold.
    """

    path: Path
    notes: Tuple[str, ...] = ()


def exportSegNrrd(segmentationNode, path, existing: str = "refuse") -> ExportedFile:
    """Write all segments with names, colors, codes and tags as .seg.nrrd, as Slicer saves them.

    The file has the segmentation's own voxels and, like Slicer's, leaves out its parent transform.

    :param existing: "refuse", "overwrite" or "number", see ``exportFiles.writeChecked``.
    :raises InputError: there is nothing to export, or the name does not end in .seg.nrrd.
    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    _requireEnding(path, (".seg.nrrd",))
    segmentsToExport(segmentationNode, None)
    written = writeChecked(
        path,
        existing,
        lambda temporary: _writeSegmentation(temporary, segmentationNode),
        lambda temporary: checkSegmentation(temporary, segmentationNode),
    )
    return ExportedFile(written)


def exportLabelmap(
    segmentationNode,
    volumeNode,
    path,
    segmentIds: Optional[Sequence[str]] = None,
    existing: str = "refuse",
) -> ExportedFile:
    """Write segments as one label volume with the voxels and the place that the volume's own file has.

    Labels are 1, 2, ... in the order of the segments, as the measurements list them.  Where segments overlap,
    the later one is kept, and a note says how many voxels that are.

    :param path: ends in .nii.gz, .nii, .nrrd or .mha.
    :param segmentIds: by default all segments.
    :raises InputError: there is nothing to export on this volume, or the ending is unknown.
    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    _requireEnding(path, LABELMAP_ENDINGS)
    labels, _, overlap = labelVolume(
        segmentationNode, volumeNode, segmentsToExport(segmentationNode, segmentIds)
    )
    if not labels.any():
        raise InputError(
            f"No segment of '{segmentationNode.GetName()}' lies inside '{volumeNode.GetName()}': "
            "choose the volume that was segmented."
        )
    ijkToRAS = ownIJKToRAS(volumeNode)
    written = writeChecked(
        path,
        existing,
        lambda temporary: _writeImage(temporary, labels, ijkToRAS),
        lambda temporary: checkLabelmap(temporary, labels, ijkToRAS),
    )
    note = f"{overlap} voxels belong to several segments; the label volume shows the last one in the list."
    return ExportedFile(written, (note,) if overlap else ())


def exportMeasurements(
    segmentationNode,
    volumeNode,
    path,
    confidences: Optional[Mapping[str, float]] = None,
    segmentIds: Optional[Sequence[str]] = None,
    existing: str = "refuse",
) -> ExportedFile:
    """Write a table (.csv or .parquet) with one row per segment, see ``measurementTable``.

    :param confidences: confidence in [0, 1] by segment ID; the field is empty for the others.
    :raises InputError: there is nothing to export, the ending is unknown, or pyarrow is missing.
    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    _requireEnding(path, (".csv", ".parquet"))
    segmentIds = segmentsToExport(segmentationNode, segmentIds)
    rows = measurementRows(segmentationNode, volumeNode, segmentIds, confidences or {})
    export = exportCsv if Path(path).suffix.lower() == ".csv" else exportParquet
    return ExportedFile(export(rows, path, existing))


def segmentsToExport(segmentationNode, segmentIds: Optional[Sequence[str]] = None) -> List[str]:
    """Return the segments given, by default all.

    :raises InputError: none of them has a voxel.
    """
    if segmentIds is None:
        segmentIds = segmentationNode.GetSegmentation().GetSegmentIDs()
    segments = [SegmentVoxels(segmentationNode, segmentId) for segmentId in segmentIds]
    if not any((segment.layer.block() == segment.label).any() for segment in segments):
        raise InputError(f"'{segmentationNode.GetName()}' has no voxels to export: segment something first.")
    return list(segmentIds)


def _requireEnding(path, endings: Tuple[str, ...]) -> None:
    name = Path(path).name
    if not any(name.lower().endswith(ending) and len(name) > len(ending) for ending in endings):
        raise InputError(
            f"'{name}' is not a file name for this export: let it end in {' or '.join(endings)}."
        )


def _writeSegmentation(path: Path, segmentationNode) -> None:
    # A scene and a storage node of its own: the segmentation keeps its own, and whether it is saved.
    scene, storage = slicer.vtkMRMLScene(), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    if not storage.WriteData(segmentationNode):
        raise OutputError("The segmentation could not be written: choose another folder.")


def _writeImage(path: Path, labels: np.ndarray, ijkToRAS: np.ndarray) -> None:
    """SimpleITK writes, not vtkITKImageWriter: that one ends the process where it cannot open a file."""
    import SimpleITK as sitk

    placement = LPS_TO_RAS @ ijkToRAS
    spacing = np.linalg.norm(placement[:3, :3], axis=0)
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(placement[:3, 3].tolist())
    image.SetDirection((placement[:3, :3] / spacing).ravel().tolist())
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise OutputError("The label volume could not be written: choose another folder or .nrrd.") from error
