import pytest
import torch

from SAMUNetSlicerLib.training.learning import dice_loss, focal_loss, mask_loss, overlap

TARGET = torch.zeros(2, 16, 16)
TARGET[:, 4:12, 4:12] = 1
RIGHT = (TARGET * 2 - 1) * 12


def test_certain_and_right_logits_cost_nothing():
    assert focal_loss(RIGHT, TARGET).max() < 1e-6
    assert dice_loss(RIGHT, TARGET).max() < 1e-3


def test_certain_and_wrong_logits_cost_more_than_uncertain_ones():
    assert (mask_loss(-RIGHT[:, None], TARGET) > mask_loss(0 * RIGHT[:, None], TARGET)).all()
    assert dice_loss(-RIGHT, TARGET).min() > 0.95


def test_focal_loss_of_an_even_guess_is_the_published_formula():
    expected = 0.5 * 0.25 * 0.6931472
    assert focal_loss(torch.zeros(2, 16, 16), TARGET)[0].item() == pytest.approx(expected, rel=1e-5)


def test_logits_of_a_quarter_of_the_resolution_are_compared_at_the_targets():
    low = torch.nn.functional.avg_pool2d(RIGHT[:, None], 4)
    low.requires_grad_()
    mask_loss(low, TARGET).backward()
    assert low.grad.isfinite().all()
    assert overlap(low, TARGET)[0].min() > 0.9
