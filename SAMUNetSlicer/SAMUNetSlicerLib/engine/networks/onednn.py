"""Multiply matrices and convolve with the activation included, for inference.

On a CPU torch sends fp32 matrix products to MKL, which uses half of the vector width of an AMD processor,
and repacks the weights of a convolution on every call.  oneDNN's fused operators, which torch.compile uses,
do neither: 2.2 times as fast there, equal elsewhere.  Their names in torch begin with an underscore, so they
are tried on import; where they are missing or differ, and on other devices, plain torch does the same.
"""

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional

_ACTIVATIONS = {"none": lambda x: x, "relu": functional.relu, "gelu": functional.gelu}
_FUSED_TYPES = (torch.float32, torch.bfloat16)
_FEW_ROWS = 16  # below, the operator's own overhead is longer than the product


def linear(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None, activation: str = "none") -> Tensor:
    """Compute ``activation(x @ weight.T + bias)``; plain torch outside of inference mode.

    :param x: (..., in), ``weight`` (out, in), ``bias`` (out,) or None.
    :param activation: "none", "relu" or "gelu" (exact).
    """
    # The fused operators have no derivative, and the autocast of training does not know them.
    usable = HAS_FUSED_LINEAR and torch.is_inference_mode_enabled()
    if usable and _suits_onednn(x) and x.numel() >= _FEW_ROWS * x.shape[-1]:
        return _fused_linear(x, weight, bias, activation)
    return _plain_linear(x, weight, bias, activation)


class Convolution:
    """A convolution with packed weights, "same" padding, and an optional ReLU and addition.

    Weights are packed for the size of the image that was seen last; another size packs them anew.

    :param weight: (out, in, k, k), ``bias`` (out,) or None, both on the device and of the type to be used.
    """

    def __init__(self, weight: Tensor, bias: Optional[Tensor], stride: int = 1, relu: bool = False):
        self._fused = HAS_FUSED_CONVOLUTION and _suits_onednn(weight)
        self._weight = weight if self._fused else weight.to(memory_format=torch.channels_last)
        self._bias = bias
        self._shape = (stride, weight.shape[-1] // 2)
        self._activation = "relu" if relu else "none"
        self._packed_for = None

    def __call__(self, x: Tensor, shortcut: Optional[Tensor] = None) -> Tensor:
        """Convolve (B, in, H, W) in channels-last memory to (B, out, H / stride, W / stride).

        :param shortcut: added before the ReLU; may be overwritten by the result.
        """
        if self._fused and x.shape != self._packed_for:
            self._pack(x.shape)
        convolve = _fused_convolution if self._fused else _plain_convolution
        return convolve(x, self._weight, self._bias, self._shape, self._activation, shortcut)

    def _pack(self, size):
        plain = self._weight.to_dense() if self._weight.is_mkldnn else self._weight
        self._weight, self._packed_for = _pack(plain, *self._shape, size), size


def _suits_onednn(tensor):
    return tensor.device.type == "cpu" and tensor.dtype in _FUSED_TYPES


def _plain_linear(x, weight, bias, activation):
    return _ACTIVATIONS[activation](functional.linear(x, weight, bias))


def _fused_linear(x, weight, bias, activation):
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], "none")


def _pack(weight, stride, padding, size):
    # Packed for another size, weights would be repacked on every call, slowly: 60 times the convolution.
    reorder = torch.ops.mkldnn._reorder_convolution_weight
    return reorder(weight.contiguous(), [padding] * 2, [stride] * 2, [1, 1], 1, list(size))


def _plain_convolution(x, weight, bias, shape, activation, shortcut):
    y = functional.conv2d(x, weight, bias, *shape)
    return _ACTIVATIONS[activation](y if shortcut is None else y.add_(shortcut))


def _fused_convolution(x, weight, bias, shape, activation, shortcut):
    stride, padding = shape
    arguments = (x, weight, bias, [padding] * 2, [stride] * 2, [1, 1], 1)
    if shortcut is None:
        return torch.ops.mkldnn._convolution_pointwise(*arguments, activation, [], "none")
    unary = None if activation == "none" else activation
    add = torch.ops.mkldnn._convolution_pointwise_.binary
    return add(shortcut, *arguments, "add", 1.0, unary, [], None)


def _agrees(fused, plain) -> bool:
    """Tell whether a fused operator exists and gives what plain torch gives."""
    try:
        with torch.inference_mode():
            return torch.allclose(fused(), plain(), atol=1e-4)
    except (AttributeError, RuntimeError):
        return False


def _try_linear() -> bool:
    weight, bias = torch.linspace(-1, 2, 32).view(4, 8), torch.ones(4)
    arguments = (torch.linspace(-1, 1, 24).view(3, 8), weight, bias, "gelu")
    return _agrees(lambda: _fused_linear(*arguments), lambda: _plain_linear(*arguments))


def _try_convolution() -> bool:
    x = torch.linspace(-1, 1, 64).view(1, 4, 4, 4).contiguous(memory_format=torch.channels_last)
    weight = torch.linspace(-1, 2, 144).view(4, 4, 3, 3)
    rest = (torch.ones(4), (1, 1), "relu")
    return _agrees(
        lambda: _fused_convolution(x, _pack(weight, 1, 1, x.shape), *rest, x.clone()),
        lambda: _plain_convolution(x, weight, *rest, x),
    )


HAS_FUSED_LINEAR = _try_linear()
HAS_FUSED_CONVOLUTION = _try_convolution()
