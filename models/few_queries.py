"""Attention of few queries to many words without keys and values of every word.

A key is W x, so its product with a query is q (W x) = (W^T q) x: the matrix may as well be applied to the query. A weighted sum of values
is a value of the weighted sum: sum w (V x) = V (sum w x). Where one position of a text is read, as in classification, the last layer then
has no product with a matrix for the others. The numbers are the same up to rounding.
"""

import math

import torch
from torch import Tensor


def worth_it(queries: int, words: int, *, width: int) -> bool:
    """Whether N queries to S words with heads of D features need less than half of the arithmetic of keys and values.

    For each word of a text that is 2 H D C with keys and values, and here N H C of scores and as much of mixing, and 2 N H D C in all.
    """
    return 2 * queries * (words + width) < words * width


def attend_few(
    query: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    allowed: Tensor | None = None,
    prefix: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """query (B, H, N, D), words x (B, S, C), weight (2 H D, C) and bias (2 H D) of keys, then values -> (B, H, N, D)

    `allowed` (B or 1, 1, N or 1, P + S), True where a query may look; a `prefix` of keys and values (H, P, D) stands before the words.
    """
    batch, heads, count, width = query.shape
    key_weight, value_weight = weight.view(2, heads, width, -1)
    asking = (query / math.sqrt(width)).transpose(0, 1).flatten(1, 2)  # (H, B * N, D)
    scores = by_text(asking @ key_weight, batch) @ x.transpose(1, 2)  # (B, H * N, C) (B, C, S) -> (B, H * N, S)
    if bias is not None:
        scores = scores + by_text(asking @ bias[: heads * width].view(heads, width, 1), batch)
    if prefix is not None:
        scores = torch.cat([by_text(asking @ prefix[0].transpose(1, 2), batch), scores], dim=-1)  # (B, H * N, P + S)
    if allowed is not None:
        hidden = ~allowed.expand(batch, heads, count, -1).flatten(1, 2)
        scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    before, weights = weights.split([weights.shape[-1] - x.shape[1], x.shape[1]], dim=-1)
    mixed = by_head(weights @ x, heads) @ value_weight.transpose(1, 2)  # (H, B * N, C) (H, C, D) -> (H, B * N, D)
    if bias is not None:
        mixed = mixed + by_head(weights.sum(-1, keepdim=True), heads) * bias[heads * width :].view(heads, 1, width)
    if prefix is not None:
        mixed = mixed + by_head(before, heads) @ prefix[1]
    return mixed.unflatten(1, (batch, count)).transpose(0, 1)


def by_text(x: Tensor, batch: int) -> Tensor:
    """(H, B * N, ...) -> (B, H * N, ...)"""
    return x.unflatten(1, (batch, -1)).transpose(0, 1).flatten(1, 2)


def by_head(x: Tensor, heads: int) -> Tensor:
    """(B, H * N, ...) -> (H, B * N, ...)"""
    return x.unflatten(1, (heads, -1)).transpose(0, 1).flatten(1, 2)
