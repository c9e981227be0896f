"""Alignment: the cross-attention of the chosen heads, at the position from which each word was guessed."""

from dataclasses import replace

import pytest
import torch

from models.decode.alignment import align, heads
from models.tokens import Tokens
from models.trace import Trace

WRITTEN = [(5, 9, 4), (), (7,)]


def test_where_no_head_is_known_it_is_the_mean_of_the_last_layers(networks) -> None:
    config = networks["translator"].config
    assert heads(config) == tuple((layer, head) for layer in (0, 1) for head in range(4))
    deep = replace(config, n_decoder_layers=6)
    assert heads(deep) == tuple((layer, head) for layer in (4, 5) for head in range(4))
    assert heads(replace(config, alignment_heads=((1, 2),))) == ((1, 2),)


@pytest.mark.parametrize("name", ["translator", "student"])
@pytest.mark.parametrize("known", [(), ((1, 2),), ((0, 1), (1, 3))], ids=str)
def test_rows_are_those_of_the_position_before_each_word(networks, tokens, name: str, known: tuple, monkeypatch) -> None:
    network = networks[name]
    monkeypatch.setattr(network, "config", replace(network.config, alignment_heads=known))
    batch = tokens([4, 3, 6])
    found = align(network, batch, WRITTEN)
    for row, words in enumerate(WRITTEN):
        assert found[row].shape == (len(words), batch.lengths[row])
        torch.testing.assert_close(found[row].sum(-1), torch.ones(len(words)))
        if not words:
            continue
        ids = torch.tensor([[network.config.start_id, *words]])
        target = Tokens(ids=ids, mask=ids >= -1, segments=torch.zeros_like(ids), lengths=(ids.shape[1],))
        trace, source = Trace({"weights"}), tokens([batch.ids[row][batch.mask[row]].tolist()])
        with torch.inference_mode():
            network.decode(target, memory=network.encode(source), trace=trace)
        chosen = [trace.get(f"decoder.{layer}.cross", "weights")[0, head] for layer, head in heads(network.config)]
        wanted = torch.stack(chosen).mean(0)
        torch.testing.assert_close(found[row], wanted[: len(words)], rtol=1e-5, atol=1e-6)
        assert not torch.allclose(found[row], wanted[1:], atol=1e-3)


def test_what_the_encoder_made_can_be_handed_in(networks, tokens) -> None:
    network, batch = networks["translator"], tokens([4, 3, 6])
    with torch.inference_mode():
        memory = network.encode(batch)
    for mine, wanted in zip(align(network, batch, WRITTEN, memory=memory), align(network, batch, WRITTEN)):
        assert torch.equal(mine, wanted)
