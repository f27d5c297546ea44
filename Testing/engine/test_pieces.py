"""The connected pieces of a mask."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from SAMUNetSlicerLib.engine.prompting import pieces_at, pieces_of

masks = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(masks)
@settings(deadline=None)
def test_pieces_are_those_that_scipy_finds_and_come_largest_first(mask):
    pieces = pieces_of(mask)
    labels, count = ndimage.label(mask)
    assert {piece.tobytes() for piece in pieces} == {(labels == n).tobytes() for n in range(1, count + 1)}
    assert [piece.sum() for piece in pieces] == sorted((piece.sum() for piece in pieces), reverse=True)


@given(masks, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_seed_finds_the_whole_piece_that_it_lies_in(mask, random):
    seeds = np.zeros_like(mask)
    seeds.flat[random.randrange(mask.size)] = True
    labels, _ = ndimage.label(mask)
    assert np.array_equal(pieces_at(seeds & mask, mask), mask & (labels == labels[seeds][0]))
