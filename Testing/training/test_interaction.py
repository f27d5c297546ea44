import numpy as np
import pytest
import torch

from SAMUNetSlicerLib.training.interaction import Script, SimulatedUser, draw_scripts, play
from training.corpora import TINY, disc, tiny_network

TARGET = torch.from_numpy(np.stack([disc(32, 12, 14, 6), disc(32, 20, 9, 4)]).astype(np.float32))


class Recorder(torch.nn.Module):
    """Answers every call with the same logits and remembers what it was asked."""

    config = TINY

    def __init__(self, logits):
        super().__init__()
        self.logits, self.calls = torch.nn.Parameter(logits), []

    def decode_prompts(self, _embedding, _feature, _detail, **prompts):
        self.calls.append((torch.is_grad_enabled(), prompts))
        return self.logits * 1


def _played(script, logits=None):
    network = Recorder(torch.full((2, 1, 32, 32), -1.0) if logits is None else logits)
    play(network, (None,) * 3, TARGET, script, np.random.default_rng(0))
    return network.calls


def test_clicks_accumulate_and_only_the_last_answer_is_learned_from():
    calls = _played(Script(box=False, clicks=3))
    assert [prompts["points"].shape[1] for _, prompts in calls] == [1, 2, 3]
    assert [graph for graph, _ in calls] == [False, False, True]


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


def test_a_whole_script_gives_gradients_to_the_decoder():
    network = tiny_network()
    encoded = tuple(t.repeat(2, 1, 1, 1) for t in network.encode_image(torch.randn(1, 3, 64, 64)))
    logits = play(network, encoded, TARGET, Script(box=True, clicks=2), np.random.default_rng(0))
    assert logits.shape == (2, 1, 32, 32)
    logits.sum().backward()
    assert network.mask_decoder.med_token.weight.grad.abs().sum() > 0
