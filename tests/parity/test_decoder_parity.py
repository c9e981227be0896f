"""Our decoders against the hub's classes, and against themselves: with a cache, with padding, in company."""

from pathlib import Path

import pytest
import torch
from peers import DECODERS, Peer, batch, close, random_rows, real, saved
from torch import nn

from models.cache import Cache
from models.families import recognise
from models.tokens import Tokens
from models.trace import Trace
from models.transformer import Transformer

LENGTHS = (14, 1, 9)
each_decoder = pytest.mark.parametrize("peer", DECODERS.values(), ids=DECODERS.keys())


def reference(model: nn.Module, tokens: Tokens) -> dict:
    with torch.inference_mode():
        return dict(
            model(
                input_ids=tokens.ids, attention_mask=tokens.mask.long(), output_hidden_states=True, output_attentions=True, use_cache=False
            ).items()
        )


@each_decoder
def test_hidden_states_weights_and_logits_equal_the_reference(peer: Peer, tmp_path: Path) -> None:
    model, network = saved(peer, tmp_path)
    found = recognise(tmp_path)
    assert found.family.name == peer.family and found.family.tasks(network.config) == {"attend", "fill_mask_decoder", "generate"}
    tokens, trace = batch(random_rows(LENGTHS)), Trace({"hidden", "weights"})
    wanted = reference(model, tokens)
    with torch.inference_mode():
        traced = network.decode(tokens, trace=trace)
        hidden = network.decode(tokens)
        logits = network.logits(hidden)
    states = wanted["hidden_states"]
    assert len(states) == network.config.n_decoder_layers + 1
    # The reference shows its last state behind the last norm, ours is what decode gives.
    ours = [trace.get(site, "hidden") for site in ("decoder.embeddings", *(f"decoder.{i}" for i in range(len(states) - 2)))] + [traced]
    for index, (mine, state) in enumerate(zip(ours, states, strict=True)):
        close(real(mine, tokens.mask), real(state, tokens.mask), f"state {index}")
    for layer, weights in enumerate(wanted["attentions"]):
        mine = trace.get(f"decoder.{layer}.self", "weights")
        close(real(mine.transpose(1, 2), tokens.mask), real(weights.transpose(1, 2), tokens.mask), f"weights of layer {layer}")
    close(real(hidden, tokens.mask), real(traced, tokens.mask), "with and without a trace")
    close(real(logits, tokens.mask), real(wanted["logits"], tokens.mask), "logits")


@each_decoder
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_and_company_change_nothing(peer: Peer, side: str, tmp_path: Path) -> None:
    _, network = saved(peer, tmp_path)
    rows = random_rows(LENGTHS)
    tokens = batch(rows, side=side)
    with torch.inference_mode():
        together = network.decode(tokens)
        traced = network.decode(tokens, trace=Trace({"weights"}))
        for index, row in enumerate(rows):
            alone = network.decode(batch([row]))[0]
            close(together[index][tokens.mask[index]], alone, f"row {index}")
            close(traced[index][tokens.mask[index]], alone, f"row {index} traced")


def step_by_step(network: Transformer, tokens: Tokens, first: int) -> torch.Tensor:
    """Hidden states with a cache: `first` columns at once, then one by one."""
    cache, parts = Cache(network.config, room=4), []
    width = tokens.ids.shape[1]
    for start, end in [(0, first), *((at, at + 1) for at in range(first, width))]:
        mask = tokens.mask[:, start:end]
        lengths = tuple(mask.sum(1).tolist())
        part = Tokens(ids=tokens.ids[:, start:end], mask=mask, segments=tokens.segments[:, start:end], lengths=lengths)
        parts.append(network.decode(part, cache=cache))
    return torch.cat(parts, dim=1)


@each_decoder
@pytest.mark.parametrize("first", [1, 3])
def test_with_a_cache_the_numbers_are_the_same(peer: Peer, first: int, tmp_path: Path) -> None:
    _, network = saved(peer, tmp_path)
    single = batch(random_rows((14,)))
    padded = batch(random_rows((14, 5, 12)), side="left")
    with torch.inference_mode():
        close(step_by_step(network, single, first), network.decode(single), "single")
        stepped, whole = step_by_step(network, padded, first), network.decode(padded)
        close(real(stepped, padded.mask), real(whole, padded.mask), "left-padded batch")


def test_the_sliding_window_is_seen(tmp_path: Path) -> None:
    _, network = saved(DECODERS["mistral"], tmp_path)
    trace = Trace({"weights"})
    with torch.inference_mode():
        network.decode(batch(random_rows((14,))), trace=trace)
    weights = trace.get("decoder.0.self", "weights")[0]
    distance = torch.arange(14)[:, None] - torch.arange(14)[None]
    near = (distance >= 0) & (distance < 5)
    assert (weights[:, near] > 0).all() and not weights[:, ~near].any()


def test_heads_may_be_wider_than_the_model(tmp_path: Path) -> None:
    _, network = saved(DECODERS["llama"], tmp_path)
    assert network.config.head_width * network.config.n_heads == 48 and network.config.d_model == 24
    assert network.config.end_ids == (7, 9)


@pytest.mark.parametrize(("name", "tied"), [("llama", False), ("llama biases, tied", True), ("gpt2", True), ("gpt2 untied", False)])
def test_tied_is_one_parameter_and_untied_two(name: str, tied: bool, tmp_path: Path) -> None:
    _, network = saved(DECODERS[name], tmp_path)
    assert (network.heads["lm"].output.weight is network.embeddings.words.weight) == tied
