"""Segments as a DICOM Segmentation that refers to the images of the segmented series.

Binary segments, one SOP instance of the Segmentation Storage class (DICOM PS3.3, A.51), made by highdicom.
"""

from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np

from .. import __version__
from ..errors import InputError, OutputError
from ..scene.exportFiles import splitEnding, writeChecked
from ..scene.planeVoxels import voxelsAtPixels
from ..scene.segmentationExport import ExportedFile
from ..scene.segmentLayers import SharedLayer, requireSegment, sharedLayers
from ..scene.segments import Code, Terminology, terminologyOf
from ..scene.volumeGeometry import parentToWorld
from .dicomSource import SourceFrame, SourceImages, readSourceImages, requirePydicom

ENDING = ".seg.dcm"
_SERIES_NUMBER = 900  # far behind the numbers that scanners give


def exportDicomSegmentation(
    segmentationNode, volumeNode, source, path, segmentIds: Sequence[str], existing: str = "refuse"
) -> ExportedFile:
    """Write segments as one DICOM SEG file on the pixels of the source images.

    A segment's codes are those of its terminology, "Tissue" where it has none.  Segments without pixels on
    these images are left out, and a note says so.

    :param source: the series that the volume was read from: folder, file, or list of files.
    :param path: ends in .seg.dcm.
    :raises InputError: highdicom is missing, the series is another one, or there is nothing to export.
    :raises OutputError: the file cannot be written, or does not hold what was written.
    """
    highdicom, _ = requirePydicom()
    images = readSourceImages(source, volumeNode)
    masks, shown = _pixels(segmentationNode, images.frames, segmentIds)
    if not shown:
        raise InputError(f"'{segmentationNode.GetName()}' has no voxels to export: segment something first.")
    masks, images = _framesToStore(masks, images)
    document = _document(highdicom, segmentationNode, images, masks, shown, splitEnding(Path(path))[0])
    written = writeChecked(
        path,
        existing,
        document.save_as,
        lambda temporary: _check(highdicom, temporary, images, masks, len(shown)),
    )
    missing = [_segmentName(segmentationNode, each) for each in segmentIds if each not in shown]
    return ExportedFile(written, tuple(f"'{name}' is empty and not in the DICOM file." for name in missing))


def _segmentName(segmentationNode, segmentId: str) -> str:
    return requireSegment(segmentationNode, segmentId).GetName()


def _pixels(segmentationNode, frames: Sequence[SourceFrame], segmentIds) -> Tuple[np.ndarray, List[str]]:
    """Label numbers (F, H, W), or (F, H, W, S) bool if segments overlap, and the IDs of the S segments."""
    layers = list(sharedLayers(segmentationNode))
    stacks = [_labels(segmentationNode, layer, frames) for layer in layers]
    where = {each: (n, label) for n, layer in enumerate(layers) for label, each in layer.segments.items()}
    present = [
        np.bincount(stack.ravel(), minlength=max(layer.segments) + 1) for stack, layer in zip(stacks, layers)
    ]
    shown = [each for each in segmentIds if present[where[each][0]][where[each][1]]]
    if len({where[each][0] for each in shown}) > 1:
        masks = np.stack([stacks[where[each][0]] == where[each][1] for each in shown], axis=-1)
        if masks.sum(axis=-1, dtype=np.uint16).max() > 1:
            return masks, shown
    numbers = np.zeros((len(frames), *frames[0].plane.shape), np.uint8 if len(shown) < 256 else np.uint16)
    for number, each in enumerate(shown, 1):
        stack, label = stacks[where[each][0]], where[each][1]
        numbers[stack == label] = number
    return numbers, shown


def _labels(segmentationNode, shared: SharedLayer, frames: Sequence[SourceFrame]) -> np.ndarray:
    """(F, H, W) label values of a layer at the pixels of the frames."""
    lattice = parentToWorld(segmentationNode) @ shared.layer.ijkToLocal
    found = [
        shared.layer.labels(voxelsAtPixels(each.plane, lattice)).reshape(each.plane.shape) for each in frames
    ]
    return np.stack(found)


def _framesToStore(masks: np.ndarray, images: SourceImages) -> Tuple[np.ndarray, SourceImages]:
    """Single images that show nothing are left out; of one image with many frames all belong to it."""
    if len(images.datasets) == 1:
        order = np.argsort([each.number for each in images.frames])
        return masks[order], images._replace(frames=[images.frames[n] for n in order])
    kept = np.flatnonzero(masks.any(axis=tuple(range(1, masks.ndim))))
    frames = [images.frames[n] for n in kept]
    return masks[kept], SourceImages([images.datasets[each.image] for each in frames], frames)


def _document(highdicom, segmentationNode, images: SourceImages, masks, shown, label: str):
    return highdicom.seg.Segmentation(
        source_images=images.datasets,
        pixel_array=masks,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(highdicom, segmentationNode, segmentId, number)
            for number, segmentId in enumerate(shown, 1)
        ],
        series_instance_uid=highdicom.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="SAMUNetSlicer",
        manufacturer_model_name="SAMUNetSlicer",
        software_versions=__version__,
        device_serial_number="0",
        content_label="SEGMENTATION",
        content_description=label[:64],
        series_description="SAM-UNet segmentation",
    )


def _description(highdicom, segmentationNode, segmentId: str, number: int):
    segment = requireSegment(segmentationNode, segmentId)
    terminology = terminologyOf(segmentationNode, segmentId)
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=(segment.GetName() or segmentId)[:64],
        segmented_property_category=_concept(highdicom, terminology.category),
        segmented_property_type=_concept(highdicom, terminology.type),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="SAMUNetSlicer",
            family=_concept(highdicom, Code("DCM", "123109", "Artificial Intelligence")),
            version=__version__,
        ),
        anatomic_regions=_regions(highdicom, terminology),
        display_color=highdicom.color.CIELabColor.from_rgb(*(round(255 * c) for c in segment.GetColor())),
    )


def _regions(highdicom, terminology: Terminology):
    return [_concept(highdicom, terminology.region)] if terminology.region else None


def _concept(highdicom, code: Code):
    return highdicom.sr.CodedConcept(
        value=code.value, scheme_designator=code.scheme, meaning=code.meaning[:64]
    )


def _check(highdicom, path: Path, images: SourceImages, masks: np.ndarray, count: int) -> None:
    document = highdicom.seg.segread(path)
    for number in range(1, count + 1):
        expected = masks[..., number - 1] if masks.ndim == 4 else masks == number
        if not np.array_equal(_stored(document, images, number), expected):
            raise OutputError("The export was given up: the file holds other pixels than the segmentation.")


def _stored(document, images: SourceImages, number: int) -> np.ndarray:
    options = {"segment_numbers": [number], "assert_missing_frames_are_empty": True}
    if len(images.datasets) == 1 and len(images.frames) > 1:
        numbers = [each.number for each in images.frames]
        uid = images.datasets[0].SOPInstanceUID
        return document.get_pixels_by_source_frame(uid, numbers, **options)[..., 0]
    uids = [each.SOPInstanceUID for each in images.datasets]
    return document.get_pixels_by_source_instance(uids, **options)[..., 0]
