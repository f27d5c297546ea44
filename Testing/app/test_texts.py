"""Panel and browser say the same things, in sentences that can be translated."""

import numpy as np

from SAMUNetSlicerLib.app import texts
from SAMUNetSlicerLib.app.propagation import PropagatedSlice, PropagationReport, SliceReview, Stop
from SAMUNetSlicerLib.app.session import FOLLOW_DISPLAY, MaskReport
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import SlicePlane
from SAMUNetSlicerLib.scene.segments import POLICIES


def plane(index):
    return SlicePlane(np.eye(4), (4, 5), None if index is None else "K", index, 1.0)


def shouting(text):
    """A translation that shows what went through it; names in braces stay."""
    return "".join(part if part.startswith("{") else part.upper() for part in _parts(text))


def _parts(text):
    start = text.find("{")
    if start < 0:
        return [text]
    end = text.index("}") + 1
    return [text[:start], text[start:end], *_parts(text[end:])]


def test_a_mask_is_told_with_notes_first_and_times_last():
    report = MaskReport(None, 0.9, ("A point was moved.",), 20.0, "encoded", 160.4, 9.6)
    expected = "A point was moved. Confidence 0.90, slice encoded in 160 ms, mask computed in 10 ms."
    assert texts.maskText(report) == expected


def test_a_mask_that_nothing_predicted_is_told_by_its_writing():
    assert texts.maskText(MaskReport(None, None, (), 3.0)) == "Mask written in 3 ms."


def test_a_propagation_names_the_slices_at_which_it_stopped_and_each_reason_once():
    ends = Stop(plane(7), "The area fell to 10% of the previous slice."), Stop(plane(None), "Nothing there.")
    slices = (PropagatedSlice(plane(5), 0.9), PropagatedSlice(plane(6), 0.9))
    report = PropagationReport("S", slices, (), (*ends, ends[1]), seconds=1.25)
    assert texts.propagationText(report) == (
        "2 slices segmented in 1.2 s. Slice 7: the area fell to 10% of the previous slice. Nothing there."
    )


def test_slices_to_review_are_named_with_their_reasons():
    assert texts.reviewText(SliceReview(plane(3), 1.0, ("confidence 0.40",))) == "Slice 3: confidence 0.40"
    assert texts.reviewText(SliceReview(plane(3), 0.0, ())) == "Slice 3: no doubts"
    assert texts.reviewText(SliceReview(plane(None), 0.0, ())) == "Oblique slice: no doubts"


def test_every_choice_is_one_that_a_session_takes():
    assert tuple(texts.policyTexts()) == POLICIES
    assert FOLLOW_DISPLAY in texts.windowTexts()
    assert all(WindowSetting(mode) for mode in texts.windowTexts() if mode != FOLLOW_DISPLAY)


def test_all_of_a_sentence_is_translated():
    review = texts.reviewText(SliceReview(plane(3), 0.0, ()), shouting)
    assert review == "SLICE 3: NO DOUBTS"
    assert all(text.isupper() for text in texts.methodTexts(shouting).values())
