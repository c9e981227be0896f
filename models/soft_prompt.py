"""Learnt vectors among the words of a text: where they stand, and where the words stand then."""

import torch
from torch import Tensor


def weave(x: Tensor, prompt: Tensor, at: Tensor | None) -> Tensor:
    """The same prompt in each row, in front of column `at` (B,) or of all. x (B, S, ...), prompt (P, ...) -> (B, P + S, ...)"""
    prompt = prompt.to(x.dtype).expand(x.shape[0], *prompt.shape)
    if at is None:
        return torch.cat([prompt, x], dim=1)
    width, length = x.shape[1], prompt.shape[1]
    place = torch.arange(width + length, device=x.device)[None] - at[:, None]  # counted from the first vector of the prompt
    source = torch.where(place < 0, place + at[:, None], torch.where(place < length, place + width, place + at[:, None] - length))
    source = source.reshape(*source.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, prompt], dim=1).gather(1, source)


def moved(columns: Tensor, at: Tensor | None, length: int) -> Tensor:
    """Where the words of `columns` (B, N) stand once `length` vectors were put in front of column `at` (B,)."""
    return columns + length if at is None else columns + length * (columns >= at[:, None])
