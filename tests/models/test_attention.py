"""Attention: the equation, its fused kernels, prefixes and shared sources."""

import math

import pytest
import torch
from torch import Tensor

from models import masks
from models import short_attention as module
from models.attention import CrossAttention, attend, attention
from models.cache import KeysValues
from models.trace import Trace

CLOSE = dict(rtol=1e-5, atol=1e-6)


def parts(*, batch: int = 2, heads: int = 4, kv_heads: int = 4, queries: int = 5, keys: int = 5, width: int = 6) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(3)
    shapes = [(batch, heads, queries, width), (batch, kv_heads, keys, width), (batch, kv_heads, keys, width)]
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def both_ways(query: Tensor, key: Tensor, value: Tensor, **given) -> tuple[Tensor, Tensor, Trace]:
    """Through the fused kernel, and step by step."""
    trace = Trace({"scores", "weights"})
    fused = attention(query, key, value, **given)
    return fused, attention(query, key, value, **given, trace=trace, site="here"), trace


def test_one_query_and_two_keys_by_hand() -> None:
    query, key = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[1.0, 5.0], [-1.0, 7.0]]]])
    value = torch.tensor([[[[10.0, 0.0], [0.0, 1.0]]]])
    fused, stepped, trace = both_ways(query, key, value)
    score = 2 / math.sqrt(2)
    first = math.exp(score) / (math.exp(score) + math.exp(-score))
    wanted = torch.tensor([10 * first, 1 - first])
    torch.testing.assert_close(trace.get("here", "scores")[0, 0, 0], torch.tensor([score, -score]))
    torch.testing.assert_close(trace.get("here", "weights")[0, 0, 0], torch.tensor([first, 1 - first]))
    torch.testing.assert_close(fused[0, 0, 0], wanted)
    torch.testing.assert_close(stepped[0, 0, 0], wanted)


HIDDEN = torch.tensor([[True] * 5, [True, True, False, True, False]])
MASKS = {
    "none": {},
    "causal": {"causal": True},
    "padding": {"allowed": masks.padding(HIDDEN)},
    "padding and causal": {"allowed": masks.both(masks.padding(HIDDEN), masks.causal(5, 5))},
    "window": {"allowed": masks.causal(5, 5, window=2)},
}


@pytest.mark.parametrize("given", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_the_fused_kernel_gives_what_the_single_steps_give(given: dict, kv_heads: int) -> None:
    fused, stepped, trace = both_ways(*parts(kv_heads=kv_heads), **given)
    torch.testing.assert_close(fused, stepped, **CLOSE)
    torch.testing.assert_close(trace.get("here", "weights").sum(-1), torch.ones(2, 4, 5))


@pytest.mark.parametrize("kv_heads", [4, 2, 1])
@pytest.mark.parametrize("queries", [1, 3])
def test_a_group_of_queries_shares_its_keys_and_values(kv_heads: int, queries: int) -> None:
    query, key, value = parts(kv_heads=kv_heads, queries=queries)
    repeated = [x.repeat_interleave(4 // kv_heads, dim=1) for x in (key, value)]
    allowed = masks.padding(HIDDEN)
    for given in ({}, {"allowed": allowed}):
        torch.testing.assert_close(attention(query, key, value, **given), attention(query, *repeated, **given), **CLOSE)


@pytest.mark.parametrize("queries", [1, 5])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_a_query_that_may_look_nowhere_gets_zeros(queries: int, kv_heads: int) -> None:
    allowed = torch.ones(2, 1, queries, 5, dtype=torch.bool)
    allowed[1, :, queries - 1] = False
    fused, stepped, trace = both_ways(*parts(queries=queries, kv_heads=kv_heads), allowed=allowed)
    for found in (fused, stepped):
        assert not found[1, :, queries - 1].any()
        assert found[0].isfinite().all() and found[0].abs().min() > 0
    assert not trace.get("here", "weights")[1, :, queries - 1].any()


@pytest.mark.parametrize("given", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("traced", [False, True])
def test_a_prefix_is_keys_and_values_in_front_that_everyone_sees(given: dict, traced: bool) -> None:
    query, key, value = parts(kv_heads=2)
    generator = torch.Generator().manual_seed(4)
    prefix = tuple(torch.randn(2, 3, 6, generator=generator) for _ in range(2))
    trace = Trace({"weights", "key"}) if traced else None
    settings = {"allowed": None, "causal": False} | given
    found = attend(query, key, value, **settings, prefix=prefix, trace=trace, site="here")

    longer = [torch.cat([part.expand(2, -1, -1, -1), x], dim=2) for part, x in zip(prefix, (key, value))]
    allowed = masks.causal(5, 5) if settings["causal"] else settings["allowed"]
    if allowed is not None:
        in_front = torch.ones(*allowed.shape[:-1], 3, dtype=torch.bool)
        allowed = torch.cat([in_front, allowed], dim=-1)
    torch.testing.assert_close(found, attention(query, *longer, allowed=allowed), **CLOSE)
    if traced:
        assert trace.get("here", "weights").shape == (2, 4, 5, 8)
        assert torch.equal(trace.get("here", "key"), longer[0])


def test_an_empty_prefix_changes_nothing() -> None:
    query, key, value = parts()
    empty = (torch.zeros(4, 0, 6), torch.zeros(4, 0, 6))
    found = attend(query, key, value, allowed=masks.padding(HIDDEN), causal=False, prefix=empty, trace=None, site="")
    torch.testing.assert_close(found, attention(query, key, value, allowed=masks.padding(HIDDEN)), **CLOSE)


@pytest.mark.parametrize("padded", [False, True])
def test_rows_that_share_a_source_get_what_they_would_get_alone(networks, padded: bool) -> None:
    layer: CrossAttention = networks["translator"].decoder.layers[1].cross_attention
    generator = torch.Generator().manual_seed(5)
    memory, x = torch.randn(2, 5, 16, generator=generator), torch.randn(6, 1, 16, generator=generator)
    allowed = masks.padding(HIDDEN) if padded else None
    with torch.inference_mode():
        past = KeysValues()
        layer(x[:2], memory=memory, allowed=allowed, past=past)
        together = layer(x, memory=memory, allowed=allowed, past=past)
        repeated = allowed.repeat_interleave(3, dim=0) if padded else None
        alone = layer(x, memory=memory.repeat_interleave(3, dim=0), allowed=repeated)
    torch.testing.assert_close(together, alone, **CLOSE)


@pytest.mark.parametrize("name", ["encoder", "pre-norm encoder"])
def test_a_soft_prompt_made_of_word_vectors_is_those_words(networks, tokens, name: str) -> None:
    network = networks[name]
    front, rows = [7, 4, 9], [[5, 3, 8, 6], [11, 12]]
    whole, rest = tokens([front + row for row in rows]), tokens(rows)
    whole.segments[:], rest.segments[:] = 0, 0
    vectors = network.embeddings.words.weight[front] * network.config.embedding_scale
    with torch.inference_mode():
        wanted, found = network.encode(whole), network.encode(rest, soft_prompt=vectors)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found[whole.mask], wanted[whole.mask], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", ["decoder", "grouped decoder", "window decoder"])
def test_a_decoder_takes_a_soft_prompt_too_and_padding_does_not_disturb_it(networks, tokens, name: str, side: str) -> None:
    network = networks[name]
    front, rows = [7, 4, 9], [[5, 3, 8, 6], [11, 12]]
    vectors = network.embeddings.words.weight[front]
    with torch.inference_mode():
        found = network.decode(tokens(rows, side=side), soft_prompt=vectors)
        for index, row in enumerate(rows):
            wanted = network.decode(tokens([front + row]))[0]
            mine = found[index][torch.cat([torch.ones(3, dtype=torch.bool), tokens(rows, side=side).mask[index]])]
            torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["encoder", "grouped decoder", "window decoder"])
def test_a_prefix_a_layer_reaches_its_layer_whatever_the_padding(networks, tokens, name: str) -> None:
    network = networks[name]
    config, generator = network.config, torch.Generator().manual_seed(6)
    layers = config.n_encoder_layers or config.n_decoder_layers
    prefix = [tuple(torch.randn(config.kv_heads, 3, config.head_width, generator=generator) for _ in range(2)) for _ in range(layers)]
    run = network.encode if network.encoder is not None else network.decode
    rows, trace = [[5, 3, 8, 6], [11, 12]], Trace({"key", "weights"})
    with torch.inference_mode():
        batch = tokens(rows)
        found, plain = run(batch, prefix=prefix, trace=trace), run(batch)
        alone = [run(tokens([row]), prefix=prefix)[0] for row in rows]
    assert not torch.allclose(found[batch.mask], plain[batch.mask], atol=1e-2)
    for index, wanted in enumerate(alone):
        if name != "encoder":  # its rows would have other token types alone
            torch.testing.assert_close(found[index][batch.mask[index]], wanted, rtol=1e-5, atol=2e-5)
    for layer, site in enumerate(trace.places("key")):
        assert torch.equal(trace.get(site, "key")[1, :, :3], prefix[layer][0])
        assert trace.get(site, "weights").shape[-1] == 3 + 4


@pytest.mark.parametrize(
    ("given", "bounds"),  # keys: with the matrices, and with the kernel
    [({}, (5, 4)), ({"allowed": masks.padding(HIDDEN)}, (5, 4)), ({"causal": True}, (10, 9))],
    ids=["none", "padding", "causal"],
)
def test_short_texts_learn_in_matrices_what_the_fused_kernel_gives(
    given: dict, bounds: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for short in bounds:
        monkeypatch.setattr(module, "SHORT", short)
        inputs = [part.requires_grad_() for part in parts()]
        output = attention(*inputs, **given)
        found.append([output, *torch.autograd.grad((output * torch.linspace(-1, 1, 6)).sum(), inputs)])
    for mine, theirs in zip(*found):
        torch.testing.assert_close(mine, theirs, **CLOSE)
    assert "Softmax" in str(names(found[0][0])) and "Softmax" not in str(names(found[1][0]))


def names(tensor: Tensor) -> set[str]:
    """The operations that made a tensor."""
    seen, waiting = set(), [tensor.grad_fn]
    while waiting:
        if (one := waiting.pop()) is not None:
            seen.add(one.name())
            waiting += [before for before, _ in one.next_functions]
    return seen
