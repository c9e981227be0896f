"""Questions put to a model with parts of it silent, and which head matters for one guess."""

import copy

import numpy as np
import pytest
import torch

from models.ablation import Ablation
from models.errors import Problem
from models.model import Model
from playground.tasks import attend, fill_mask, next_sentence, predict, translate, whatif, which_head

TEXT = "The animal didn't cross the street because it was too tired."
HEAD = Ablation(heads=frozenset({("encoder.1.self", 2)}), parts=frozenset({"encoder.2.feedforward"}))


def edited(model: Model) -> Model:
    """The same as `HEAD`, done to a copy of the weights."""
    network = copy.deepcopy(model.network)
    attention = network.encoder.layers[1].self_attention
    down = network.encoder.layers[2].feedforward.down
    with torch.no_grad():
        attention.out.weight[:, 2 * attention.width : 3 * attention.width] = 0
        down.weight.zero_()
        down.bias.zero_()
    changed = copy.copy(model)
    changed.network = network
    return changed


def ask(model: Model, module, question, ablation: Ablation):
    request = whatif.Request(task=module.NAME, question=question, ablation=ablation)
    assert whatif.size(model, request) == module.size(model, question)
    return whatif.run(model, [request])[0]


def test_every_question_can_be_put_with_parts_silent(ours) -> None:
    model = ours("tiny-bert")
    other = edited(model)
    looked = ask(model, attend, attend.Request(text=TEXT), HEAD)
    for site in looked.sites:
        wanted = attend.run(other, [attend.Request(text=TEXT)])[0].all_weights(site)
        np.testing.assert_allclose(looked.all_weights(site), wanted, rtol=1e-4, atol=1e-6)
    for module, question in [
        (fill_mask, fill_mask.Request(text="She drank a cup of [MASK] in the morning.")),
        (next_sentence, next_sentence.Request(first="She drank a cup of tea.", second=TEXT)),
        (predict, predict.Request(about=attend.Request(text=TEXT))),
    ]:
        found, wanted, plain = ask(model, module, question, HEAD), module.run(other, [question])[0], module.run(model, [question])[0]
        assert ask(model, module, question, Ablation()) == plain != found
        if module is next_sentence:
            assert found.probability == pytest.approx(wanted.probability, rel=1e-4)
        elif module is predict:
            assert [one.word for one in found.candidates] == [one.word for one in wanted.candidates]


def test_questions_with_different_parts_silent_are_answered_each_by_itself(ours) -> None:
    model, question = ours("tiny-bert"), predict.Request(about=attend.Request(text=TEXT))
    ablations = [HEAD, Ablation(), Ablation(parts=frozenset({"encoder.0"})), HEAD]
    found = whatif.run(model, [whatif.Request(task="predict", question=question, ablation=one) for one in ablations])
    assert found[0] == found[3] and found[0] != found[1] != found[2]
    assert found[1] == predict.run(model, [question])[0]


def test_a_translation_without_its_cross_attention_does_not_depend_on_the_source(ours) -> None:
    model = ours("tiny-marian")
    deaf = Ablation(parts=frozenset({"decoder.0.cross", "decoder.1.cross"}))
    texts = [translate.Request(text=text, max_new_tokens=8) for text in ("She drank tea.", "Paris is the capital of France.")]
    assert ask(model, translate, texts[0], deaf).translation == ask(model, translate, texts[1], deaf).translation


def test_a_guess_is_that_of_the_task_for_masks(ours) -> None:
    model, text = ours("tiny-bert"), "She drank a cup of [MASK] in the morning."
    found, (mask,) = predict.run(model, [predict.Request(about=attend.Request(text=text))])[0], fill_mask.run(
        model, [fill_mask.Request(text=text, top_k=8)]
    )[0].masks  # fmt: skip
    assert found.place == mask.position and found.covered == ""
    assert [one.word for one in found.candidates] == [one.word for one in mask.candidates]
    covered = predict.run(model, [predict.Request(about=attend.Request(text=text.replace("[MASK]", "tea")), place=mask.position)])[0]
    assert covered.covered == "tea" and covered.words == found.words
    assert covered.candidates[0].probability == pytest.approx(found.candidates[0].probability, rel=1e-4)
    asked = predict.run(model, [predict.Request(about=attend.Request(text=text), words=found.ids)])[0].asked
    assert [one.word for one in asked] == [one.word for one in found.candidates]


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-marian"])
def test_a_decoder_guesses_the_next_word_whatever_else_is_asked(ours, name: str) -> None:
    model = ours(name)
    requests = [predict.Request(about=attend.Request(text=text)) for text in (TEXT, "She drank")]
    for request, found in zip(requests, predict.run(model, requests)):
        alone = predict.run(model, [request])[0]
        assert [one.word for one in alone.candidates] == [one.word for one in found.candidates]
        assert found.covered == "" and found.place == (0 if name == "tiny-marian" else len(found.words) - 1)
        assert sum(one.probability for one in found.candidates) <= 1


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-llama", "tiny-marian"])
def test_the_changes_are_those_of_each_head_silenced_by_itself(ours, name: str) -> None:
    model, about = ours(name), attend.Request(text="She drank a cup of tea")
    found = which_head.run(model, [which_head.Request(about=about)])[0]
    assert found.changes.shape == (len(found.sites), 4) and np.abs(found.changes).max() > 1e-4
    base = predict.run(model, [predict.Request(about=about)])[0]
    assert (found.word, found.place) == (base.candidates[0].word, base.place)
    question = predict.Request(about=about, words=base.ids[:1])
    for site, head in [(0, 1), (len(found.sites) - 1, 3)]:
        if name == "tiny-marian":  # asked by itself it would write another translation first
            continue
        alone = ask(model, predict, question, Ablation(heads=frozenset({(found.sites[site], head)})))
        assert found.changes[site, head] == pytest.approx(alone.asked[0].probability - found.probability, abs=1e-5)
    one = which_head.run(model, [which_head.Request(about=about, sites=found.sites[1:2])])[0]
    np.testing.assert_allclose(one.changes[0], found.changes[1], atol=1e-6)


def test_what_cannot_be_asked_is_refused(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    model, about = ours("tiny-bert"), attend.Request(text=TEXT)
    question = predict.Request(about=about)
    for ablation in (Ablation(parts=frozenset({"encoder.9"})), Ablation(heads=frozenset({("encoder.0.self", 4)}))):
        with pytest.raises(Problem) as refusal:
            whatif.size(model, whatif.Request(task="predict", question=question, ablation=ablation))
        assert refusal.value.key == "no_such_part"
    for place in (0, -1, 99):
        with pytest.raises(Problem) as refusal:
            predict.run(model, [predict.Request(about=about, place=place)])
        assert refusal.value.key == "no_such_place"
    monkeypatch.setattr(which_head, "MOST", 10)
    with pytest.raises(Problem) as refusal:
        which_head.size(model, which_head.Request(about=about))
    assert refusal.value.key == "too_many_heads"
    assert which_head.size(model, which_head.Request(about=about, sites=("encoder.0.self",))) > 10
    monkeypatch.setattr(model.network, "heads", torch.nn.ModuleDict())
    with pytest.raises(Problem) as refusal:
        predict.size(model, question)
    assert refusal.value.key == "cannot_guess"
