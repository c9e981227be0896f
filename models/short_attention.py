"""Attention of short texts that are learnt from on a CPU: two products of matrices, which have a faster gradient than the fused kernel.

Where queries, keys and values come out of one matrix, all of it is one step of autograd. Written as ordinary operations, each of them and
each of their gradients would be copied from (B, S, H, D) to (B, H, S, D) and back again and again; here each is copied once on the way in
and once on the way back, and scores and their gradient are worked out in place.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SHORT = 96  # keys; below, the matrices are faster


def suits_matrices(read: Sequence[Tensor], keys: int, allowed: Tensor | None, *, causal: bool) -> bool:
    """Whether the fused kernel's gradient costs more than the memory it saves: short texts that are learnt from on a CPU.

    `read` is what queries and keys come from. Of a causal text the kernel computes but half.
    """
    learning = torch.is_grad_enabled() and any(part.requires_grad for part in read)
    short = keys <= (SHORT // 2 if causal else SHORT)
    return learning and read[0].device.type == "cpu" and short and (allowed is None or allowed.shape[-2] == 1)


def in_matrices(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
    """Attention as two products of matrices; what may not be looked at has so low a score that its weight is 0."""
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)
    if allowed is not None:
        scores = scores + low_where_hidden(allowed, scores.dtype)
    return scores.softmax(dim=-1) @ value


def low_where_hidden(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """What to add to scores so that what may not be looked at has no weight: 0 or the lowest number there is, in the mask's shape."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill_(~allowed, torch.finfo(dtype).min)


def short_attention(qkv: Tensor, heads: int, *, allowed: Tensor | None = None, prefix: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """softmax(Q K^T / sqrt(D)) V of a fused projection (B, S, 3 * H * D) -> (B, S, H * D)

    `allowed` broadcasts to (B, 1, S, P + S), True where a query may look; a `prefix` of keys and values (H, P, D) stands before the words.
    What may not be looked at has so low a score that its weight is 0.
    """
    low = None
    if allowed is not None:
        low = low_where_hidden(allowed, qkv.dtype)
        low = low.expand(-1, heads, -1, -1).flatten(0, 1) if len(low) > 1 else low[0]  # (B * H or 1, S or 1, P + S)
    keys, values = (None, None) if prefix is None else (part.to(qkv.dtype) for part in prefix)
    return ShortAttention.apply(qkv, keys, values, low, heads)


class ShortAttention(torch.autograd.Function):
    """See `short_attention`; `low` is added to the scores. It has a first derivative only."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, keys: Tensor | None, values: Tensor | None, low: Tensor | None, heads: int) -> Tensor:
        batch, words = qkv.shape[:2]
        parts = qkv.view(batch, words, 3, heads, -1).permute(2, 0, 3, 1, 4)  # (3, B, H, S, D)
        if keys is None:
            query, key, value = parts.flatten(1, 2)
        else:
            query, key, value = parts[0].flatten(0, 1), behind(keys, parts[1]), behind(values, parts[2])
        with torch.autocast(qkv.device.type, enabled=False):
            scores = scaled(query, key.transpose(1, 2), query.shape[-1] ** -0.5, low)
            weights = torch.softmax(scores, -1, out=scores)
            mixed = weights @ value
        ctx.save_for_backward(query, key, value, weights)
        ctx.heads, ctx.before = (batch, heads), 0 if keys is None else keys.shape[1]
        return mixed.unflatten(0, ctx.heads).transpose(1, 2).flatten(2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights = ctx.saved_tensors
        before, learnt = ctx.before, slice(None) if ctx.needs_input_grad[0] else slice(ctx.before)  # below the prefix nothing may learn
        slope = slope.unflatten(2, (ctx.heads[1], -1)).transpose(1, 2).flatten(0, 1)  # (B * H, S, D)
        of_scores = slope @ value.transpose(1, 2)
        torch._softmax_backward_data(of_scores, weights, -1, weights.dtype, grad_input=of_scores)
        scale = query.shape[-1] ** -0.5
        of_key, of_value = scaled(of_scores[..., learnt].transpose(1, 2), query, scale), weights[..., learnt].transpose(1, 2) @ slope
        ahead = [part[:, :before].unflatten(0, ctx.heads).sum(0) if before else None for part in (of_key, of_value)]
        if not ctx.needs_input_grad[0]:
            return None, *ahead, None, None
        of_qkv = slope.new_empty(ctx.heads[0], query.shape[1], 3, ctx.heads[1], query.shape[2])  # (B, S, 3, H, D)
        for place, part in enumerate((scaled(of_scores, key, scale), of_key[:, before:], of_value[:, before:])):
            of_qkv[:, :, place] = part.unflatten(0, ctx.heads).transpose(1, 2)
        return of_qkv.flatten(2), *ahead, None, None


def behind(prefix: Tensor, words: Tensor) -> Tensor:
    """The words' keys or values (B, H, S, D) behind those of a prefix (H, P, D) -> (B * H, P + S, D)"""
    return torch.cat([prefix.expand(len(words), -1, -1, -1), words], dim=2).flatten(0, 1)


def scaled(one: Tensor, other: Tensor, scale: float, low: Tensor | None = None) -> Tensor:
    """one @ other * scale + low, in one go."""
    return torch.baddbmm(other.new_zeros(1) if low is None else low, one, other, beta=0 if low is None else 1, alpha=scale)
