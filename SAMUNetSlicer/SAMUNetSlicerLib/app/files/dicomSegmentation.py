"""Write segments as a DICOM Segmentation that refers to the images of the segmented series.

Binary segments, one SOP instance of the Segmentation Storage class (DICOM PS3.3, A.51), made by highdicom.
"""

from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ... import __version__
from ...errors import InputError, OutputError
from ...scene.export import ExportedFile, writeChecked
from ...scene.segments import Code, Terminology, labelsOnPlane, requireSegment, sharedLayers, terminologyOf
from .dicomReferences import SourceFrame, SourceImages, readSourceImages, requirePydicom

ENDING = ".seg.dcm"
_TYPE_MODIFIER = "SegmentedPropertyTypeModifierCodeSequence"
_REGION_MODIFIER = "AnatomicRegionModifierSequence"
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
    drawn = _drawn(segmentationNode, images, segmentIds)
    if not drawn.segmentIds:
        raise InputError(f"'{segmentationNode.GetName()}' has no voxels to export: segment something first.")
    try:
        document = _document(highdicom, segmentationNode, images, drawn)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Headers of the wild lack what the standard demands, and highdicom tells it in many ways.
        raise InputError(f"DICOM SEG cannot refer to this series ({error}): repair its headers.") from error
    written = writeChecked(
        path, existing, document.save_as, lambda temporary: _check(highdicom, temporary, images, drawn)
    )
    missing = [_segmentName(segmentationNode, each) for each in segmentIds if each not in drawn.segmentIds]
    return ExportedFile(written, tuple(f"'{name}' is empty and not in the DICOM file." for name in missing))


def _segmentName(segmentationNode, segmentId: str) -> str:
    return requireSegment(segmentationNode, segmentId).GetName()


class _Drawn(NamedTuple):
    """Contents of the file: frames (F), their masks, and the IDs of the S segments that have pixels.

    ``masks``: (F, H, W) segment numbers from 1, or (F, H, W, S) uint8 if segments overlap.
    """

    frames: List[SourceFrame]
    masks: np.ndarray
    segmentIds: List[str]


def _drawn(segmentationNode, images: SourceImages, segmentIds: Sequence[str]) -> _Drawn:
    layers = list(sharedLayers(segmentationNode))
    # Of one image with many frames all belong to the document; single images that show nothing do not.
    isSparse = len(images.datasets) > 1
    frames, stacks = [], []
    for frame in images.frames if isSparse else sorted(images.frames, key=lambda each: each.number):
        found = [labelsOnPlane(segmentationNode, each.layer, frame.plane) for each in layers]
        if not isSparse or any(each.any() for each in found):
            frames.append(frame)
            stacks.append(found)
    places = {each: (n, label) for n, layer in enumerate(layers) for label, each in layer.segments.items()}
    present = [set(np.unique([found[n] for found in stacks])) for n in range(len(layers))]
    shown = [each for each in segmentIds if places[each][1] in present[places[each][0]]]
    return _Drawn(frames, _masks(stacks, [places[each] for each in shown]), shown)


def _masks(stacks: List[List[np.ndarray]], places: List[Tuple[int, int]]) -> np.ndarray:
    """Return the masks of the segments by frame.

    :param stacks: label values (H, W) by frame and layer; ``places``: layer and label of each segment.
    """
    numbers = [np.zeros(found[0].shape, np.uint16) for found in stacks]
    for found, image in zip(stacks, numbers):
        for number, (layer, label) in enumerate(places, 1):
            mask = found[layer] == label
            if image[mask].any():
                return _overlapping(stacks, places)
            image[mask] = number
    return np.array(numbers, np.uint8 if len(places) < 256 else np.uint16)


def _overlapping(stacks, places) -> np.ndarray:
    masks = np.zeros((len(stacks), *stacks[0][0].shape, len(places)), np.uint8)
    for found, image in zip(stacks, masks):
        for number, (layer, label) in enumerate(places):
            image[..., number] = found[layer] == label
    return masks


def _sources(images: SourceImages, drawn: _Drawn) -> list:
    isOneImage = len(images.datasets) == 1
    return images.datasets if isOneImage else [images.datasets[each.image] for each in drawn.frames]


def _document(highdicom, segmentationNode, images: SourceImages, drawn: _Drawn):
    return highdicom.seg.Segmentation(
        source_images=_sources(images, drawn),
        pixel_array=drawn.masks,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(highdicom, segmentationNode, segmentId, number)
            for number, segmentId in enumerate(drawn.segmentIds, 1)
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
        content_description=_text(segmentationNode.GetName() or ""),
        series_description="SAM-UNet segmentation",
    )


def _description(highdicom, segmentationNode, segmentId: str, number: int):
    segment = requireSegment(segmentationNode, segmentId)
    terminology = terminologyOf(segmentationNode, segmentId)
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=_text(segment.GetName() or segmentId),
        segmented_property_category=_concept(highdicom, terminology.category),
        segmented_property_type=_modified(
            highdicom, terminology.type, terminology.typeModifier, _TYPE_MODIFIER
        ),
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
    region, modifier = terminology.region, terminology.regionModifier
    return [_modified(highdicom, region, modifier, _REGION_MODIFIER)] if region else None


def _modified(highdicom, code: Code, modifier: Optional[Code], sequence: str):
    """Return a concept with its modifier, such as kidney, left."""
    concept = _concept(highdicom, code)
    if modifier is not None:
        setattr(concept, sequence, [_concept(highdicom, modifier)])
    return concept


def _concept(highdicom, code: Code):
    return highdicom.sr.CodedConcept(
        value=code.value, scheme_designator=code.scheme, meaning=_text(code.meaning)
    )


def _text(value: str) -> str:
    """Return the text that a text element of DICOM can hold: a backslash would part it in two."""
    return value.replace("\\", "/")[:64]


def _check(highdicom, path: Path, images: SourceImages, drawn: _Drawn) -> None:
    document, masks = highdicom.seg.segread(path), drawn.masks
    if masks.ndim == 3:
        isSame = np.array_equal(_stored(document, images, drawn, combine_segments=True), masks)
    else:
        numbers = range(1, masks.shape[3] + 1)
        isSame = all(
            np.array_equal(_stored(document, images, drawn, segment_numbers=[n])[..., 0], masks[..., n - 1])
            for n in numbers
        )
    if not isSame:
        raise OutputError("The export was given up: the file holds other pixels than the segmentation.")


def _stored(document, images: SourceImages, drawn: _Drawn, **options) -> np.ndarray:
    options["assert_missing_frames_are_empty"] = True
    if len(images.datasets) == 1 and len(drawn.frames) > 1:
        numbers = [each.number for each in drawn.frames]
        uid = images.datasets[0].SOPInstanceUID
        return document.get_pixels_by_source_frame(uid, numbers, **options)
    uids = [each.SOPInstanceUID for each in _sources(images, drawn)]
    return document.get_pixels_by_source_instance(uids, **options)
