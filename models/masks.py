"""Who may look at whom: boolean masks, True where a query may see a key.

All masks broadcast to (B, H, Q, K). None means that everyone sees everyone.
"""

import torch
from torch import Tensor


def padding(mask: Tensor) -> Tensor:
    """Hide padded keys. (B, K) -> (B, 1, 1, K)"""
    return mask[:, None, None, :]


def causal(queries: int, keys: int, *, window: int | None = None, device: torch.device | str = "cpu") -> Tensor:
    """A position sees itself and what stands before it, at most `window` positions; queries are the last of the keys. -> (1, 1, Q, K)"""
    distance = torch.arange(keys - queries, keys, device=device)[:, None] - torch.arange(keys, device=device)[None, :]
    allowed = distance >= 0
    if window is not None:
        allowed &= distance < window
    return allowed[None, None]


def within(queries: Tensor, keys: Tensor, window: int) -> Tensor:
    """A query sees keys less than `window` positions before it. Positions (B, Q) and (B, K), torn apart by padding -> (B, 1, Q, K)"""
    return (queries[:, None, :, None] - keys[:, None, None, :]) < window


def both(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Allowed only where both allow it."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def extend(allowed: Tensor | None, prefix: int) -> Tensor | None:
    """Every query also sees `prefix` more keys in front. (..., Q, K) -> (..., Q, P + K)"""
    return allowed if allowed is None or prefix == 0 else torch.nn.functional.pad(allowed, (prefix, 0), value=True)


def of_queries(allowed: Tensor | None, only: Tensor) -> Tensor | None:
    """The mask of the queries at the columns `only` (B, N). (B or 1, 1, Q or 1, K) -> (B or 1, 1, N or 1, K)"""
    if allowed is None or allowed.shape[-2] == 1:
        return allowed
    return allowed.expand(only.shape[0], -1, -1, -1).gather(2, only[:, None, :, None].expand(-1, -1, -1, allowed.shape[-1]))
