import numpy as np
import pytest
import torch

from SAMUNetSlicerLib.training.learning import Decoding, Script, SimulatedUser, draw_scripts, play
from training.corpora import TINY, disc, tiny_network

TARGET = torch.from_numpy(np.stack([disc(32, 12, 14, 6), disc(32, 20, 9, 4)]).astype(np.float32))


class Recorder:
    """Answers every call with the same logits and remembers what it was asked."""

    canvas = TINY.image_size

    def __init__(self, logits):
        self.logits, self.calls = logits.requires_grad_(), []

    def __call__(self, _encoded, **prompts):
        self.calls.append((torch.is_grad_enabled(), prompts))
        return self.logits * 1, None


def _played(script, logits=None):
    decode = Recorder(torch.full((2, 1, 32, 32), -1.0) if logits is None else logits)
    play(decode, (None,) * 3, TARGET, script, np.random.default_rng(0))
    return decode.calls


def test_clicks_accumulate_and_the_first_and_the_last_answer_are_learned_from():
    calls = _played(Script(box=False, clicks=3))
    assert [prompts["points"].shape[1] for _, prompts in calls] == [1, 2, 3]
    assert [graph for graph, _ in calls] == [True, False, True]


def test_a_box_comes_before_the_clicks_and_stays():
    calls = _played(Script(box=True, clicks=2))
    assert [prompts.get("points", torch.zeros(2, 0, 2)).shape[1] for _, prompts in calls] == [0, 1, 2]
    assert all(torch.equal(prompts["boxes"], calls[0][1]["boxes"]) for _, prompts in calls)


@pytest.mark.parametrize("feedback", [True, False])
def test_the_previous_answer_is_given_back_only_if_the_script_says_so(feedback):
    calls = _played(Script(box=False, clicks=2, feedback=feedback))
    assert calls[0][1]["mask_logits"] is None
    assert (calls[1][1]["mask_logits"] is not None) == feedback


def test_clicks_on_an_empty_answer_are_inside_the_target_and_on_a_full_one_outside():
    for value, label in ((-1.0, 1), (1.0, 0)):
        calls = _played(Script(box=False, clicks=4), torch.full((2, 1, 32, 32), value))
        points, labels = calls[-1][1]["points"], calls[-1][1]["labels"]
        assert (labels[:, 1:] == label).all()
        cells = (points[:, 1:] / 2).round().long().clamp(0, 31)
        inside = torch.stack([TARGET[i, cells[i, :, 1], cells[i, :, 0]] for i in range(2)])
        assert (inside.mean() > 0.5) == bool(label)


def test_a_perfect_answer_is_confirmed_by_a_click_inside():
    perfect = TARGET[:, None] * 2 - 1
    calls = _played(Script(box=True, clicks=1), perfect)
    assert (calls[-1][1]["labels"] == 1).all()


def test_boxes_hold_most_of_their_target_in_pixels_of_the_canvas():
    user = SimulatedUser(TARGET, 64, np.random.default_rng(1))
    for target, (x0, y0, x1, y1) in zip(TARGET, user.boxes().tolist()):
        part = target[int(y0 / 2) : int(np.ceil(y1 / 2)), int(x0 / 2) : int(np.ceil(x1 / 2))]
        assert part.sum() > 0.7 * target.sum()


def test_scripts_are_reproducible_and_pair_a_box_with_clicks():
    boxed, clicked = draw_scripts(np.random.default_rng(3))
    assert (boxed, clicked) == draw_scripts(np.random.default_rng(3))
    assert boxed.box
    assert not clicked.box
    assert clicked.clicks >= 1


def test_a_mask_of_the_slice_beside_comes_with_the_first_call_and_overlaps_the_target():
    calls = _played(Script(box=True, clicks=1, neighbor=True))
    given = calls[0][1]["mask_logits"]
    assert given.shape == (2, 1, 32, 32)
    inside = (given[:, 0] > 0) & (TARGET > 0.5)
    assert (inside.sum((1, 2)) > 0.3 * (TARGET > 0.5).sum((1, 2))).all()


def test_a_script_may_begin_with_a_mask_alone():
    calls = _played(Script(box=False, clicks=0, neighbor=True))
    assert [set(prompts) for _, prompts in calls] == [{"mask_logits"}]


def test_a_click_to_avoid_comes_first_and_lies_outside():
    calls = _played(Script(box=False, clicks=1, avoid=True))
    points, labels = calls[0][1]["points"], calls[0][1]["labels"]
    assert labels.tolist() == [[0, 1], [0, 1]]
    cells = (points[:, 0] / 2).round().long().clamp(0, 31)
    assert all(TARGET[i, y, x] < 0.5 for i, (x, y) in enumerate(cells.tolist()))


@pytest.mark.parametrize("script", [Script(box=True, clicks=2), Script(box=False, clicks=0, neighbor=True)])
def test_a_whole_script_gives_gradients_to_the_decoder(script):
    network = tiny_network()
    encoded = tuple(t.repeat(2, 1, 1, 1) for t in network.encode_image(torch.randn(1, 3, 64, 64)))
    turns = play(Decoding(network), encoded, TARGET, script, np.random.default_rng(0))
    assert all(turn.logits.shape == (2, 1, 32, 32) for turn in turns)
    sum(turn.logits.sum() for turn in turns).backward()
    assert network.mask_decoder.med_token.weight.grad.abs().sum() > 0


def test_the_quick_decoder_gives_the_gradients_of_the_plain_one():
    network = tiny_network()
    torch.nn.init.normal_(network.mask_decoder.detail_refinement.weight)
    encoded = tuple(t.detach().repeat(2, 1, 1, 1) for t in network.encode_image(torch.randn(1, 3, 64, 64)))
    boxes = torch.tensor([[4.0, 5, 40, 50], [10, 12, 30, 22]])
    found = []
    for quick in (True, False):
        network.zero_grad()
        answer = (
            Decoding(network)(encoded, boxes=boxes)[0]
            if quick
            else network.decode_prompts(*encoded, boxes=boxes)
        )
        (answer**2).mean().backward()
        parameters = network.mask_decoder.named_parameters()
        found.append({name: p.grad for name, p in parameters if p.grad is not None})
    # What softmax does not see, the bias of keys, has no gradient: the quick form leaves it out.
    for name, gradient in found[1].items():
        quick = found[0].get(name, torch.zeros_like(gradient))
        assert torch.allclose(quick, gradient, atol=1e-5, rtol=1e-3), name
