"""The fused operators and plain torch give the same, so that any build of torch will do."""

import pytest
import torch
from torch.nn import functional

from SAMUNetSlicerLib.engine.networks import Convolution, linear, onednn


@pytest.fixture(params=["fused", "plain"])
def kernels(request, monkeypatch):
    """Run a test in inference mode with the operators of this torch, and as on a torch that has none."""
    if request.param == "plain":
        monkeypatch.setattr(onednn, "HAS_FUSED_LINEAR", False)
        monkeypatch.setattr(onednn, "HAS_FUSED_CONVOLUTION", False)
    with torch.inference_mode():
        yield request.param


def test_outside_of_inference_mode_linear_has_a_gradient_and_takes_part_in_autocast():
    x, weight = torch.randn(20, 24), torch.randn(10, 24, requires_grad=True)
    linear(x, weight, activation="gelu").sum().backward()
    assert weight.grad.abs().sum() > 0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert linear(x.bfloat16(), weight).dtype == torch.bfloat16


@pytest.mark.parametrize("rows", [1, 15, 16, 100])
@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
def test_linear_multiplies_adds_and_activates(kernels, rows, activation):
    x, weight, bias = torch.randn(rows, 24), torch.randn(10, 24), torch.randn(10)
    exact = functional.linear(x.double(), weight.double(), bias.double())
    exact = {"none": exact, "relu": exact.relu(), "gelu": functional.gelu(exact)}[activation]
    torch.testing.assert_close(linear(x, weight, bias, activation), exact.float(), atol=1e-4, rtol=1e-4)


def test_linear_takes_more_axes_views_and_no_bias(kernels):
    x, weight = torch.randn(2, 5, 7, 48)[..., 8:32], torch.randn(10, 24)
    torch.testing.assert_close(linear(x, weight), functional.linear(x, weight), atol=1e-4, rtol=1e-4)


def test_types_that_onednn_does_not_multiply_go_to_plain_torch(kernels):
    x, weight = torch.randn(20, 8, dtype=torch.float64), torch.randn(4, 8, dtype=torch.float64)
    assert torch.equal(linear(x, weight), functional.linear(x, weight))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (7, 2), (1, 1), (1, 2)])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("with_shortcut", [False, True])
def test_convolution_keeps_the_size_adds_and_activates(kernels, kernel, stride, relu, with_shortcut):
    x = torch.randn(2, 6, 12, 10).to(memory_format=torch.channels_last)
    weight, bias = torch.randn(8, 6, kernel, kernel), torch.randn(8)
    expected = functional.conv2d(x, weight, bias, stride, kernel // 2)
    shortcut = torch.randn_like(expected) if with_shortcut else None
    if with_shortcut:
        expected = expected + shortcut
    expected = expected.relu() if relu else expected
    assert expected.shape[2:] == (12 // stride, 10 // stride)
    y = Convolution(weight, bias, stride, relu)(x, shortcut)
    torch.testing.assert_close(y, expected, atol=1e-4, rtol=1e-4)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_one_convolution_serves_images_of_any_size(kernels):
    weight = torch.randn(8, 6, 3, 3)
    convolution = Convolution(weight, None)
    for shape in ((1, 6, 4, 4), (5, 6, 33, 17), (1, 6, 4, 4)):
        x = torch.randn(shape).to(memory_format=torch.channels_last)
        expected = functional.conv2d(x, weight, None, 1, 1)
        torch.testing.assert_close(convolution(x), expected, atol=1e-4, rtol=1e-4)


def test_an_operator_that_is_missing_or_wrong_is_not_used():
    one = torch.ones(3)
    assert onednn._agrees(lambda: one, lambda: one)
    assert not onednn._agrees(lambda: one + 1, lambda: one)
    assert not onednn._agrees(lambda: torch.ops.mkldnn._no_such_operator(one), lambda: one)
