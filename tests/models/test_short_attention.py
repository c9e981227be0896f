"""Attention of short texts in one step of autograd gives what the single operations give, and so do its gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models import masks
from models.attention import attend, merge_heads, split_heads
from models.short_attention import short_attention

BATCH, WORDS, HEADS, WIDTH, PREFIX = 3, 7, 4, 6, 2
MASK = torch.arange(WORDS)[None] < torch.tensor([7, 3, 1])[:, None]


def numbers(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def given(prefixed: bool, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """The fused projection, and perhaps keys and values of a prefix."""
    fused = numbers(BATCH, WORDS, 3 * HEADS * WIDTH, seed=1, dtype=dtype)
    return [fused, *(numbers(HEADS, PREFIX, WIDTH, seed=seed, dtype=dtype) for seed in (2, 3) if prefixed)]


def one_by_one(qkv: Tensor, *prefix: Tensor, allowed: Tensor | None) -> Tensor:
    query, key, value = (split_heads(part, WIDTH) for part in qkv.chunk(3, dim=-1))
    return merge_heads(attend(query, key, value, allowed=allowed, causal=False, prefix=prefix or None, trace=None, site=""))


def at_once(qkv: Tensor, *prefix: Tensor, allowed: Tensor | None) -> Tensor:
    return short_attention(qkv, HEADS, allowed=masks.extend(allowed, PREFIX if prefix else 0), prefix=prefix or None)


def learnt(attention: Callable, parts: list[Tensor], moving: list[int], allowed: Tensor | None) -> list[Tensor]:
    """The output, and the gradients of the parts that move."""
    parts = [part.clone().requires_grad_(place in moving) for place, part in enumerate(parts)]
    output = attention(*parts, allowed=allowed)
    weights = numbers(*output.shape, seed=4, dtype=output.dtype)
    return [output.detach(), *torch.autograd.grad((output * weights).sum(), [parts[place] for place in moving])]


@pytest.mark.parametrize("allowed", [None, masks.padding(MASK), masks.causal(WORDS, WORDS)], ids=["all", "padding", "causal"])
@pytest.mark.parametrize(
    ("prefixed", "moving"), [(False, [0]), (True, [0]), (True, [1, 2]), (True, [0, 1, 2])], ids=["words", "frozen", "prefix", "both"]
)
def test_output_and_gradients_are_those_of_the_single_operations(prefixed: bool, moving: list[int], allowed: Tensor | None) -> None:
    mine, theirs = (learnt(attention, given(prefixed), moving, allowed) for attention in (at_once, one_by_one))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences() -> None:
    parts = [numbers(2, 3, 3 * 2 * 2, seed=1), *(numbers(2, 1, 2, seed=seed) for seed in (2, 3))]
    allowed = masks.extend(masks.padding(torch.tensor([[True, True, True], [True, True, False]])), 1)
    assert torch.autograd.gradcheck(
        lambda qkv, *prefix: short_attention(qkv, 2, allowed=allowed, prefix=prefix), [part.requires_grad_() for part in parts]
    )


def test_bfloat16_under_autocast_learns_too() -> None:
    qkv, *prefix = given(True, torch.bfloat16)
    qkv, prefix = qkv.requires_grad_(), [part.float().requires_grad_() for part in prefix]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = at_once(qkv, *prefix, allowed=None)
    assert output.dtype == torch.bfloat16
    output.sum().backward()
    assert qkv.grad.dtype == torch.bfloat16 and all(part.grad.dtype == torch.float32 for part in prefix)
    wanted = one_by_one(*given(True), allowed=None).float()
    torch.testing.assert_close(output.float(), wanted, rtol=0.05, atol=0.05)


def test_a_second_derivative_is_refused_and_not_wrong() -> None:
    qkv = given(False)[0].requires_grad_()
    (first,) = torch.autograd.grad(at_once(qkv, allowed=None).square().sum(), qkv, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
