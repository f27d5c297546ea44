"""Names, colors, codes, locks and progress of segments."""

import pytest
import slicer

from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.segments import (
    Code,
    Terminology,
    isLocked,
    newSegment,
    segmentTag,
    setLocked,
    setStatus,
    status,
)
from scene.segmentation_scene import add_segmentation

ORGAN = Code("SCT", "123037004", "Anatomical Structure")
KIDNEY = Code("SCT", "64033007", "Kidney")
LEFT = Code("SCT", "7771000", "Left")


@pytest.fixture
def segmentation(scene):
    return add_segmentation(scene, [])[0]


def test_a_new_segment_has_its_name_color_and_codes(segmentation):
    codes = Terminology(ORGAN, KIDNEY, LEFT)

    segment = newSegment(segmentation, "Niere links – größer", (0.1, 0.2, 0.3), codes)

    made = segmentation.GetSegmentation().GetSegment(segment)
    assert made.GetName() == "Niere links – größer"
    assert made.GetColor() == (0.1, 0.2, 0.3)
    assert "~SCT^64033007^Kidney~SCT^7771000^Left~" in segmentTag(
        segmentation, segment, slicer.vtkSegment.GetTerminologyEntryTagName()
    )


def test_codes_are_written_as_slicer_writes_them():
    region = Code("SCT", "818983003", "Abdomen")
    expected = slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(
        "Segmentation category and type - 3D Slicer General Anatomy list",
        *("123037004", "SCT", "Anatomical Structure"),
        *("64033007", "SCT", "Kidney"),
        *("7771000", "SCT", "Left"),
        "Anatomic codes - DICOM master list",
        *("818983003", "SCT", "Abdomen"),
        *("", "", ""),
    )

    assert str(Terminology(ORGAN, KIDNEY, LEFT, region)) == expected


def test_a_segment_without_codes_keeps_the_default_of_slicer(segmentation):
    segment = newSegment(segmentation, "Something")

    tag = segmentTag(segmentation, segment, slicer.vtkSegment.GetTerminologyEntryTagName())
    assert tag == str(Terminology(Code("SCT", "85756007", "Tissue"), Code("SCT", "85756007", "Tissue")))


@pytest.mark.parametrize("mark", "~^|&")
def test_a_code_that_would_break_the_stored_text_is_refused(mark):
    with pytest.raises(InputError, match="must not contain"):
        Code("SCT", "1", f"left{mark}right")


def test_new_segments_get_different_colors_until_there_are_none_left(segmentation):
    ids = [newSegment(segmentation, f"S{number}") for number in range(10)]

    colors = [segmentation.GetSegmentation().GetSegment(segment).GetColor() for segment in ids]
    assert len(set(colors[:8])) == 8


def test_a_color_is_used_again_after_its_segment_is_gone(segmentation):
    first = newSegment(segmentation, "first")
    color = segmentation.GetSegmentation().GetSegment(first).GetColor()
    newSegment(segmentation, "second")
    segmentation.GetSegmentation().RemoveSegment(first)

    third = newSegment(segmentation, "third")

    assert segmentation.GetSegmentation().GetSegment(third).GetColor() == color


def test_a_lock_is_set_and_taken_off(segmentation):
    segment = newSegment(segmentation, "Liver")
    assert not isLocked(segmentation, segment)

    setLocked(segmentation, segment, True)
    assert isLocked(segmentation, segment)

    setLocked(segmentation, segment, False)
    assert not isLocked(segmentation, segment)


def test_the_status_is_the_one_that_the_segment_editor_shows(segmentation):
    segment = newSegment(segmentation, "Liver")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert status(segmentation, segment) == "notstarted"

    for number, name in enumerate(["notstarted", "inprogress", "completed", "flagged"]):
        setStatus(segmentation, segment, name)
        assert status(segmentation, segment) == name
        assert logic.GetSegmentStatus(segmentation.GetSegmentation().GetSegment(segment)) == number


def test_an_unknown_status_or_segment_is_refused(segmentation):
    segment = newSegment(segmentation, "Liver")

    with pytest.raises(InputError, match="'done' is not a segment status"):
        setStatus(segmentation, segment, "done")
    with pytest.raises(InputError, match="no longer in"):
        setLocked(segmentation, "gone", True)
