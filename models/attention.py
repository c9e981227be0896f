"""Scaled dot-product attention and the two ways a layer uses it.

B batch, H heads, Q query positions, K key positions, D head width, C model width, P prompt length; H_kv heads of keys and values.
Comments give changes of shape in these letters, here and in every other file.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from models import masks
from models.ablation import Silence
from models.cache import KeysValues
from models.config import ModelConfig
from models.few_queries import attend_few, worth_it
from models.linear import Linear
from models.positions import rotate
from models.short_attention import in_matrices, short_attention, suits_matrices
from models.trace import Trace

Prefix = tuple[Tensor, Tensor]  # keys and values (H_kv, P, D) that stand before those of the words


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    allowed: Tensor | None = None,
    causal: bool = False,
    trace: Trace | None = None,
    site: str = "",
) -> Tensor:
    """softmax(Q K^T / sqrt(D)) V: each query takes a weighted mean of the values (Vaswani et al. 2017, equation 1).

    query (B, H, Q, D), key and value (B, H_kv, K, D) -> (B, H, Q, D). `allowed` broadcasts to (B, H, Q, K), True where a query may look;
    a query that may look nowhere gets zeros. `causal` is the short form of a causal mask, where Q = K. The fused kernel computes it,
    unless the trace asks for scores or weights or a short text is learnt from.
    """
    if trace is not None and trace.wants(site, "scores", "weights"):
        return explicit_attention(
            query,
            key,
            value,
            allowed=masks.causal(query.shape[-2], key.shape[-2], device=query.device) if causal else allowed,
            trace=trace,
            site=site,
        )
    groups = query.shape[1] // key.shape[1]
    if groups == 1 and suits_matrices((query, key), key.shape[-2], allowed, causal=causal):
        return in_matrices(query, key, value, masks.causal(query.shape[-2], key.shape[-2], device=query.device) if causal else allowed)
    if groups == 1:
        return scaled_dot_product_attention(query, key, value, attn_mask=allowed, is_causal=causal)
    if query.shape[-2] == 1 and (allowed is None or allowed.shape[-2] == 1 == allowed.shape[1]):
        # One query a head: the heads of a group are to the fused kernel what several positions would be, and no key is copied.
        stacked = query.reshape(query.shape[0], key.shape[1], groups, -1)
        return scaled_dot_product_attention(stacked, key, value, attn_mask=allowed).reshape(query.shape)
    return scaled_dot_product_attention(query, key, value, attn_mask=allowed, is_causal=causal, enable_gqa=True)


def explicit_attention(query: Tensor, key: Tensor, value: Tensor, *, allowed: Tensor | None, trace: Trace, site: str) -> Tensor:
    """The same in single steps, so that each can be seen."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if allowed is not None:
        scores = scores.masked_fill(~allowed, float("-inf"))
    weights = scores.softmax(dim=-1)
    if allowed is not None:
        weights = weights.masked_fill(~allowed, 0.0)
    trace.put(site, "scores", scores)
    trace.put(site, "weights", weights)
    return weights @ value


def split_heads(x: Tensor, width: int) -> Tensor:
    """(B, S, H * D) -> (B, H, S, D)"""
    return x.unflatten(-1, (-1, width)).transpose(1, 2)


def columns(x: Tensor, only: Tensor | None) -> Tensor:
    """The positions at the columns `only` (B, N) of each text; None: all. (B, S, C) -> (B, N, C)"""
    return x if only is None else x.gather(1, only[..., None].expand(-1, -1, x.shape[-1]))


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, S, D) -> (B, S, H * D)"""
    return x.transpose(1, 2).flatten(2)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    allowed: Tensor | None,
    causal: bool,
    prefix: Prefix | None,
    trace: Trace | None,
    site: str,
    silence: Silence | None = None,
) -> Tensor:
    """Attention with a prefix in front, a trace beside it and perhaps some heads silent; what self- and cross-attention share."""
    if prefix is not None:
        if causal:
            allowed, causal = masks.causal(query.shape[-2], key.shape[-2], device=query.device), False
        key, value = (torch.cat([p.to(x.dtype).expand(x.shape[0], -1, -1, -1), x], dim=2) for p, x in zip(prefix, (key, value)))
        allowed = masks.extend(allowed, prefix[0].shape[-2])
    if trace is not None:
        trace.put(site, "query", query)
        trace.put(site, "key", key)
        trace.put(site, "value", value)
    mixed = attention(query, key, value, allowed=allowed, causal=causal, trace=trace, site=site)
    if silence is not None:
        mixed = silence.heads(site, mixed)
    if trace is not None:
        trace.put(site, "head_output", mixed)
    return mixed


class SelfAttention(nn.Module):
    """The words of one text look at each other."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.width = config.head_width
        self.sizes = [config.n_heads * self.width, config.kv_heads * self.width, config.kv_heads * self.width]
        # One matrix instead of three: the input is read once, and a small model spends less time starting kernels.
        self.qkv = Linear(config.d_model, sum(self.sizes), bias=config.attention_bias)
        self.out = Linear(self.sizes[0], config.d_model, bias=config.attention_out_bias)

    def forward(
        self,
        x: Tensor,
        *,
        allowed: Tensor | None = None,
        causal: bool = False,
        turn: tuple[Tensor, Tensor] | None = None,
        past: KeysValues | None = None,
        prefix: Prefix | None = None,
        only: Tensor | None = None,
        front: Tensor | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
        site: str = "",
    ) -> Tensor:
        """x (B, S, C) -> (B, S, C). `turn`: cosines and sines of rotary positions; `past`: keys and values of earlier steps.

        With `only` (B, N) the positions at these columns alone ask, and all are looked at. -> (B, N, C)
        `front` (P, C): what every row of x begins with, and all that there is to learn below.
        """
        if only is not None:
            look = dict(allowed=allowed, causal=causal, turn=turn, past=past, prefix=prefix, trace=trace, silence=silence, site=site)
            return self.out(merge_heads(self.some(x, only, **look)))
        fused = self.qkv(x) if front is None else self.behind(front, x)
        before = prefix[0].shape[-2] if prefix else 0
        plain = self.sizes[0] == self.sizes[1] and turn is None and past is None and trace is None and silence is None
        if plain and suits_matrices((fused, *(prefix or ())), before + x.shape[1], allowed, causal=causal):
            if causal:
                allowed = masks.causal(x.shape[1], x.shape[1], device=x.device)
            allowed = masks.extend(allowed, before)
            return self.out(short_attention(fused, self.sizes[0] // self.width, allowed=allowed, prefix=prefix))
        queries_keys, value = (split_heads(part, self.width) for part in fused.split([sum(self.sizes[:2]), self.sizes[2]], dim=-1))
        if turn is not None:
            queries_keys = rotate(queries_keys, turn)
        query, key = queries_keys.split([self.sizes[0] // self.width, self.sizes[1] // self.width], dim=1)
        if past is not None:
            key, value = past.append(key, value)
        seen = dict(prefix=prefix, trace=trace, silence=silence, site=site)
        mixed = attend(query, key, value, allowed=allowed, causal=causal, **seen)
        return self.out(merge_heads(mixed))

    def behind(self, front: Tensor, x: Tensor) -> Tensor:
        """Queries, keys and values of x: those of the front once for all rows, those of the words without a gradient for the words."""
        words = self.qkv(x[:, len(front) :].detach())
        return torch.cat([self.qkv(front).expand(len(x), -1, -1), words], dim=1)

    def some(
        self,
        x: Tensor,
        only: Tensor,
        *,
        allowed: Tensor | None,
        causal: bool,
        turn: tuple[Tensor, Tensor] | None,
        past: KeysValues | None,
        **rest: Any,
    ) -> Tensor:
        """Queries of the columns `only` alone; keys and values of all. (B, S, C) -> (B, H, N, D)"""
        query = split_heads(self.qkv(columns(x, only), rows=slice(0, self.sizes[0])), self.width)
        plain = not causal and turn is None and past is None and rest["trace"] is None and rest["silence"] is None
        few = plain and self.sizes[0] == self.sizes[1] and worth_it(only.shape[1], x.shape[1], width=self.width)
        part = self.qkv.part(slice(self.sizes[0], None)) if few else None
        if part is not None:
            prefix = rest["prefix"]
            allowed = masks.extend(masks.of_queries(allowed, only), prefix[0].shape[-2] if prefix else 0)
            return attend_few(query, x, *part, allowed=allowed, prefix=prefix)
        keys_values = split_heads(self.qkv(x, rows=slice(self.sizes[0], None)), self.width)
        key, value = keys_values.chunk(2, dim=1)
        if turn is not None:
            asking = tuple(columns(part[:, 0].expand(x.shape[0], -1, -1), only)[:, None] for part in turn)
            query, key = rotate(query, asking), rotate(key, turn)
        if past is not None:
            key, value = past.append(key, value)
        if causal:
            allowed = masks.causal(x.shape[1], key.shape[-2], device=x.device)
        return attend(query, key, value, allowed=masks.of_queries(allowed, only), causal=False, **rest)


class CrossAttention(nn.Module):
    """The words of the target look at the words of the source."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.width = config.head_width
        inner, self.inner_kv = config.n_heads * self.width, config.kv_heads * self.width
        self.q = Linear(config.d_model, inner, bias=config.attention_bias)
        self.kv = Linear(config.d_model, 2 * self.inner_kv, bias=config.attention_bias)
        self.out = Linear(inner, config.d_model, bias=config.attention_out_bias)

    def forward(
        self,
        x: Tensor,
        *,
        memory: Tensor,
        allowed: Tensor | None = None,
        past: KeysValues | None = None,
        prefix: Prefix | None = None,
        trace: Trace | None = None,
        silence: Silence | None = None,
        site: str = "",
    ) -> Tensor:
        """x (B, Q, C), memory (B, K, C) -> (B, Q, C). With `past`, keys and values of the memory are computed at the first step only.

        Then x may have n times as many rows, each of one word: each source is read by n rows that stand together.
        """
        query = split_heads(self.q(x), self.width)
        if past is not None and past.filled:
            key, value = past.read()
        else:
            key, value = (split_heads(part, self.width) for part in self.kv(memory).split(self.inner_kv, dim=-1))
            if past is not None:
                past.fill(key, value)
        readers = query.shape[0] // key.shape[0]
        if readers > 1:  # rows that read the same source are to attention what several positions are
            query = query[:, :, 0].unflatten(0, (-1, readers)).transpose(1, 2)  # (B * n, H, 1, D) -> (B, H, n, D)
        seen = dict(prefix=prefix, trace=trace, silence=silence, site=site)
        mixed = attend(query, key, value, allowed=allowed, causal=False, **seen)
        if readers > 1:
            mixed = mixed.transpose(1, 2).flatten(0, 1)[:, :, None]  # (B, H, n, D) -> (B * n, H, 1, D)
        return self.out(merge_heads(mixed))
