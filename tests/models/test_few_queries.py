"""Few queries get from the words themselves what they get from keys and values of every word."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from models import masks
from models.few_queries import attend_few, worth_it

HEADS, WIDTH, BATCH, WORDS, PREFIX = 3, 4, 2, 7, 2


def plain(
    query: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    allowed: Tensor | None = None,
    prefix: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """The same with keys and values."""
    pairs = torch.nn.functional.linear(x, weight, bias).view(*x.shape[:2], 2, HEADS, WIDTH).permute(2, 0, 3, 1, 4)
    key, value = pairs if prefix is None else [torch.cat([one.expand(len(x), -1, -1, -1), part], dim=2) for one, part in zip(prefix, pairs)]
    return scaled_dot_product_attention(query, key, value, attn_mask=allowed)


@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("masked", ["", "padding", "each query"])
@pytest.mark.parametrize("with_prefix", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_values_and_gradients_are_those_of_keys_and_values(queries: int, masked: str, with_prefix: bool, with_bias: bool) -> None:
    torch.manual_seed(queries)
    size = HEADS * WIDTH
    made = [torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in (
        (BATCH, HEADS, queries, WIDTH), (BATCH, WORDS, size), (2 * size, size), (2 * size,), (HEADS, PREFIX, WIDTH), (HEADS, PREFIX, WIDTH)
    )]  # fmt: skip
    query, x, weight, bias, *prefix = made
    bias, prefix = bias if with_bias else None, tuple(prefix) if with_prefix else None
    allowed = None
    if masked:
        allowed = masks.padding(torch.tensor([[True] * WORDS, [True] * (WORDS - 3) + [False] * 3]))
        if masked == "each query":
            allowed = allowed & (torch.arange(WORDS) != torch.arange(queries)[:, None])[None, None]
        allowed = masks.extend(allowed, PREFIX if with_prefix else 0)
    asked = [tensor for tensor in (query, x, weight, bias, *(prefix or ())) if tensor is not None]
    found = [way(query, x, weight, bias, allowed=allowed, prefix=prefix) for way in (attend_few, plain)]
    torch.testing.assert_close(*found)
    slopes = [torch.autograd.grad((one * torch.linspace(-1, 1, WIDTH, dtype=one.dtype)).sum(), asked) for one in found]
    for mine, theirs in zip(*slopes):
        torch.testing.assert_close(mine, theirs)


def test_it_is_for_few_queries_to_many_words() -> None:
    assert worth_it(1, 32, width=32) and worth_it(8, 512, width=64)
    assert not worth_it(32, 32, width=32) and not worth_it(1, 2, width=64)
