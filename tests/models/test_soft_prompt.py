"""Soft prompts, prefixes and outputs that are read at some positions only: ordinary arguments, in every path and with gradients."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.cache import Cache
from models.soft_prompt import moved, weave
from models.tokens import Tokens
from models.trace import Trace
from models.transformer import Transformer

CLOSE = dict(rtol=1e-5, atol=2e-5)
KINDS = ["encoder", "pre-norm encoder", "decoder", "grouped decoder", "window decoder"]
WIDTH = 3  # vectors of the prompts here


def through(network: Transformer, tokens: Tokens, **given: object) -> Tensor:
    """An encoder's or a decoder's output."""
    return (network.encode if network.decoder is None else network.decode)(tokens, **given)


def random_prefix(network: Transformer, *, length: int = WIDTH, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    config, generator = network.config, torch.Generator().manual_seed(seed)
    layers = config.n_decoder_layers or config.n_encoder_layers
    shape = (config.kv_heads, length, config.head_width)
    return [tuple(torch.randn(shape, generator=generator) for _ in range(2)) for _ in range(layers)]


def test_a_prompt_is_woven_in_where_each_row_wants_it() -> None:
    x, prompt = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([8, 9])
    assert weave(x, prompt, None).tolist() == [[8, 9, 1, 2, 3], [8, 9, 4, 5, 6]]
    at = torch.tensor([1, 3])
    woven = weave(x, prompt, at)
    assert woven.tolist() == [[1, 8, 9, 2, 3], [4, 5, 6, 8, 9]]
    columns = torch.arange(3).expand(2, -1)
    assert woven.gather(1, moved(columns, at, 2)).tolist() == x.tolist()
    assert weave(x, prompt, None).gather(1, moved(columns, None, 2)).tolist() == x.tolist()
    assert weave(x[..., None].float(), prompt[:, None].float(), at)[..., 0].tolist() == woven.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_of_word_vectors_is_those_words(kind: str, networks: dict, tokens: Callable) -> None:
    network = networks[kind]
    words, rows = [5, 6, 7], [[3, 4, 8, 9], [11, 12]]
    vectors = network.embeddings.words.weight[words] * network.config.embedding_scale
    for at in ([0, 0], [1, 2], [4, 1]):
        whole = [row[:place] + words + row[place:] for row, place in zip(rows, at)]
        batch, wanted = tokens(rows), tokens(whole)
        plain = [torch.zeros_like(one.segments) for one in (batch, wanted)]
        batch, wanted = (Tokens(ids=t.ids, mask=t.mask, segments=s, lengths=t.lengths) for t, s in zip((batch, wanted), plain))
        for given in (torch.tensor(at), None) if at == [0, 0] else (torch.tensor(at),):
            found = through(network, batch, soft_prompt=vectors, soft_prompt_at=given)
            torch.testing.assert_close(found[wanted.mask], through(network, wanted)[wanted.mask], **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extra", ["nothing", "prompt", "prefix"])
def test_outputs_at_some_columns_are_those_of_the_whole(kind: str, extra: str, networks: dict, tokens: Callable) -> None:
    network = networks[kind]
    given = {
        "nothing": {},
        "prompt": {
            "soft_prompt": torch.randn(WIDTH, 16, generator=torch.Generator().manual_seed(2)),
            "soft_prompt_at": torch.tensor([2, 1]),
        },
        "prefix": {"prefix": random_prefix(network)},
    }[extra]
    for lengths in ([6, 3], [4, 4]):
        batch, only = tokens(lengths), torch.tensor([[1, 0], [2, 2]])
        whole = through(network, batch, **given)
        some = through(network, batch, only=only, **given)
        torch.testing.assert_close(some, whole.gather(1, only[..., None].expand(-1, -1, 16)), **CLOSE)


def test_a_student_reads_some_columns_too(networks: dict, tokens: Callable) -> None:
    network, source, target, only = networks["student"], tokens([5, 3]), tokens([4, 2], seed=1), torch.tensor([[3], [1]])
    memory = network.encode(source)
    whole = network.decode(target, memory=memory, memory_mask=source.mask)
    some = network.decode(target, memory=memory, memory_mask=source.mask, only=only)
    torch.testing.assert_close(some, whole.gather(1, only[..., None].expand(-1, -1, 16)), **CLOSE)


@pytest.mark.parametrize("kind", ["decoder", "grouped decoder"])
def test_a_prefix_made_of_a_text_is_that_text(kind: str, networks: dict, tokens: Callable) -> None:
    """What stands before a word reaches it through keys and values alone, so a decoder cannot tell the two apart."""
    network, batch, opening = networks[kind], tokens([5, 3]), [7, 9, 4]
    cache = Cache(network.config)
    network.decode(tokens([opening]), cache=cache)
    prefix = [tuple(part[0] for part in own.read()) for own in cache.own]
    whole = tokens([opening + row[:length].tolist() for row, length in zip(batch.ids, batch.lengths)])
    found = network.decode(batch, prefix=prefix)
    torch.testing.assert_close(found[batch.mask], network.decode(whole)[:, 3:][batch.mask], **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_traces_change_nothing_behind_a_prefix(kind: str, networks: dict, tokens: Callable) -> None:
    network, batch = networks[kind], tokens([6, 3])
    prefix = random_prefix(network)
    found = through(network, batch, prefix=prefix)
    alone = Tokens(ids=batch.ids[1:, :3], mask=batch.mask[1:, :3], segments=batch.segments[1:, :3], lengths=(3,))
    torch.testing.assert_close(found[1, :3], through(network, alone, prefix=prefix)[0], **CLOSE)
    trace = Trace({"weights"})
    torch.testing.assert_close(through(network, batch, prefix=prefix, trace=trace)[batch.mask], found[batch.mask], **CLOSE)
    assert trace.get(trace.places("weights")[0], "weights").shape[-1] == 6 + WIDTH


@pytest.mark.parametrize("kind", ["decoder", "grouped decoder", "window decoder"])
@pytest.mark.parametrize("extra", ["prompt", "prompt at the end", "prefix"])
def test_steps_with_a_cache_see_prompt_and_prefix(kind: str, extra: str, networks: dict, tokens: Callable) -> None:
    network, rows, more = networks[kind], [[3, 4, 5, 6], [7, 8]], [9, 10]
    vectors = torch.randn(WIDTH, 16, generator=torch.Generator().manual_seed(2))
    prefix = {"prefix": random_prefix(network)} if extra == "prefix" else {}
    prompt = {} if prefix else {"soft_prompt": vectors}
    at = torch.tensor([4, 2]) if extra == "prompt at the end" else None
    whole = network.decode(tokens([row + more for row in rows]), **prefix, **prompt, **({} if at is None else {"soft_prompt_at": at}))
    cache = Cache(network.config)
    left = {} if at is None else {"soft_prompt_at": torch.tensor([4, 4])}  # rows that are padded on the left end together
    network.decode(tokens(rows, side="left"), cache=cache, **prefix, **prompt, **left)
    for step, word in enumerate(more):
        found = network.decode(tokens([[word], [word]]), cache=cache, **prefix)
        for index, row in enumerate(rows):
            column = len(row) + step + (WIDTH if prompt else 0)
            torch.testing.assert_close(found[index, 0], whole[index, column], **CLOSE)


def test_a_prefix_may_stand_before_a_memory(networks: dict, tokens: Callable) -> None:
    for kind in ("translator", "student"):
        network, source, target = networks[kind], tokens([5, 3]), tokens([4, 2], seed=1)
        memory, cross = network.encode(source), random_prefix(network)
        whole = network.decode(target, memory=memory, memory_mask=source.mask, cross_prefix=cross)
        plain = network.decode(target, memory=memory, memory_mask=source.mask)
        assert (whole - plain)[target.mask].abs().max() > 1e-3
        cache = Cache(network.config)
        for column in range(2):
            step = Tokens(ids=target.ids[:, column : column + 1], mask=source.mask[:, :1], segments=source.segments[:, :1], lengths=(1, 1))
            found = network.decode(step, memory=memory, memory_mask=source.mask, cache=cache, cross_prefix=cross)
            torch.testing.assert_close(found[:, 0], whole[:, column], **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extra", ["prompt", "prompt at a place", "prefix"])
@pytest.mark.parametrize("some", [False, True], ids=["all columns", "one column"])
def test_gradients_reach_prompt_and_prefix(kind: str, extra: str, some: bool, networks: dict, tokens: Callable) -> None:
    """In single precision, where oneDNN's products have a gradient of our own, as in double precision, where torch's have theirs."""
    found = []
    for dtype in (torch.float32, torch.float64):
        network = copy.deepcopy(networks[kind]).to(dtype)
        if extra == "prefix":
            prefix = [tuple(part.to(dtype).requires_grad_() for part in pair) for pair in random_prefix(network)]
            given, leaves = {"prefix": prefix}, [part for pair in prefix for part in pair]
        else:
            vectors = torch.randn(WIDTH, 16, generator=torch.Generator().manual_seed(2)).to(dtype).requires_grad_()
            given, leaves = {"soft_prompt": vectors}, [vectors]
            if extra == "prompt at a place":
                given["soft_prompt_at"] = torch.tensor([2, 3])
        if some:
            given["only"] = torch.tensor([[4], [2]])
        out = through(network, tokens([5, 3]), **given)
        weights = torch.linspace(-1, 1, out.shape[-1], dtype=dtype)
        found.append(torch.autograd.grad((out[0] * weights).sum() + (out[1, :3] * weights).sin().sum(), leaves))
    for single, double in zip(*found):
        assert single.abs().max() > 0
        torch.testing.assert_close(single, double.float(), rtol=1e-4, atol=1e-4 * float(double.abs().max()))


@pytest.mark.parametrize("trained", [(), ("encoder.layers.0.self_attention.qkv.weight",)], ids=["all frozen", "a matrix moves too"])
@pytest.mark.parametrize("some", [False, True], ids=["all columns", "one column"])
def test_a_front_that_alone_is_learnt_is_worked_out_once_with_the_same_gradient(
    trained: tuple, some: bool, networks: dict, tokens: Callable
) -> None:
    """Beside the ordinary path, which a hook on the embeddings brings back, as dropout does."""
    found = []
    for ordinary in (False, True):
        network = copy.deepcopy(networks["encoder"]).double()
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in trained)
        if ordinary:
            network.embeddings.register_forward_hook(lambda module, inputs, output: None)
        vectors = torch.randn(WIDTH, 16, generator=torch.Generator().manual_seed(2)).double().requires_grad_()
        assert (network.front(vectors) is None) == ordinary
        leaves = [vectors, *(network.get_parameter(name) for name in trained)]
        out = network.encode(tokens([5, 3]), soft_prompt=vectors, **({"only": torch.tensor([[4], [2]])} if some else {}))
        found.append((out, *torch.autograd.grad((out[0] * out[0].detach().sin()).sum() + out[1, :3].sin().sum(), leaves)))
    for once, each in zip(*found):
        assert each.abs().max() > 0
        torch.testing.assert_close(once, each)


def test_a_front_is_left_to_the_ordinary_path_where_more_is_learnt(networks: dict) -> None:
    network = copy.deepcopy(networks["encoder"]).requires_grad_(False)
    vectors = torch.randn(WIDTH, 16)
    assert network.front(vectors) is None
    assert network.front(vectors.requires_grad_()).shape == (WIDTH, 16)
    with torch.no_grad():
        assert network.front(vectors) is None
    network.embeddings.words.weight.requires_grad_()
    assert network.front(vectors) is None
    assert copy.deepcopy(networks["pre-norm encoder"]).requires_grad_(False).front(vectors) is None
