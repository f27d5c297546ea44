"""Whatever is clicked, the mask follows it or says why not, and the same clicks give the same mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.phantom import ellipse
from fakes.blob_model import BlobModel
from SAMUNetSlicerLib.engine.prompting import Predictor, bounding_box
from SAMUNetSlicerLib.engine.types import Decoded, Prompts
from SAMUNetSlicerLib.errors import PromptError

HEIGHT, WIDTH = 120, 160
LIVER = ellipse(HEIGHT, WIDTH, center=(50.0, 60.0), radii=(28.0, 36.0))
KIDNEY = ellipse(HEIGHT, WIDTH, center=(130.0, 60.0), radii=(12.0, 17.0))
IMAGE = (LIVER * 200 + KIDNEY * 120).astype(np.uint8)

MODELS = {
    "boxes": {},
    "boxes and masks": {"mask": "logits"},
    "points": {"points": True},
    "points and masks": {"points": True, "mask": "logits"},
    "points, stubborn": {"points": True, "mask": "logits", "stubborn": True},
}
every_model = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS.keys())
box_only = pytest.mark.parametrize("options", [MODELS["boxes"], MODELS["boxes and masks"]])
with_points = pytest.mark.parametrize("options", [MODELS["points"], MODELS["points and masks"]])

clicks = st.lists(
    st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(0, 1)),
    min_size=1,
    max_size=4,
)
some_boxes = st.lists(st.sampled_from([(22, 24, 79, 97), (118, 43, 143, 78), (60, 10, 110, 40)]), max_size=2)


def prompts_of(points=(), boxes=(), mask=None):
    """From (x, y, label) and (x0, y0, x1, y1)."""
    rows = np.array(points, float).reshape(-1, 3)
    return Prompts(rows[:, :2], rows[:, 2].astype(int), np.array(boxes, float).reshape(-1, 4), mask)


class Bench:
    """A model, its predictor and the encoded image."""

    def __init__(self, options, image=IMAGE):
        self.model = BlobModel(**options)
        self.image = image
        self.embedding = self.model.encode([image])[0]
        self.predictor = Predictor(self.model)

    def predict(self, points=(), boxes=(), mask=None, image=True):
        prompts = prompts_of(points, boxes, mask)
        return self.predictor.predict(self.embedding, prompts, self.image if image else None)

    def decodes(self, *args, **kwargs):
        before = self.model.decoded
        self.predict(*args, **kwargs)
        return self.model.decoded - before


def overlap(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def same(a, b):
    arrays = all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("mask", "logits", "low_res_logits", "boxes")
    )
    return arrays and a.confidence == b.confidence and a.notes == b.notes


@every_model
@pytest.mark.parametrize("with_image", [True, False])
def test_one_click_finds_the_structure_under_it(options, with_image):
    for structure, click in ((LIVER, (52, 58, 1)), (KIDNEY, (131, 62, 1))):
        prediction = Bench(options).predict([click], image=with_image)
        assert overlap(prediction.mask, structure) > 0.9
        assert prediction.notes == ()


@box_only
def test_the_box_derived_from_a_click_is_told_and_gives_the_same_mask_again(options):
    bench = Bench(options)
    prediction = bench.predict([(52, 58, 1)])
    assert prediction.boxes.shape == (1, 4)
    assert np.array_equal(bench.predict(boxes=prediction.boxes).mask, prediction.mask)


@every_model
def test_a_box_gives_the_structure_in_it(options):
    prediction = Bench(options).predict(boxes=[bounding_box(LIVER)])
    assert np.array_equal(prediction.mask, LIVER)
    assert prediction.boxes.tolist() == [bounding_box(LIVER).tolist()]
    assert prediction.confidence == 1.0


@every_model
def test_several_boxes_are_parts_of_one_structure(options):
    prediction = Bench(options).predict(boxes=[bounding_box(LIVER), bounding_box(KIDNEY)])
    assert np.array_equal(prediction.mask, LIVER | KIDNEY)
    assert prediction.low_res_logits.shape == (2, 64, 64)


@every_model
def test_a_click_far_from_the_box_adds_another_part(options):
    prediction = Bench(options).predict([(130, 60, 1)], [bounding_box(LIVER)])
    assert overlap(prediction.mask, LIVER | KIDNEY) > 0.9


@every_model
def test_a_background_click_alone_gives_an_empty_mask_and_says_why(options):
    bench = Bench(options)
    prediction = bench.predict([(52, 58, 0)])
    assert not prediction.mask.any() and prediction.confidence == 0
    assert len(prediction.notes) == 1
    assert bench.model.decoded == 0


@every_model
def test_a_background_click_before_the_first_foreground_click_counts(options):
    prediction = Bench(options).predict([(131, 62, 0), (52, 58, 1)])
    assert overlap(prediction.mask, LIVER) > 0.9


@every_model
def test_a_background_click_inside_the_mask_removes_that_side(options):
    prediction = Bench(options).predict([(50, 35, 1), (50, 90, 0)], [bounding_box(LIVER)])
    assert prediction.mask[35, 50] and not prediction.mask[90, 50]


@pytest.mark.parametrize("click", [(26, 28, 1), (50, 90, 0)])
def test_inside_a_drawn_box_the_mask_is_changed_by_the_edges_and_that_is_said(click):
    bench = Bench(MODELS["boxes"])
    x, y, label = click
    plain = bench.predict(boxes=[bounding_box(LIVER)])
    prediction = bench.predict([click], [bounding_box(LIVER)])
    assert plain.mask[y, x] != label and prediction.mask[y, x] == label
    assert overlap(prediction.mask, plain.mask) > 0.5
    assert "click 1" in prediction.notes[0]
    assert prediction.confidence < plain.confidence
    assert bench.model.decoded == 1


def test_a_box_grows_to_a_click_beside_it_when_that_is_the_whole_structure():
    prediction = Bench(MODELS["boxes"]).predict([(50, 75, 1)], [(22, 24, 79, 60)])
    assert np.array_equal(prediction.mask, LIVER & _rows(24, np.ceil(prediction.boxes[0, 3])))
    assert prediction.boxes[0, 3] > 75 and prediction.notes == ()


def test_a_box_that_would_have_to_grow_in_vain_stays_as_it_was():
    box = bounding_box(KIDNEY)
    prediction = Bench(MODELS["boxes"]).predict([(131, 82, 1)], [box])
    assert prediction.boxes.tolist() == [box.tolist()]
    assert prediction.mask[82, 131] and overlap(prediction.mask, KIDNEY) > 0.6
    assert "click 1" in prediction.notes[0]


def _rows(first, last):
    rows = np.arange(HEIGHT)[:, None]
    return (rows >= first) & (rows < last)


@with_points
def test_an_answer_that_loses_most_of_the_mask_in_a_box_is_not_taken(options):
    bench = Bench(options)
    prediction = bench.predict([(50, 90, 0)], [bounding_box(LIVER)])
    assert not bench.model.decode(
        bench.embedding, np.array([[[50, 90]]]), np.array([[0]]), bounding_box(LIVER)[None]
    )[0].mask.any()
    assert overlap(prediction.mask, LIVER) > 0.5 and not prediction.mask[90, 50]
    assert "click 1" in prediction.notes[0]


def test_a_box_without_a_structure_says_so(monkeypatch):
    bench = Bench(MODELS["boxes"])
    nothing = np.full((HEIGHT, WIDTH), -4.0, np.float32)
    empty = Decoded(np.full((64, 64), -4.0, np.float32), nothing, nothing > 0)
    monkeypatch.setattr(bench.model, "decode", lambda *_: [empty])
    prediction = bench.predict(boxes=[(5, 5, 15, 15)])
    assert not prediction.mask.any() and prediction.confidence == 0
    assert "Nothing was found" in prediction.notes[0]


@every_model
def test_opposite_clicks_on_one_pixel_cannot_both_be_followed_and_that_is_said(options):
    prediction = Bench(options).predict([(50, 60, 1), (50, 60, 0)], [bounding_box(LIVER)])
    assert not prediction.mask[60, 50]
    assert any("Click 1 is not followed" in note for note in prediction.notes)


@every_model
@settings(deadline=None, max_examples=25)
@given(points=clicks, boxes=some_boxes)
def test_every_click_is_followed_or_named_in_a_note(options, points, boxes):
    prediction = Bench(options).predict(points, boxes)
    assert np.array_equal(prediction.mask, prediction.logits > 0)
    for i, (x, y, label) in enumerate(points):
        if prediction.mask[y, x] != bool(label):
            named = any(f"Click {i + 1} " in note for note in prediction.notes)
            assert named or not any(on for *_, on in points), "or nothing was there to remove from"


@every_model
@settings(deadline=None, max_examples=15)
@given(points=clicks, boxes=some_boxes, history=st.permutations(range(5)))
def test_a_prediction_depends_on_nothing_but_its_prompts(options, points, boxes, history):
    used, fresh = Bench(options), Bench(options)
    for k in history:
        if points[:k] or boxes:
            used.predict(points[:k], boxes)
    assert same(used.predict(points, boxes), fresh.predict(points, boxes))


@with_points
def test_with_a_network_that_knows_points_each_click_costs_one_decode(options):
    bench = Bench(options)
    points = [(50, 40, 1), (52, 60, 1), (130, 60, 1), (131, 62, 0)]
    costs = [bench.decodes(points[: k + 1]) for k in range(3)]
    assert costs == [1, 1, 1]
    assert bench.decodes(points[:2]) == 0, "undone"
    assert bench.decodes([*points[:2], (55, 60, 1)]) == 1, "the last one dragged"


@box_only
def test_with_a_network_that_knows_boxes_a_further_click_costs_at_most_one_decode(options):
    bench = Bench(options)
    points = [(50, 40, 1), (52, 60, 1), (50, 88, 0), (95, 60, 1)]
    costs = [bench.decodes(points[: k + 1]) for k in range(4)]
    assert costs[0] < 25 and costs[1] == 0 and max(costs[1:]) <= 1
    assert bench.decodes(points) == 0


def test_another_image_never_gets_the_outcome_of_the_first():
    bench = Bench(MODELS["boxes"])
    bench.predict([(52, 58, 1)])
    other = Bench(MODELS["boxes"], np.fliplr(IMAGE))
    moved = bench.predictor.predict(other.embedding, prompts_of([(52, 58, 1)]), other.image)
    assert same(moved, other.predict([(52, 58, 1)]))


@box_only
def test_another_mask_to_start_from_never_gets_the_outcome_of_the_first(options):
    bench = Bench(options)
    for mask in (LIVER, KIDNEY):
        prediction = bench.predict([(60, 10, 0)], mask=mask)
        assert same(prediction, Bench(options).predict([(60, 10, 0)], mask=mask))


def test_a_caller_may_do_with_a_prediction_what_it_likes():
    bench = Bench(MODELS["points"])
    first = bench.predict([(52, 58, 1)])
    before = first.mask.copy()
    for array in (first.mask, first.logits, first.low_res_logits, first.boxes):
        array[:] = 0
    assert np.array_equal(bench.predict([(52, 58, 1)]).mask, before)


def test_only_as_many_outcomes_are_remembered_as_asked_for():
    bench = Bench(MODELS["points"])
    bench.predictor = Predictor(bench.model, remembered=2)
    for x in range(40, 50):
        bench.predict([(x, 60, 1)])
    assert bench.decodes([(49, 60, 1)]) == 0 and bench.decodes([(40, 60, 1)]) == 1


def test_the_logits_of_the_step_before_are_given_only_where_the_card_allows():
    for options, given_logits in ((MODELS["points"], False), (MODELS["points and masks"], True)):
        bench = Bench(options)
        bench.predict([(50, 40, 1), (52, 60, 1)])
        first, second = bench.model.calls
        assert first["mask_logits"] is None
        assert (second["mask_logits"] is not None) == given_logits


def test_logits_that_hold_a_mistake_in_place_are_left_out():
    bench = Bench(MODELS["points, stubborn"])
    prediction = bench.predict([(52, 58, 1), (130, 60, 1)])
    assert [call["mask_logits"] is None for call in bench.model.calls] == [True, False, True]
    assert overlap(prediction.mask, LIVER | KIDNEY) > 0.9


def test_a_network_trained_on_boxes_is_never_given_points_or_logits():
    bench = Bench(MODELS["boxes"])
    bench.predict([(50, 40, 1), (50, 90, 0), (130, 60, 1)], [bounding_box(LIVER)])
    assert all(call["points"].shape[1] == 0 and call["mask_logits"] is None for call in bench.model.calls)


@pytest.mark.parametrize("options", [MODELS["boxes and masks"], MODELS["points and masks"]])
def test_a_mask_to_start_from_is_given_to_a_network_that_takes_masks(options):
    bench = Bench(options)
    prediction = bench.predict(mask=LIVER)
    (call,) = bench.model.calls
    assert overlap(_at_image_size(call["mask_logits"][0] > 0), LIVER) > 0.9
    assert call["boxes"].tolist() == [bounding_box(LIVER).tolist()]
    assert np.array_equal(prediction.mask, LIVER)


def _at_image_size(low_res):
    height = round(64 * HEIGHT / WIDTH)
    assert not low_res[height:].any(), "the padding belongs to nothing"
    rows, columns = np.arange(HEIGHT) * height // HEIGHT, np.arange(WIDTH) * 64 // WIDTH
    return low_res[rows][:, columns]


@pytest.mark.parametrize("options", [MODELS["boxes"], MODELS["points"]])
def test_a_mask_to_start_from_is_kept_otherwise_and_corrected_by_clicks(options):
    hand_made = LIVER.copy()
    hand_made[40:45, 40:45] = False
    bench = Bench(options)
    kept = bench.predict(mask=hand_made)
    assert np.array_equal(kept.mask, hand_made) and bench.model.decoded == 0
    assert kept.boxes.tolist() == [bounding_box(LIVER).tolist()]
    filled = bench.predict([(42, 42, 1)], mask=hand_made)
    assert filled.mask[42, 42] and overlap(filled.mask, LIVER) > 0.97
    both = bench.predict(boxes=[bounding_box(KIDNEY)], mask=hand_made)
    assert np.array_equal(both.mask, hand_made | KIDNEY)


def test_boxes_partly_outside_are_clipped():
    prediction = Bench(MODELS["boxes"]).predict(boxes=[(-50, -10, 79, 97)])
    assert prediction.boxes.tolist() == [[0, 0, 79, 97]]


@every_model
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_the_smallest_images_can_be_clicked(options, shape):
    image = np.full(shape, 7, np.uint8)
    prediction = Bench(options, image).predict([(0, 0, 1)])
    assert prediction.mask.shape == shape and prediction.mask[0, 0]


@every_model
def test_color_images_can_be_clicked(options):
    color = np.repeat(IMAGE[..., None], 3, 2)
    assert overlap(Bench(options, color).predict([(52, 58, 1)]).mask, LIVER) > 0.9


NAN = float("nan")
REFUSED = {
    "nothing": Prompts(),
    "an empty mask": Prompts(mask=np.zeros((HEIGHT, WIDTH), bool)),
    "a point outside": prompts_of([(WIDTH, 5, 1)]),
    "a point before the first pixel": prompts_of([(5, -0.6, 1)]),
    "an unknown label": prompts_of([(5, 5, 2)]),
    "a label that is no number": Prompts(np.zeros((1, 2)), np.array(["x"])),
    "a point that is not a number": prompts_of([(NAN, 5, 1)]),
    "points of three numbers": Prompts(np.zeros((1, 3)), np.ones(1)),
    "points that are words": Prompts(np.array([["a", "b"]]), np.ones(1)),
    "a point without a label": Prompts(np.zeros((2, 2)), np.ones(1)),
    "a box with infinite corners": prompts_of(boxes=[(0, 0, np.inf, 5)]),
    "an inverted box": prompts_of(boxes=[(50, 5, 20, 60)]),
    "an empty box": prompts_of(boxes=[(5, 5, 5, 60)]),
    "a box outside": prompts_of(boxes=[(WIDTH, 0, WIDTH + 5, 5)]),
    "a box of five numbers": Prompts(boxes=np.zeros((1, 5))),
    "a mask of another size": Prompts(mask=np.ones((WIDTH, HEIGHT), bool)),
}


@pytest.mark.parametrize("prompts", REFUSED.values(), ids=REFUSED.keys())
def test_prompts_that_make_no_sense_are_refused_in_one_sentence(prompts):
    bench = Bench(MODELS["boxes"])
    with pytest.raises(PromptError) as error:
        bench.predictor.predict(bench.embedding, prompts, bench.image)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    assert bench.model.decoded == 0


def test_boxes_are_refused_for_a_network_that_takes_none():
    with pytest.raises(PromptError):
        Bench({"points": True, "boxes": False}).predict(boxes=[bounding_box(LIVER)])


def test_an_image_of_another_size_is_a_fault_of_the_caller():
    bench = Bench(MODELS["boxes"])
    with pytest.raises(ValueError, match="does not belong"):
        bench.predictor.predict(bench.embedding, prompts_of([(5, 5, 1)]), IMAGE[:50])
