"""Compute SAM's attention with relative positions on the token grid as it is: no windows, no padding.

SAM cuts the grid into windows and pads those at the right and bottom with zero tokens, which are attended
like any other.  The same result comes from one attention over the whole grid with, for every query,

- the keys of other windows masked away;
- all padded keys of its window replaced by one, the sink.  A padded token's key and value are the biases of
  their projections.  The key's bias adds the same to every logit of a query and cancels in the softmax; the
  value's bias adds itself to the output, since weights sum to 1.  So with both biases left out a padded key
  has logit ``row bias + column bias`` and value 0, and since that is separable, all of them together have a
  logit made of a few logsumexps.

Made for small grids (256 tokens), where the work saved is in the projections; on a grid of 64 x 64 the masked
products would cost more than the windows.

Sources: Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection", ECCV 2022 (windows);
Li et al., "MViTv2", CVPR 2022 (separable relative positions).
"""

import math
from typing import Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .onednn import linear

# Exponentiates to exactly 0 next to any real logit, and twice of it is finite in half precision.
_MASKED = -1e4
# Products of odd width are slow, so the sink stands in eight columns, each with an eighth of the weight.
_SINKS = 8


class FastAttention:
    """Attention of one block, with the window partition around it.

    :param attention: SAM's ``Attention`` with relative positions.
    :param grid: side of the token grid.
    :param window: side of the block's windows, 0 for none.
    """

    def __init__(self, attention: nn.Module, grid: int, window: int, device: str, dtype: torch.dtype):
        def place(tensor):
            return tensor.detach().to(device=device, dtype=dtype)

        side, channels = window or grid, attention.proj.in_features
        self._heads = attention.num_heads
        q, k_v = attention.qkv.weight.split([channels, 2 * channels])
        q_bias, _, v_bias = attention.qkv.bias.chunk(3)
        self._q, self._q_bias, self._k_v = place(q), place(q_bias), place(k_v)
        self._proj = place(attention.proj.weight)
        self._proj_bias = place(attention.proj.bias + attention.proj.weight @ v_bias)
        self._bias = _Bias(attention, grid, side, place)

    def __call__(self, x: Tensor) -> Tensor:
        """Turn (B, grid * grid, C), normalized, into the same."""
        batch, tokens, channels = x.shape
        q = linear(x, self._q, self._q_bias).view(batch, tokens, self._heads, -1)
        bias = self._bias(q)
        k_v = functional.pad(linear(x, self._k_v), (0, 0, 0, bias.shape[-1] - tokens))
        k, v = k_v.view(batch, bias.shape[-1], 2, self._heads, -1).permute(2, 0, 3, 1, 4)
        y = _attend(q.transpose(1, 2), k, v, bias)
        return linear(y.transpose(1, 2).reshape(batch, tokens, channels), self._proj, self._proj_bias)


def _attend(q, k, v, bias):
    """Compute ``softmax(q k^T / sqrt(d) + bias) v``."""
    if q.device.type == "cpu" and q.dtype != torch.float32:
        # torch's fused attention is slow here: without AMX it multiplies bf16 slower than fp32.
        scale = q.shape[-1] ** -0.5
        flat = [tensor.flatten(0, 1) for tensor in (bias, q, k, v)]
        weights = torch.baddbmm(flat[0], flat[1], flat[2].transpose(1, 2), alpha=scale).softmax(-1)
        return torch.bmm(weights, flat[3]).view(q.shape)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)


class _Bias:
    """Bias of the logits: relative positions, the mask of other windows, and the sink's logit."""

    def __init__(self, attention, grid, side, place):
        self._grid = grid
        self._reach = grid + max(grid, side)  # columns of one relative table
        tables = (attention.rel_pos_h, attention.rel_pos_w)
        self._tables = place(torch.cat([_by_offset(table, grid, side, self._reach) for table in tables]))
        device = self._tables.device
        window = torch.arange(grid, device=device) // side
        self._other_window = (window[:, None] != window).float() * _MASKED
        self._sink = _Sink(grid, side, self._reach, device) if grid % side else None

    def __call__(self, q: Tensor) -> Tensor:
        """Turn (B, tokens, heads, d) into (B, heads, tokens, tokens + sinks)."""
        batch, tokens, heads, width = q.shape
        relative = linear(q.reshape(-1, width), self._tables).float()
        relative = relative.view(batch, tokens, heads, 2, self._reach)
        rows, columns = self._rows_and_columns(relative)
        keys = tokens + (_SINKS if self._sink else 0)
        bias = relative.new_empty(batch, heads, self._grid, self._grid, keys)
        on_grid = bias[..., :tokens].unflatten(-1, (self._grid, self._grid))
        torch.add(rows[..., None], columns[..., None, :], out=on_grid)
        if self._sink:
            bias[..., tokens:] = self._sink(relative).view(*bias.shape[:-1], 1)
        return bias.view(batch, heads, tokens, keys).to(q.dtype)

    def _rows_and_columns(self, relative) -> Tuple[Tensor, Tensor]:
        """Return (B, heads, y, x, key's row) and (B, heads, y, x, key's column).

        Column ``r`` of a table belongs to the key at ``position + r - (grid - 1)``; so a step in position
        with the key kept is a step of -1 among the columns.
        """
        shape = (relative.shape[0], relative.shape[2], self._grid, self._grid, self._grid)
        image, token, head, table, _ = relative.stride()
        row, first = self._grid * token, self._grid - 1
        rows = relative.as_strided(shape, (image, head, row - 1, token, 1), first)
        columns = relative.as_strided(shape, (image, head, row, token - 1, 1), first + table)
        return rows + self._other_window[:, None], columns + self._other_window


def _by_offset(table, grid, side, reach):
    """Relative positions (reach, d): row ``r`` is that of a key ``r - (grid - 1)`` behind the query."""
    index = (grid - 1) - torch.arange(reach, device=table.device) + side - 1
    is_known = (index >= 0) & (index < len(table))
    return table[index.clamp(0, len(table) - 1)] * is_known[:, None].to(table)


class _Sink:
    """Logit of the key that stands for all padded keys of a query's window.

    The padded keys are those in any row and a padded column, and those in a padded row and a real column.
    """

    def __init__(self, grid, side, reach, device):
        real, padded = _keys_of_window(grid, side, reach)
        first = grid - grid % side  # of the incomplete windows
        y, x = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
        is_edge = (y >= first) | (x >= first)
        y, x = y[is_edge], x[is_edge]
        terms = torch.stack([(real | padded)[y], padded[x], padded[y], real[x]], 1)
        self._tokens = torch.nonzero(is_edge.flatten())[:, 0].to(device)
        self._closed = torch.zeros(terms.shape).masked_fill(~terms, -math.inf)[:, None].to(device)

    def __call__(self, relative: Tensor) -> Tensor:
        """Turn (B, tokens, heads, 2, reach) into (B, heads, tokens), for one of the columns."""
        terms = relative[:, self._tokens].repeat(1, 1, 1, 2, 1) + self._closed
        any_row, padded_column, padded_row, real_column = torch.logsumexp(terms, -1).unbind(-1)
        logit = torch.logaddexp(any_row + padded_column, padded_row + real_column) - math.log(_SINKS)
        batch, tokens, heads = relative.shape[:3]
        sink = relative.new_full((batch, heads, tokens), _MASKED)
        sink[:, :, self._tokens] = logit.transpose(1, 2)
        return sink


def _keys_of_window(grid, side, reach):
    """Tell whether (query's position, column of a table) is a real or a padded key of the query's window."""
    position = torch.arange(grid)[:, None]
    key = position + torch.arange(reach) - (grid - 1)
    is_inside = torch.div(key, side, rounding_mode="floor") == position // side
    return is_inside & (key < grid), is_inside & (key >= grid)
