"""The numbers of one weight are those of the model's own pass, and lead from one to the next."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.errors import Problem
from models.model import Model
from models.quantised import quantise
from models.trace import Trace
from models.tuning import methods
from models.tuning.task import Task
from models.tuning.tuned import tuned_model
from playground.tasks import attend, weigh
from playground.tasks.weigh import Request

TASK = Task(name="say", kind="rewrite", template="{text}")
TEXT = "The animal didn't cross the street because it was too tired."
TARGET = {"tiny-marian": "tea"}
CLOSE = {"rtol": 1e-4, "atol": 2e-5}
SITES = [
    ("tiny-bert", "encoder.1.self"),
    ("tiny-roberta", "encoder.1.self"),
    ("tiny-gpt2", "decoder.0.self"),
    ("tiny-llama", "decoder.1.self"),
    ("tiny-marian", "encoder.0.self"),
    ("tiny-marian", "decoder.1.self"),
    ("tiny-marian", "decoder.1.cross"),
]


def asked(name: str, site: str, *, head: int = 3, query: int = 4, key: int = 2, text: str = TEXT, **question: str) -> Request:
    """A cell of a tiny model's map."""
    if name == "tiny-marian" and not site.startswith("encoder"):
        question.setdefault("target", "She drank a cup of coffee")
    return Request(question=attend.Request(text=text, **question), site=site, head=head, query=query, key=key)


@contextmanager
def watched(module: nn.Module) -> Iterator[list[Tensor]]:
    """What a module answers while this is open."""
    answers: list[Tensor] = []
    hook = module.register_forward_hook(lambda module, given, answer: answers.append(answer.detach().clone()))
    yield answers
    hook.remove()


def attention_of(model: Model, site: str) -> nn.Module:
    stack, layer, kind = site.split(".")
    return getattr(getattr(model.network, stack).layers[int(layer)], f"{kind}_attention")


def holds_together(one: weigh.Result) -> None:
    """Every step follows from the one before it."""
    assert one.q.shape == one.k.shape == one.v.shape == one.output.shape
    np.testing.assert_allclose(one.total / np.sqrt(len(one.q)), one.before[one.key], **CLOSE)
    if not one.hidden:
        np.testing.assert_allclose(one.before[one.key], one.scores[one.key], **CLOSE)
    np.testing.assert_allclose(one.exps / one.denominator, one.weights, **CLOSE)
    np.testing.assert_allclose(one.weights.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(one.weighted + one.others, one.output, **CLOSE)


@pytest.mark.parametrize(("name", "site"), SITES)
@pytest.mark.parametrize("head", [0, 3])
def test_the_numbers_are_those_of_the_models_own_pass(ours, name: str, site: str, head: int) -> None:
    model = ours(name)
    request = asked(name, site, head=head)
    map_ = attend.run(model, [dataclasses.replace(request.question, target=request.question.target or TARGET.get(name, ""))])[0]
    with watched(attention_of(model, site)) as updates:
        one = weigh.run(model, [request])[0]
    holds_together(one)
    np.testing.assert_allclose(one.weights, map_.weights(site, head)[request.query], **CLOSE)
    assert (one.words_query, one.words_key) == map_.words_at(site)
    np.testing.assert_allclose(one.q, map_.queries[site][head, request.query], **CLOSE)
    np.testing.assert_allclose(one.k, map_.keys[site][one.key_head, request.key], **CLOSE)
    np.testing.assert_allclose(one.update, updates[-1][0, request.query].norm(), rtol=1e-4)


@pytest.mark.parametrize(("name", "site"), SITES)
def test_the_parts_of_the_heads_and_the_bias_add_up_to_the_update(ours, name: str, site: str) -> None:
    model = ours(name)
    out = weigh.projection(model, site)
    heads = torch.randn(model.config.n_heads, out.in_features // model.config.n_heads)
    with torch.no_grad():
        parts, update, bias = weigh.projected(out, heads)
        expected = out(heads.reshape(1, -1))[0]
        mine = heads[1] @ out.weight[:, heads.shape[1] : 2 * heads.shape[1]].T
    np.testing.assert_allclose(parts.sum(0) + bias, expected, **CLOSE)
    np.testing.assert_allclose(update, expected, **CLOSE)
    np.testing.assert_allclose(parts[1], mine, **CLOSE)


def test_a_head_output_is_the_weighted_sum_of_the_values(ours) -> None:
    for name, site in (SITES[0], SITES[3], SITES[6]):
        first = weigh.run(ours(name), [asked(name, site)])[0]
        every = weigh.run(ours(name), [asked(name, site, key=key) for key in range(len(first.words_key))])
        np.testing.assert_allclose(sum(one.weighted for one in every), first.output, **CLOSE)


def test_a_mask_hides_what_stands_later(ours) -> None:
    for name, site in SITES:
        one = weigh.run(ours(name), [asked(name, site, query=2, key=4)])[0]
        causal = site.startswith("decoder") and site.endswith("self")
        assert one.hidden == causal and (one.weight == 0) == causal
        assert np.isfinite(one.before).all() and np.isneginf(one.scores[3:]).all() == causal
        holds_together(one)


def test_heads_that_share_their_keys_say_which_they_read(ours) -> None:
    found = weigh.run(ours("tiny-llama"), [asked("tiny-llama", "decoder.0.self", head=head) for head in range(4)])
    assert [one.key_head for one in found] == [0, 0, 1, 1]
    np.testing.assert_array_equal(found[0].k, found[1].k)
    assert not np.allclose(found[1].k, found[2].k)


@pytest.mark.parametrize(("name", "site"), SITES)
def test_a_padded_batch_gives_what_each_request_gives_alone(ours, name: str, site: str) -> None:
    requests = [asked(name, site, query=1, key=0, text=text) for text in ("tea", TEXT, "我昨天在图书馆借了三本书。")]
    requests.append(dataclasses.replace(requests[1], head=1, site=site.replace("1", "0")))
    for one, request in zip(weigh.run(ours(name), requests), requests):
        alone = weigh.run(ours(name), [request])[0]
        holds_together(one)
        for field in dataclasses.fields(weigh.Result):
            mine, other = getattr(one, field.name), getattr(alone, field.name)
            if isinstance(mine, np.ndarray):
                assert mine.base is None and mine.dtype == np.float32
                np.testing.assert_allclose(mine, other, **CLOSE)
            else:
                assert mine == pytest.approx(other, rel=1e-3, abs=1e-4) if isinstance(mine, float) else mine == other


@pytest.mark.parametrize(
    ("name", "site", "settings"),
    [
        ("tiny-bert", "encoder.1.self", {"length": 4}),
        ("tiny-llama", "decoder.1.self", {"length": 4}),
        ("tiny-marian", "decoder.0.cross", {"length": 3, "places": ("cross",)}),
    ],
)
def test_keys_of_a_tuned_prefix_stand_in_front(ours, name: str, site: str, settings: dict) -> None:
    method = methods()["prefix"]
    base = ours(name)
    torch.manual_seed(2)
    tuned = tuned_model(base, method.prepare(base, method.settings(**settings), TASK, 0).network)
    request = asked(name, site, query=2, key=1)
    map_ = attend.run(tuned, [request.question])[0]
    one = weigh.run(tuned, [request])[0]
    holds_together(one)
    assert one.words_key[:2] == ("[P1]", "[P2]") and not one.hidden
    np.testing.assert_allclose(one.weights, map_.weights(site, 3)[2], **CLOSE)


def test_matrices_in_eight_bits_are_projected_as_they_are(ours) -> None:
    small = dataclasses.replace(ours("tiny-bert"))
    small.network = type(small.network).build(small.config)
    small.network.load_state_dict(ours("tiny-bert").network.state_dict(), assign=True)
    small.network.tie()
    small.network = quantise(small.network)
    exact, rounded = (weigh.run(model, [asked("tiny-bert", "encoder.1.self")])[0] for model in (ours("tiny-bert"), small))
    np.testing.assert_allclose(rounded.parts, exact.parts, rtol=0.2)


def test_only_the_asked_site_is_looked_into(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[Trace] = []
    read = attend.read
    monkeypatch.setattr(attend, "read", lambda model, questions, trace: traced.append(trace) or read(model, questions, trace))
    weigh.run(ours("tiny-bert"), [asked("tiny-bert", "encoder.1.self"), asked("tiny-bert", "encoder.1.self", head=0)])
    assert {site for site, _ in traced[0].seen} == {"encoder.1.self"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"site": "encoder.9.self"}, "unknown_site"),
        ({"site": "nonsense"}, "unknown_site"),
        ({"head": -1}, "unknown_head"),
        ({"head": 4}, "unknown_head"),
        ({"query": 99}, "unknown_word"),
        ({"key": -1}, "unknown_word"),
        ({"question": attend.Request(text=" ")}, "empty_text"),
        ({"question": attend.Request(text="a", target="b")}, "no_target_text"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(ours, changes: dict, key: str) -> None:
    with pytest.raises(Problem) as caught:
        weigh.run(ours("tiny-bert"), [dataclasses.replace(asked("tiny-bert", "encoder.1.self"), **changes)])
    assert caught.value.key == key


def test_a_translator_that_is_given_no_target_is_asked_about_its_own(ours) -> None:
    model, question = ours("tiny-marian"), attend.Request(text="tea")
    map_ = attend.run(model, [question])[0]
    one = weigh.run(model, [Request(question=question, site="decoder.1.cross", head=1, query=2, key=0)])[0]
    assert one.words_query == map_.words["decoder"]
    np.testing.assert_allclose(one.weights, map_.weights("decoder.1.cross", 1)[2], **CLOSE)


def test_what_only_the_encoder_knows_is_answered_without_translating(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attend, "greedy", lambda *given, **more: pytest.fail("it translated"))
    weigh.run(ours("tiny-marian"), [Request(question=attend.Request(text=TEXT), site="encoder.1.self", head=0, query=0, key=0)])
