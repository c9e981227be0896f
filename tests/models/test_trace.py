"""A trace records what was asked for, where it was asked for, and nothing else."""

import pytest
import torch

from models.trace import KINDS, Trace

ALL = sorted(KINDS)


def test_a_kind_that_nobody_records_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"\['gradients'\].*weights"):
        Trace({"weights", "gradients"})


def test_only_the_sites_and_kinds_asked_for_are_recorded() -> None:
    trace = Trace({"query", "weights"}, sites=["decoder.1.cross"])
    assert trace.wants("decoder.1.cross", "scores", "weights")
    assert not trace.wants("decoder.1.cross", "scores", "value")
    assert not trace.wants("decoder.0.cross", "weights")
    for site in ("decoder.0.cross", "decoder.1.cross"):
        for kind in ("query", "key"):
            trace.put(site, kind, torch.zeros(1))
    assert list(trace.seen) == [("decoder.1.cross", "query")]


def test_what_was_not_seen_is_answered_with_what_was() -> None:
    trace = Trace({"hidden"})
    trace.put("encoder.0", "hidden", torch.ones(2))
    with pytest.raises(KeyError, match=r"weights at encoder\.0 was not traced; traced: .*hidden"):
        trace.get("encoder.0", "weights")


def test_what_was_seen_has_no_gradient() -> None:
    trace = Trace({"hidden"})
    trace.put("encoder.0", "hidden", torch.ones(2, requires_grad=True) * 2)
    assert not trace.get("encoder.0", "hidden").requires_grad


@pytest.mark.parametrize("name", ["encoder", "grouped decoder", "translator", "student"])
def test_places_come_in_the_order_of_the_forward_pass(name: str, networks, tokens) -> None:
    network, batch, trace = networks[name], tokens([4, 6]), Trace({"weights", "hidden"})
    config = network.config
    with torch.inference_mode():
        if network.encoder is None:
            network.decode(batch, trace=trace)
        else:
            memory = network.encode(batch, trace=trace)
            if network.decoder is not None:
                network.decode(batch, memory=memory, memory_mask=batch.mask, trace=trace)
    encoder = [f"encoder.{layer}.self" for layer in range(config.n_encoder_layers)]
    attends = ["cross"] if config.decoder_mixer == "ssru" else ["self", "cross"] if encoder else ["self"]
    decoder = [f"decoder.{layer}.{what}" for layer in range(config.n_decoder_layers) for what in attends]
    assert trace.places("weights") == encoder + decoder
    stacks = [("encoder", config.n_encoder_layers), ("decoder", config.n_decoder_layers)]
    hidden = [f"{stack}.{place}" for stack, layers in stacks if layers for place in ("embeddings", *range(layers))]
    assert trace.places("hidden") == hidden


@pytest.mark.parametrize("name", ["encoder", "grouped decoder", "window decoder", "translator", "student"])
def test_looking_changes_nothing(name: str, networks, tokens) -> None:
    network, batch = networks[name], tokens([4, 7, 5], side="left")

    def run(trace: Trace | None) -> torch.Tensor:
        memory = None if network.encoder is None else network.encode(batch, trace=trace)
        if network.decoder is None:
            return memory
        given = {} if memory is None else {"memory": memory, "memory_mask": batch.mask}
        return network.decode(batch, trace=trace, **given)

    with torch.inference_mode():
        plain, seen, one = run(None), run(Trace(ALL)), run(Trace(ALL, sites=["encoder.1.self", "decoder.1.cross", "decoder.1.self"]))
    for traced in (seen, one):
        torch.testing.assert_close(traced[batch.mask], plain[batch.mask], rtol=1e-5, atol=2e-5)
