"""After a propagation the product says where a correction helps most."""

import numpy as np

from app.propagation_desk import DEPTH, answers, square
from SAMUNetSlicerLib.app.propagation import SliceSuggestion, expectedErrors, suggestSlice


def propagated(way, masks, confidence=0.9):
    way.box()
    answers(way, masks, confidence)
    way.session.predictAgain(way.plane(4))
    way.session.waitUntilIdle()
    way.run(minConfidence=0.1)


def test_the_slice_that_the_network_doubts_comes_first(way):
    propagated(way, lambda k: square(), lambda k: 0.3 if k == 7 else 0.95)
    found = suggestSlice(way.session)
    assert isinstance(found, SliceSuggestion) and found.plane.index == 7 and not found.isBeyondEnd


def test_of_two_doubtful_slices_the_larger_one_comes_first(way):
    propagated(way, lambda k: square(14 if k > 4 else 10), lambda k: 0.4 if k in (2, 8) else 0.95)
    assert [each.plane.index for each in expectedErrors(way.session)][:2] == [8, 2]


def test_where_all_is_the_same_the_farthest_slice_from_the_users_comes_first(way):
    propagated(way, lambda k: square())
    assert suggestSlice(way.session).plane.index == DEPTH - 1


def test_slices_of_the_user_are_not_suggested(way):
    propagated(way, lambda k: square(), lambda k: 0.3 if k == 7 else 0.95)
    way.session.accept(way.plane(7))
    assert 7 not in [each.plane.index for each in expectedErrors(way.session)]
    assert 4 not in [each.plane.index for each in expectedErrors(way.session)]


def test_a_slice_that_was_found_right_can_be_skipped(way):
    propagated(way, lambda k: square(), lambda k: 0.3 if k == 7 else 0.95)
    assert suggestSlice(way.session, skipped={way.plane(7).signature()}).plane.index != 7


def test_a_structure_that_ends_all_at_once_may_go_on_and_one_that_tapers_off_does_not(way):
    propagated(way, lambda k: square() & (k < 8), lambda k: 0.95)
    cut = {each.plane.index: each for each in expectedErrors(way.session)}
    assert cut[8].isBeyondEnd and not cut[7].isBeyondEnd
    assert suggestSlice(way.session).plane.index == 8
    areas = {5: 10, 6: 7, 7: 5}
    answers(way, lambda k: square(areas.get(k, 10)) & (k < 8), lambda k: 0.95)
    way.run(minAreaRatio=0.2, minDice=0.2)
    assert suggestSlice(way.session).plane.index != 8


def test_without_a_propagation_there_is_nothing_to_suggest(way):
    assert suggestSlice(way.session) is None and expectedErrors(way.session) == []
    way.box()
    assert suggestSlice(way.session) is None


def test_the_expected_error_is_a_part_of_the_slice(way):
    propagated(way, lambda k: square(), lambda k: 0.3 + 0.05 * k)
    area = np.count_nonzero(square())
    assert all(0 < each.wrongPixels < area for each in expectedErrors(way.session))
