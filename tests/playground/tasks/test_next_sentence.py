"""Whether a sentence follows: the probability is that of `transformers`' next-sentence head."""

import pytest
import torch

from models.errors import Problem
from playground.tasks import next_sentence
from playground.tasks.next_sentence import Request

FIRST = "It had been raining all night."
SECONDS = [
    "The streets were still wet in the morning.",
    "Paris is the capital of France",
    "我昨天",
    "a",
    "It had been raining all night. " * 8,
]


def test_the_probability_is_that_of_transformers(ours, theirs) -> None:
    model, reference = ours("tiny-bert"), theirs("tiny-bert")
    results = next_sentence.run(model, [Request(first=FIRST, second=second) for second in SECONDS])
    for second, result in zip(SECONDS, results, strict=True):
        row = model.tokenizer.encode(FIRST, second)
        with torch.no_grad():
            scores = reference(torch.tensor([row.ids]), token_type_ids=torch.tensor([row.segments])).seq_relationship_logits
        assert result.probability == pytest.approx(scores.double().softmax(-1)[0, 0].item(), rel=1e-4)
        assert result.words == row.words and result.cut == 0
    assert len({round(result.probability, 7) for result in results}) == len(SECONDS), "the answers differ from pair to pair"


def test_the_order_of_the_pair_counts_and_a_batch_equals_single_requests(ours) -> None:
    model = ours("tiny-bert")
    requests = [Request(first=FIRST, second=second) for second in SECONDS] + [Request(first=second, second=FIRST) for second in SECONDS]
    together = [result.probability for result in next_sentence.run(model, requests)]
    alone = [next_sentence.run(model, [request])[0].probability for request in requests]
    assert together == pytest.approx(alone, rel=1e-4)
    assert together[0] != pytest.approx(together[5], rel=1e-5)


def test_a_pair_that_is_too_long_is_cut_in_its_longer_half(ours) -> None:
    model = ours("tiny-bert")
    result = next_sentence.run(model, [Request(first="tea", second="coffee " * 300)])[0]
    assert len(result.words) == model.limit and result.cut > 100
    assert result.words[: result.words.index("[SEP]")] == ("[CLS]", *model.tokenizer.encode("tea", special=False).words)


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [("", "a", "empty_text"), ("a", " \n", "empty_text"), ("a", "\u200b", "nothing_to_read"), ("\x07", "a", "nothing_to_read")],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(ours, first: str, second: str, key: str) -> None:
    for ask in (next_sentence.size, lambda model, request: next_sentence.run(model, [request])):
        with pytest.raises(Problem) as caught:
            ask(ours("tiny-bert"), Request(first=first, second=second))
        assert caught.value.key == key


def test_a_model_without_that_head_is_refused(ours) -> None:
    with pytest.raises(Problem, match="task_impossible"):
        next_sentence.size(ours("tiny-gpt2"), Request(first="a", second="b"))


def test_size_counts_the_tokens_of_the_pair(ours) -> None:
    model = ours("tiny-bert")
    assert next_sentence.size(model, Request(first=FIRST, second="a")) == len(model.tokenizer.encode(FIRST, "a"))
