"""Branches of a generated text, and one distribution at several temperatures: by hand from the logits of `transformers`."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.errors import Problem
from playground.tasks import generate, next_token
from playground.tasks.next_token import Request

PROMPT = "She drank a cup of"


def logits(theirs, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return theirs("tiny-gpt2")(torch.tensor([ids])).logits[0, -1].double().numpy()


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def test_the_distribution_is_worked_out_by_hand(ours, theirs) -> None:
    model = ours("tiny-gpt2")
    begun = tuple(model.tokenizer.encode(" tea in", special=False).ids)
    result = next_token.run(model, [Request(prompt=PROMPT, begun=begun, top_k=6, top_p=0.6, count=8)])[0]
    scores = logits(theirs, [*model.tokenizer.encode(PROMPT).ids, *begun])
    order = np.argsort(-scores, kind="stable")
    assert result.words == tuple(model.tokenizer.words([*begun, int(index)])[-1] for index in order[:8])
    for line, warmth in enumerate(result.temperatures):
        np.testing.assert_allclose(result.chances[line], softmax(scores / warmth)[order[:8]], rtol=1e-4)
        six = softmax(scores[order[:6]] / warmth)
        kept = [place for place in range(6) if six[:place].sum() < 0.6]  # the best token stays, and as many as reach the share
        assert result.kept[line] == len(kept) and (result.drawn[line] > 0).sum() == len(kept)
        np.testing.assert_allclose(result.drawn[line, : len(kept)], six[kept] / six[kept].sum(), rtol=1e-4)


def test_without_a_cut_everything_can_be_drawn_and_a_batch_is_the_same(ours) -> None:
    for name in ("tiny-gpt2", "tiny-llama"):
        model = ours(name)
        requests = [Request(prompt=PROMPT), Request(prompt="Paris", temperatures=(1.0,), count=3), Request(prompt=PROMPT, begun=(5, 7))]
        together = next_token.run(model, requests)
        assert together[0].kept == (model.config.vocab_size,) * 4
        np.testing.assert_allclose(together[0].drawn, together[0].chances, rtol=1e-4)
        for request, result in zip(requests, together):
            np.testing.assert_allclose(next_token.run(model, [request])[0].chances, result.chances, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"temperatures": ()}, "bad_temperatures"),
        ({"temperatures": (0.0,)}, "bad_temperatures"),
        ({"temperatures": (float("nan"),)}, "bad_temperatures"),
        ({"count": 0}, "bad_top_k"),
        ({"top_p": 0.0}, "bad_top_p"),
        ({"prompt": " "}, "empty_text"),
    ],
)
def test_what_cannot_be_shown_is_refused(ours, asked: dict, key: str) -> None:
    with pytest.raises(Problem) as caught:
        next_token.run(ours("tiny-gpt2"), [Request(**({"prompt": PROMPT} | asked))])
    assert caught.value.key == key


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama"])
def test_a_branch_keeps_what_is_before_it_and_goes_on_from_another_token(ours, name: str) -> None:
    model = ours(name)
    question = generate.Request(prompt=PROMPT, max_new_tokens=12, seed=3, temperature=0.9)
    [first] = generate.run(model, [question])
    ids = tuple(step.token for step in first.steps)
    [same] = generate.run(model, [replace(question, begun=ids[:5])])
    assert [(step.word, step.token, step.others) for step in same.steps] == [(step.word, step.token, step.others) for step in first.steps]
    assert [step.probability for step in same.steps] == pytest.approx([step.probability for step in first.steps], rel=1e-4)
    other = next(token for token in first.steps[4].others if token not in (ids[4], *model.config.end_ids))
    branch, free = generate.run(model, [replace(question, begun=(*ids[:4], other)), question])
    assert tuple(step.token for step in branch.steps[:5]) == (*ids[:4], other) and len(branch.steps) > 5
    assert branch.steps[4].word == dict(zip(first.steps[4].others, (word for word, _ in first.steps[4].alternatives)))[other]
    assert [step.token for step in free.steps] == list(ids)
    [ended] = generate.run(model, [replace(question, begun=(*ids[:4], model.config.end_ids[0]))])
    assert len(ended.steps) == 4 and ended.finished
