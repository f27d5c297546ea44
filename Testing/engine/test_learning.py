"""What a structure looks like is learned from an example, and helps the network where it is wrong."""

import json

import numpy as np
import pytest

from engine.phantom import ellipse
from SAMUNetSlicerLib.engine.learning import (
    Appearance,
    Example,
    Known,
    learn_appearance,
    log_odds,
    recognized,
    window_of,
)
from SAMUNetSlicerLib.engine.serving import (
    EncodeReport,
    Job,
    LearnReport,
    PredictReport,
    job_from,
    job_message,
    outcome_from,
    outcome_message,
)
from SAMUNetSlicerLib.engine.types import Prediction, Prompts
from SAMUNetSlicerLib.errors import InputError

SIZE = (120, 160)
ORGAN = ellipse(*SIZE, center=(70.0, 60.0), radii=(26.0, 20.0))
TWIN = ellipse(*SIZE, center=(132.0, 60.0), radii=(12.0, 12.0))


def slice_of(structure, seed=0, density=60.0):
    """Hounsfield units: the structure, a darker body with noise, and gas."""
    values = np.random.default_rng(seed).normal(-20.0, 12.0, SIZE)
    values[structure] += density + 20.0
    values[:, :12] = -1000.0
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def appearance():
    return learn_appearance([Example(slice_of(ORGAN), ORGAN)])


def answer(mask, sureness=0.8):
    """A network's prediction that draws a mask, by logits of this size; it is in doubt of small ones."""
    logits = np.where(mask, sureness, -sureness).astype(np.float32)
    return Prediction(mask, logits, np.zeros((1, 8, 8), np.float32), 0.9, np.zeros((1, 4), np.float32))


def dice(mask, truth):
    return 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))


def test_a_slice_that_was_not_an_example_shows_where_the_structure_is(appearance):
    grown = ellipse(*SIZE, center=(76.0, 57.0), radii=(22.0, 24.0))
    odds = log_odds(appearance, slice_of(grown, seed=1), (12, 0, 160, 120))
    assert dice(odds > 0, grown[:, 12:]) > 0.95


def test_where_the_network_draws_too_much_the_structure_is_found_all_the_same(appearance):
    drawn = ellipse(*SIZE, center=(78.0, 60.0), radii=(30.0, 24.0))
    values = slice_of(ORGAN, seed=2)
    found = recognized(answer(drawn), Known(values, ORGAN, appearance))
    assert dice(found.prediction.mask, ORGAN) > max(0.95, dice(drawn, ORGAN))
    assert dice(drawn, ORGAN) < found.agreement + 0.1 < 1.1 and found.likeness > 0.8
    assert np.array_equal(found.prediction.logits > 0, found.prediction.mask)


def test_a_network_that_is_sure_is_not_overruled(appearance):
    twin_too = slice_of(ORGAN | TWIN, seed=2)  # of the same brightness, within reach
    neighbor = ORGAN | (np.arange(SIZE[1]) >= 96) & (np.arange(SIZE[0]) == 60)[:, None]
    found = recognized(answer(ORGAN, sureness=3.0), Known(twin_too, neighbor, appearance))
    assert np.array_equal(found.prediction.mask, ORGAN)


def test_where_the_structure_is_gone_the_head_does_not_agree(appearance):
    there = recognized(answer(ORGAN), Known(slice_of(ORGAN, seed=3), ORGAN, appearance))
    gone = recognized(answer(ORGAN), Known(slice_of(np.zeros(SIZE, bool), seed=3), ORGAN, appearance))
    assert gone.agreement < 0.5 and there.agreement > 0.9
    assert gone.likeness < 0.5 and there.likeness > 0.5


def test_a_piece_that_does_not_touch_the_neighbor_is_left_out(appearance):
    found = recognized(answer(ORGAN | TWIN), Known(slice_of(ORGAN | TWIN, seed=4), ORGAN, appearance))
    assert not (found.prediction.mask & TWIN).any() and dice(found.prediction.mask, ORGAN) > 0.95


def test_a_structure_in_two_parts_keeps_both(appearance):
    both = ORGAN | TWIN
    assert (
        dice(recognized(answer(both), Known(slice_of(both), both, appearance)).prediction.mask, both) > 0.95
    )


def test_nothing_is_left_where_network_and_head_see_nothing(appearance):
    nothing = np.zeros(SIZE, bool)
    found = recognized(answer(nothing), Known(slice_of(nothing), ORGAN, appearance))
    assert not found.prediction.mask.any() and found.likeness == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (700, 500)])
def test_slices_of_any_size_are_learned_from(size):
    mask = np.zeros(size, bool)
    mask[: max(1, size[0] // 2), : max(1, size[1] // 2)] = True
    values = np.where(mask, 90.0, 10.0)
    learned = learn_appearance([Example(values, mask)])
    odds = log_odds(learned, values, (0, 0, size[1], size[0]))
    assert odds.shape == size and np.isfinite(odds).all()


def test_the_same_examples_teach_the_same_whatever_was_computed_before():
    examples = [Example(slice_of(ORGAN), ORGAN), Example(slice_of(ORGAN, 5), ORGAN)]
    first = learn_appearance(examples)
    np.random.default_rng().normal(size=3)
    learn_appearance(examples[1:])
    again = learn_appearance(examples)
    assert first.window == again.window
    assert all(np.array_equal(a, b) for a, b in zip(first.arrays, again.arrays))


def test_gas_beside_an_organ_does_not_cost_it_its_gray_levels():
    lower, upper = window_of([slice_of(ORGAN)[ORGAN]])
    assert -100 < lower < 20 and 100 < upper < 220


def test_values_that_are_no_numbers_do_not_count():
    values = slice_of(ORGAN)
    values[55:60, 60:66] = np.nan
    learned = learn_appearance([Example(values, ORGAN)])
    assert np.isfinite(log_odds(learned, values, (0, 0, 160, 120))).all()


@pytest.mark.parametrize("examples", [[], [Example(slice_of(ORGAN), np.zeros(SIZE, bool))]])
def test_without_a_slice_that_shows_the_structure_nothing_can_be_learned(examples):
    with pytest.raises(InputError, match="slice on which the structure is"):
        learn_appearance(examples)


def test_what_was_learned_survives_json_without_loss(appearance):
    read = Appearance.from_dict(json.loads(json.dumps(appearance.to_dict())))
    values = slice_of(ORGAN, seed=6)
    box = (0, 0, SIZE[1], SIZE[0])
    assert read.window == appearance.window
    assert np.array_equal(log_odds(read, values, box), log_odds(appearance, values, box))


@pytest.mark.parametrize(
    "change",
    [
        {"window": [1, 0]},
        {"window": "wide"},
        {"arrays": [[1.0]] * 6},
        {"arrays": None},
    ],
)
def test_damaged_knowledge_is_refused_in_a_sentence(appearance, change):
    with pytest.raises(InputError, match="learned about a segment"):
        Appearance.from_dict({**appearance.to_dict(), **change})


def test_learning_and_recognizing_mean_the_same_on_both_ends_of_the_pipe(appearance):
    values = slice_of(ORGAN)
    learn = Job(1, "learn", arguments={"examples": [Example(values, ORGAN), Example(values + 1, ~ORGAN)]})
    first, second = job_from(job_message(learn)).arguments["examples"]
    assert np.array_equal(second.mask, ~ORGAN) and np.array_equal(first.values, values)
    arguments = {
        "image": np.zeros(SIZE, np.uint8),
        "prompts": Prompts(boxes=np.array([[1, 2, 3, 4]], np.float32)),
        "known": Known(values, ORGAN, appearance),
    }
    asked = job_from(job_message(Job(2, "recognize", arguments=arguments))).arguments
    assert set(asked) == set(arguments) and np.array_equal(asked["known"].neighbor, ORGAN)
    assert asked["known"].appearance.to_dict() == appearance.to_dict()


def test_answers_to_learning_and_recognizing_arrive_whole(appearance):
    _, learned = outcome_from(outcome_message(1, LearnReport(appearance, 80.0)))
    assert learned.appearance.to_dict() == appearance.to_dict() and learned.learn_ms == 80.0
    report = PredictReport(answer(ORGAN), EncodeReport("key", "memory", 0.0), 3.0, 0.75, 0.5)
    _, answered = outcome_from(outcome_message(2, report))
    assert (answered.agreement, answered.likeness) == (0.75, 0.5)
