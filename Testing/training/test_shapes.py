import numpy as np
import pytest

from SAMUNetSlicerLib.training.data import (
    COMPACT,
    MANY,
    RING,
    TREE,
    balanced_weights,
    kind_of_case,
    kind_of_labels,
    kind_of_mask,
    read_manifest,
)
from training.corpora import disc, write_corpus


def _bar(length, width):
    mask = np.zeros((100, 100), bool)
    mask[20 : 20 + width, 5 : 5 + length] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (disc(100, 50, 50, 30), COMPACT),
        (disc(100, 50, 50, 30) & ~disc(100, 50, 50, 22), RING),
        # A hole as in a thin vessel loop or a vertebra's speck does not make a ring.
        (disc(100, 50, 50, 30) & ~disc(100, 50, 50, 6), COMPACT),
        (_bar(80, 5), TREE),
        (_bar(20, 5), COMPACT),
    ],
)
def test_a_structure_is_named_by_its_shape(mask, kind):
    assert kind_of_mask(mask) == kind


def test_one_of_many_parts_is_named_so_unless_it_is_a_ring():
    labels = np.zeros((200, 200), np.int32)
    for x in range(20, 200, 32):
        labels[disc(200, x, 50, 9)] = 1
    cell = disc(200, 20, 50, 9)
    assert kind_of_case(cell, labels, 1) == MANY
    ring = cell & ~disc(200, 20, 50, 6)
    assert kind_of_case(ring, np.where(cell & ~ring, 0, labels), 1) == RING
    assert kind_of_labels(labels) == MANY


def test_specks_do_not_count_as_parts():
    labels = np.zeros((200, 200), np.int32)
    labels[disc(200, 60, 50, 30)] = 1
    labels[150, 10:100:10] = 1
    assert kind_of_case(disc(200, 60, 50, 30), labels, 1) == COMPACT


def test_rare_sources_and_shapes_are_seen_more_often_but_not_as_often_as_all_others(tmp_path):
    large = read_manifest(write_corpus(tmp_path / "large", patients=16, source="Large"))
    small = read_manifest(write_corpus(tmp_path / "small", patients=1, source="Small"))
    weights = balanced_weights(large + small, [COMPACT] * 17)
    assert weights.sum() == pytest.approx(1)
    assert weights[16] == pytest.approx(2 * weights[0])
    shaped = balanced_weights(large, [COMPACT] * 15 + [RING])
    assert shaped[15] > 1.9 * shaped[0]
