"""TinyViT: its shortcuts for inference give what the plain network gives."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.sam_networks import TINY_VIT, randomise_batch_norm
from SAMUNetSlicerLib.engine.networks import (
    InvertedResidual,
    Merging,
    TinyViT,
    WindowAttention,
    fold_batch_norm,
)
from SAMUNetSlicerLib.engine.networks.tiny_vit import _by_strips


def small_tiny_vit():
    torch.manual_seed(0)
    network = TinyViT(**TINY_VIT)
    randomise_batch_norm(network)
    return network.eval()


@pytest.mark.parametrize("height", [64, 70, 33, 96])
@pytest.mark.parametrize("block_type", [InvertedResidual, Merging])
def test_strips_change_no_bit(block_type, height):
    torch.manual_seed(0)
    stride = 2 if block_type is Merging else 1
    block = Merging(8, 16, 2) if block_type is Merging else InvertedResidual(8)
    randomise_batch_norm(block)
    x = torch.randn(2, 8, height - height % stride, 20).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.equal(_by_strips(block.eval(), x, stride), block(x))


def test_folded_batch_norm_changes_only_rounding():
    network = small_tiny_vit()
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(x)
        after = fold_batch_norm(network)(x)
    assert torch.allclose(before, after, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_inference_gives_what_training_computes():
    network = small_tiny_vit()
    x = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        fast = network(x)
    assert torch.allclose(network(x).detach(), fast, atol=1e-5)


def test_gradients_reach_every_parameter_in_training():
    network = small_tiny_vit().train()
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_attention_stays_in_its_window_and_sees_the_padding():
    torch.manual_seed(0)
    attention = WindowAttention(8, heads=2, window=4).eval()
    nn.init.normal_(attention.attention_biases)
    x = torch.randn(1, 6, 4, 8)
    with torch.inference_mode():
        whole = attention(x)
        # The lower two rows share a window with two rows of zeros.
        lower = functional.pad(x[:, 4:], (0, 0, 0, 0, 0, 2))
        assert torch.allclose(whole[:, 4:], attention(lower)[:, :2], atol=1e-6)
        changed = x.clone()
        changed[:, 5] += 1
        assert torch.equal(attention(changed)[:, :4], whole[:, :4])


def test_attention_is_the_published_formula():
    torch.manual_seed(0)
    attention = WindowAttention(8, heads=2, window=3).eval()
    nn.init.normal_(attention.attention_biases)
    x = torch.randn(1, 3, 3, 8)
    with torch.inference_mode():
        got = attention(x).view(9, 8)
        qkv = attention.qkv(attention.norm(x.view(9, 8))).view(9, 2, 3, 4)
        heads = []
        for head in range(2):
            q, k, v = qkv[:, head].unbind(1)
            bias = torch.tensor(
                [
                    [
                        attention.attention_biases[head, abs(i // 3 - j // 3) * 3 + abs(i % 3 - j % 3)]
                        for j in range(9)
                    ]
                    for i in range(9)
                ]
            )
            heads.append((q @ k.T * 4**-0.5 + bias).softmax(1) @ v)
        expected = attention.proj(torch.cat(heads, 1))
    assert torch.allclose(got, expected, atol=1e-5)
