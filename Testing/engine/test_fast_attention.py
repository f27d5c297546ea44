"""Attention without padding equals SAM's own, which pads; shown in fp64, where rounding hides nothing."""

import pytest
import torch
from torch import nn

from SAMUNetSlicerLib.engine.networks import FastAttention, ImageEncoderViT

# Rounding to fp32 of the relative positions is the largest difference.
TOLERANCE = 1e-5


def block(grid, window, heads=2, width=16):
    """One block of SAM's ViT with weights large enough for a peaked softmax."""
    torch.manual_seed(7 * grid + window)
    encoder = ImageEncoderViT(
        img_size=16 * grid,
        embed_dim=width,
        depth=1,
        num_heads=heads,
        use_rel_pos=True,
        window_size=window,
        global_attn_indexes=(),
    )
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.4)
    return encoder.blocks[0].double().requires_grad_(False)


def attended_by_sam(block, tokens):
    """What attention adds to the tokens; the block's MLP is made to add nothing."""
    for parameter in block.mlp.lin2.parameters():
        nn.init.zeros_(parameter)
    return block(tokens) - tokens


@pytest.mark.parametrize(
    ("grid", "window"),
    [(16, 14), (16, 0), (16, 8), (5, 3), (7, 4), (6, 5), (4, 14), (3, 1)],
    ids=str,
)
@pytest.mark.parametrize("batch", [1, 3])
def test_any_window_on_any_grid_gives_what_padding_gives(grid, window, batch):
    sam = block(grid, window)
    tokens = torch.randn(batch, grid, grid, 16, dtype=torch.float64)
    expected = attended_by_sam(sam, tokens)
    fast = FastAttention(sam.attn, grid, window, "cpu", torch.float64)
    ours = fast(sam.norm1(tokens).flatten(1, 2)).view_as(tokens)
    assert (ours - expected).abs().max() <= TOLERANCE * expected.abs().max()


def test_leaving_out_the_padded_keys_would_be_noticed():
    sam, tokens = block(5, 3), torch.randn(1, 5, 5, 16, dtype=torch.float64)
    expected = attended_by_sam(sam, tokens)
    fast = FastAttention(sam.attn, 5, 3, "cpu", torch.float64)
    fast._bias._sink._closed.fill_(-torch.inf)
    ours = fast(sam.norm1(tokens).flatten(1, 2)).view_as(tokens)
    assert (ours - expected).abs().max() > 1e-2 * expected.abs().max()


@pytest.mark.parametrize(("grid", "window"), [(5, 3), (8, 4), (6, 0)])
def test_bf16_stays_within_its_precision(grid, window):
    sam, tokens = block(grid, window), torch.randn(2, grid, grid, 16, dtype=torch.float64)
    expected = attended_by_sam(sam, tokens)
    fast = FastAttention(sam.attn, grid, window, "cpu", torch.bfloat16)
    ours = fast(sam.norm1(tokens).flatten(1, 2).bfloat16()).view_as(tokens)
    assert (ours - expected).abs().mean() <= 0.02 * expected.abs().mean()
