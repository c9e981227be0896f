"""Our encoders against the hub's classes: every layer, every head, every output."""

from pathlib import Path

import pytest
import torch
from peers import ENCODERS, Peer, batch, close, random_rows, real, saved
from torch import Tensor, nn

from models.families import recognise
from models.tokens import Tokens
from models.trace import Trace
from models.transformer import Transformer

LENGTHS = (9, 1, 6)
each_encoder = pytest.mark.parametrize("peer", ENCODERS.values(), ids=ENCODERS.keys())


def pairs(lengths: tuple[int, ...], types: int) -> list[list[int]]:
    """Token types of a first and a second text."""
    return [[0] * (length - length // 2) + [min(1, types - 1)] * (length // 2) for length in lengths]


def inputs(peer: Peer) -> Tokens:
    types = 2 if peer.family == "bert" else 1
    return batch(random_rows(LENGTHS), segments=pairs(LENGTHS, peer.numbers.get("type_vocab_size", types)))


def reference(model: nn.Module, tokens: Tokens) -> dict:
    padding = model.config.pad_token_id
    ids = tokens.ids.masked_fill(~tokens.mask, padding)  # RoBERTa counts its positions by it
    given = dict(input_ids=ids, attention_mask=tokens.mask.long(), output_hidden_states=True, output_attentions=True)
    if hasattr(model.config, "type_vocab_size"):
        given["token_type_ids"] = tokens.segments
    with torch.inference_mode():
        return dict(model(**given).items())


def head_outputs(network: Transformer, hidden: Tensor) -> dict[str, Tensor]:
    return {name: head(hidden) for name, head in network.heads.items()}


@each_encoder
def test_hidden_states_weights_and_heads_equal_the_reference(peer: Peer, tmp_path: Path) -> None:
    model, network = saved(peer, tmp_path)
    assert recognise(tmp_path).family.name == peer.family
    tokens, trace = inputs(peer), Trace({"hidden", "weights"})
    wanted = reference(model, tokens)
    with torch.inference_mode():
        traced = network.encode(tokens, trace=trace)
        hidden = network.encode(tokens)
        heads = head_outputs(network, hidden)
    states = wanted["hidden_states"]
    assert len(states) == network.config.n_encoder_layers + 1
    for site, state in zip(["encoder.embeddings", *(f"encoder.{i}" for i in range(len(states) - 1))], states):
        close(real(trace.get(site, "hidden"), tokens.mask), real(state, tokens.mask), site)
    for layer, weights in enumerate(wanted["attentions"]):
        ours = trace.get(f"encoder.{layer}.self", "weights")
        close(real(ours.transpose(1, 2), tokens.mask), real(weights.transpose(1, 2), tokens.mask), f"weights of layer {layer}")
    close(real(hidden, tokens.mask), real(traced, tokens.mask), "with and without a trace")
    logits = wanted.get("prediction_logits", wanted.get("logits"))
    assert ("mlm" in heads) == (logits is not None)
    if logits is not None:
        close(real(heads["mlm"], tokens.mask), real(logits, tokens.mask), "masked words")
    assert ("nsp" in heads) == ("seq_relationship_logits" in wanted)
    if "nsp" in heads:
        close(heads["nsp"], wanted["seq_relationship_logits"], "next sentence")


@each_encoder
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_and_company_change_nothing(peer: Peer, side: str, tmp_path: Path) -> None:
    _, network = saved(peer, tmp_path)
    rows, segments = random_rows(LENGTHS), pairs(LENGTHS, max(1, network.config.n_segments))
    tokens, trace = batch(rows, segments=segments, side=side), Trace({"weights"})
    with torch.inference_mode():
        together, traced = network.encode(tokens), network.encode(tokens, trace=trace)
        for index, (row, kinds) in enumerate(zip(rows, segments)):
            alone = network.encode(batch([row], segments=[kinds]))[0]
            close(together[index][tokens.mask[index]], alone, f"row {index}")
            close(traced[index][tokens.mask[index]], alone, f"row {index} traced")
            weights = trace.get("encoder.0.self", "weights")[index]
            close(weights[:, tokens.mask[index]].sum(-1), torch.ones(network.config.n_heads, len(row)), "rows sum to 1")
            assert not weights[:, :, ~tokens.mask[index]].any()


def test_roberta_positions_begin_behind_the_padding(tmp_path: Path) -> None:
    _, network = saved(ENCODERS["roberta untied"], tmp_path)
    assert network.config.position_offset == 5


@pytest.mark.parametrize("name", ["bert", "bert untied", "roberta", "distilbert"])
def test_tied_is_one_parameter_and_untied_two(name: str, tmp_path: Path) -> None:
    _, network = saved(ENCODERS[name], tmp_path)
    assert (network.heads["mlm"].output.weight is network.embeddings.words.weight) == ("untied" not in name)


def test_tasks_follow_the_heads_of_the_file(tmp_path: Path) -> None:
    wanted = {
        "bert": {"attend", "fill_mask", "next_sentence"},
        "bert without heads": {"attend"},
        "bert untied": {"attend", "fill_mask"},
        "roberta": {"attend", "fill_mask"},
        "distilbert": {"attend", "fill_mask"},
    }
    for name, tasks in wanted.items():
        _, network = saved(ENCODERS[name], tmp_path / name)
        assert recognise(tmp_path / name).family.tasks(network.config) == tasks
