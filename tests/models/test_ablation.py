"""Silent heads, feed-forward blocks and layers: what they add is 0, nothing else changes, and the network stays as it was."""

import copy

import pytest
import torch
from torch import Tensor

from models.ablation import Ablated, Ablation, ablated_heads, attentions, places
from models.decode.beam import search
from models.decode.greedy import greedy
from models.decode.steps import collect
from models.trace import Trace
from models.transformer import Transformer

CLOSE = dict(rtol=1e-5, atol=2e-5)
NAMES = ["encoder", "pre-norm encoder", "decoder", "grouped decoder", "window decoder", "translator", "student"]


def run(network: Transformer | Ablated, batch, **given) -> Tensor:
    """What leaves the last stack at the real tokens. -> (N, C)"""
    with torch.inference_mode():
        memory = None if network.encoder is None else network.encode(batch, **given)
        if network.decoder is not None:
            sources = {} if memory is None else {"memory": memory, "memory_mask": batch.mask}
            memory = network.decode(batch, **sources, **given)
        return memory[batch.mask]


def part(network: Transformer, site: str) -> torch.nn.Module:
    """The module at a site."""
    stack, layer, kind = site.split(".")
    name = {"self": "self_attention", "cross": "cross_attention", "feedforward": "feedforward"}[kind]
    own = getattr(network, stack).layers[int(layer)]
    return own.ssru if kind == "self" and hasattr(own, "ssru") else getattr(own, name)


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_is_silent_every_bit_is_the_same(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([5, 3])
    assert torch.equal(run(Ablated(network, Ablation()), batch), run(network, batch))


@pytest.mark.parametrize("name", NAMES)
def test_a_silent_head_is_a_head_without_its_columns_of_the_output_matrix(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([5, 3])
    for site in attentions(network.config):
        edited = copy.deepcopy(network)
        attention = part(edited, site)
        for head in (1, 3):
            attention.out.weight[:, head * attention.width : (head + 1) * attention.width] = 0
        silent = Ablated(network, Ablation(heads=frozenset({(site, 1), (site, 3)})))
        found = run(silent, batch)
        torch.testing.assert_close(found, run(edited, batch), **CLOSE)
        assert not torch.allclose(found, run(network, batch), atol=1e-3), site


@pytest.mark.parametrize("name", ["encoder", "decoder", "grouped decoder", "translator"])
def test_an_attention_of_silent_heads_adds_its_bias_alone(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([5, 3])
    for site in attentions(network.config):
        trace = Trace({"update"}, sites=[site])
        run(Ablated(network, Ablation(heads=frozenset((site, head) for head in range(4)))), batch, trace=trace)
        bias, added = part(network, site).out.bias, trace.get(site, "update")
        torch.testing.assert_close(added, (0 * added if bias is None else bias.expand_as(added)))


@pytest.mark.parametrize("name", NAMES)
def test_a_silent_part_adds_nothing_and_a_silent_layer_hands_on_what_it_was_given(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([5, 3])
    for place in places(network.config):
        trace = Trace({"update", "hidden"})
        run(Ablated(network, Ablation(parts=frozenset({place}))), batch, trace=trace)
        if place.count(".") == 2:
            assert not trace.get(place, "update").any(), place
        else:
            stack, layer = place.split(".")
            before = f"{stack}.{int(layer) - 1}" if layer != "0" else f"{stack}.embeddings"
            assert torch.equal(trace.get(place, "hidden"), trace.get(before, "hidden")), place


@pytest.mark.parametrize("name", ["encoder", "grouped decoder", "translator"])
def test_each_row_can_have_an_ablation_of_its_own(name: str, networks, tokens) -> None:
    network = networks[name]
    ablations = [*ablated_heads(network.config)[::3], Ablation(), Ablation(parts=frozenset(places(network.config)[:2]))]
    batch, one = tokens([[5, 3, 8, 6]] * len(ablations)), tokens([[5, 3, 8, 6]])
    together = run(Ablated(network, *ablations), batch).unflatten(0, (len(ablations), -1))
    for ablation, found in zip(ablations, together):
        torch.testing.assert_close(found, run(Ablated(network, ablation), one), **CLOSE)


@pytest.mark.parametrize("name", ["decoder", "grouped decoder", "translator", "student"])
def test_decoding_step_by_step_gives_what_the_whole_text_gives(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([4, 4])
    config = network.config
    ablation = Ablation(heads=frozenset({(attentions(config)[-1], 2)}), parts=frozenset({"decoder.0.feedforward", "decoder.1"}))
    silent = Ablated(network, ablation)
    (written, *_) = collect(greedy(silent, batch, max_new_tokens=6), rows=2, end_ids=config.end_ids)
    ids = batch.ids[0].tolist() if network.encoder is None else [config.start_id]
    read = tokens([[*ids, *written.ids][: len(ids) + len(written.ids) - 1]])
    with torch.inference_mode():
        given = {} if network.encoder is None else {"memory": silent.encode(batch)[:1]}
        scores = network.logits(silent.decode(read, **given))[0, len(ids) - 1 :]
    scores = scores.index_fill(1, torch.tensor(config.never_ids, dtype=torch.int64), float("-inf"))
    assert tuple(scores.argmax(-1).tolist()) == written.ids and written.ids
    if network.encoder is not None:  # several beginnings read one source
        found = search(silent, batch, beams=3, max_new_tokens=6)
        assert all(len(texts) == 3 for texts in found)


def test_names_that_mean_nothing_are_told(networks) -> None:
    config = networks["encoder"].config
    wrong = Ablation(heads=frozenset({("encoder.0.self", 4), ("encoder.3.self", 0), ("encoder.1.self", 3)}), parts=frozenset({"decoder.0"}))
    assert wrong.unknown(config) == ["decoder.0", "encoder.0.self:4", "encoder.3.self:0"]
    assert Ablation(parts=frozenset({"encoder.2", "encoder.0.feedforward"})).unknown(config) == []
    assert attentions(networks["student"].config)[2:] == ("decoder.0.cross", "decoder.1.cross")
    assert not Ablation() and Ablation(parts=frozenset({"encoder.2"}))


def test_names_as_people_write_them() -> None:
    assert Ablation.of(["encoder.3.self:5", "decoder.0.feedforward"]) == Ablation(
        heads=frozenset({("encoder.3.self", 5)}), parts=frozenset({"decoder.0.feedforward"})
    )
    assert Ablation.of(["encoder.3.self:x", ":2", ""]).parts == {"encoder.3.self:x", ":2", ""} and not Ablation.of([])
