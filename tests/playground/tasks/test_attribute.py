"""What a prediction hangs on: gradients are those of a small change, on every family, also inside inference mode."""

import dataclasses

import numpy as np
import pytest
import torch

from models.ablation import Ablation
from models.errors import Problem
from models.quantised import quantise
from models.trace import Trace
from models.tuning.tuned import Tuned, tuned_model
from models.tuning.twin import twin
from playground.service.playground import Playground
from playground.tasks import attend, attribute, whatif
from playground.tasks.attend import Request

TEXT = "The animal was tired."
NAMES = ["tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian", "tiny-roberta"]


def asked(name: str) -> Request:
    return Request(text=TEXT, target="She drank tea" if name == "tiny-marian" else "")


@pytest.mark.parametrize("name", NAMES)
def test_every_family_answers_with_the_shapes_of_its_attention(ours, name: str) -> None:
    model = ours(name)
    seen = attend.run(model, [asked(name)])[0]
    with torch.inference_mode():  # as the worker does
        first, again = attribute.run(model, [asked(name), asked(name)])
    for site in seen.sites:
        assert first.norms[site].shape == (seen.heads(site), seen.keys[site].shape[1])
        assert first.gradients(site).shape == seen.all_weights(site).shape
        np.testing.assert_array_equal(first.slopes[site], again.slopes[site])
    assert {stack: len(one) for stack, one in first.saliency.items()} == {stack: len(words) for stack, words in seen.words.items()}
    assert any(first.gradients(site).any() for site in seen.sites) and all(one.any() for one in first.saliency.values())
    assert all(parameter.grad is None for parameter in model.network.parameters())


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-llama", "tiny-marian"])
def test_the_gradient_of_a_weight_is_that_of_autograd(ours, name: str) -> None:
    """The explicit path keeps the weights themselves, so autograd can be asked about them."""
    model, result = ours(name), attribute.run(ours(name), [asked(name)])[0]
    source, target = attend.source(model, asked(name)), None
    if name == "tiny-marian":
        target = attend.targets(model, [asked(name)], [source])[0]
    trace = Trace({"weights", "hidden"}, live=True)
    _, score, _ = attribute.prediction(model, asked(name), source, target, trace)
    sites = trace.places("weights")
    found = torch.autograd.grad(score, [trace.get(site, "weights") for site in sites])
    assert set(sites) == set(result.slopes)
    for site, slope in zip(sites, found):
        allowed = trace.get(site, "weights")[0].detach().numpy() > 0
        np.testing.assert_allclose(result.gradients(site)[allowed], slope[0].numpy()[allowed], rtol=1e-3, atol=1e-4)


def test_what_a_head_adds_for_a_word_is_as_long_as_the_norm_says(ours) -> None:
    """Setting all weights of a row to one word makes a head add W_O v of it, and nothing else."""
    model, site, head, key = ours("tiny-llama"), "decoder.1.self", 3, 2
    result = attribute.run(model, [asked("tiny-llama")])[0]
    out = model.network.decoder.layers[1].self_attention.out
    width = model.config.head_width
    alone = torch.zeros(out.in_features)
    alone[head * width : (head + 1) * width] = torch.from_numpy(result.values[site][head // 2, key])
    assert result.norms[site][head, key] == pytest.approx(float((alone @ out.weight.detach().T).norm()), rel=1e-4)


def test_saliency_is_gradient_times_input(ours) -> None:
    """Making every input a little longer changes the score by the sum of the saliencies."""
    model = ours("tiny-gpt2")
    result = attribute.run(model, [asked("tiny-gpt2")])[0]
    tokens = model.batch([attend.source(model, asked("tiny-gpt2"))])
    trace = Trace({"hidden"})
    with torch.no_grad():
        before = model.network.logits(model.network.decode(tokens, trace=trace))[0, -1]
        x, step = trace.get("decoder.embeddings", "hidden"), 1e-3
        after, back = (model.network.logits(model.network.decoder(x * (1 + change)))[0, -1] for change in (step, -step))
    best = int(before.argmax())
    slope = float(after[best] - back[best]) / (2 * step)
    assert float(result.saliency["decoder"].sum()) == pytest.approx(slope, rel=0.02, abs=0.02)
    assert (result.aim, result.word) == ("next", model.tokenizer.words([best])[0])


def test_the_prediction_is_what_the_model_has_learnt_to_predict(ours) -> None:
    bert = ours("tiny-bert")
    masked = attribute.run(bert, [Request(text="She drank [MASK].")])[0]
    assert masked.aim == "masked" and masked.word
    assert attribute.run(bert, [Request(text="tea", second="tea")])[0].aim == "pair"
    assert attribute.run(bert, [Request(text="tea")])[0].aim == "words"
    config = dataclasses.replace(bert.config, mlm_head=False, nsp_head=False, tied_output=False)
    network = type(bert.network).build(config)
    network.load_state_dict(bert.network.state_dict(), strict=False, assign=True)
    assert attribute.run(dataclasses.replace(bert, config=config, network=network), [Request(text="tea")])[0].aim == "meaning"


def test_a_frozen_network_has_gradients_too(ours) -> None:
    model = ours("tiny-llama")
    frozen = tuned_model(model, Tuned(twin(model.network)))
    one, other = (attribute.run(each, [Request(text=TEXT)])[0] for each in (model, frozen))
    np.testing.assert_allclose(one.saliency["decoder"], other.saliency["decoder"], rtol=1e-4, atol=1e-5)


def test_what_has_no_gradients_or_is_too_long_is_refused(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ours("tiny-bert")
    small = dataclasses.replace(model, network=quantise(twin(model.network)))
    for made, limit, key in ((small, 512, "no_gradients"), (model, 3, "too_long_for_gradients")):
        monkeypatch.setattr(attribute, "LIMIT", limit)
        for ask in (
            lambda made=made: attribute.size(made, Request(text=TEXT)),
            lambda made=made: attribute.run(made, [Request(text=TEXT)]),
        ):
            with pytest.raises(Problem) as caught:
                ask()
            assert caught.value.key == key


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian"])
def test_the_service_asks_it_of_every_model_that_can_attend(tiny_playground: Playground, name: str) -> None:
    tiny_playground.ask(name, attend.NAME, Request(text=TEXT))  # constants are kept from a pass without gradients
    result = tiny_playground.ask(name, attribute.NAME, Request(text=TEXT))
    assert result.saliency and all(np.isfinite(one).all() for one in result.saliency.values())


@pytest.mark.parametrize(("name", "site"), [("tiny-bert", "encoder.0.self"), ("tiny-llama", "decoder.0.self")])
def test_what_is_silent_has_no_part_in_the_prediction(ours, name: str, site: str) -> None:
    model = ours(name)
    silent = whatif.silenced(model, Ablation.of([f"{site}:1"]))
    whole, without = (attribute.run(one, [asked(name)])[0] for one in (model, silent))
    assert whole.slopes[site][1].any() and not without.slopes[site][1].any() and not without.norms[site][1].any()
    assert not attribute.run(whatif.silenced(model, Ablation.of([site])), [asked(name)])[0].norms[site].any()
    assert without.slopes[site][0].any() and not np.allclose(whole.slopes[site][0], without.slopes[site][0], rtol=1e-3)
