"""Beam search: against trying everything, and what a step tells. Equality with transformers is in tests/parity/test_decode.py."""

from itertools import product

import pytest
import torch

from models.decode import beam as module
from models.decode.beam import Hypothesis, beam, search
from models.decode.greedy import greedy
from models.decode.steps import collect
from models.tokens import Tokens
from models.transformer import Transformer

WRITERS = ["decoder", "grouped decoder", "translator", "student"]
each_writer = pytest.mark.parametrize("name", WRITERS)


def prompts(network: Transformer, tokens, lengths=(5, 2, 4)) -> Tokens:
    return tokens(list(lengths), side="left" if network.encoder is None else "right")


def one_row(batch: Tokens, row: int) -> Tokens:
    ids = batch.ids[row][batch.mask[row]][None]
    return Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(ids.shape[1],))


def log_probability(network: Transformer, prompt: Tokens, words: tuple[int, ...]) -> torch.Tensor:
    """Of each word, all at once."""
    begun = [network.config.start_id] if network.encoder is not None else prompt.ids[0].tolist()
    ids = torch.tensor([[*begun, *words[:-1]]])
    tokens = Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(ids.shape[1],))
    with torch.inference_mode():
        given = {"memory": network.encode(prompt)} if network.encoder is not None else {}
        logs = network.logits(network.decode(tokens, **given))[0, -len(words) :].log_softmax(-1)
    return logs.gather(1, torch.tensor(words)[:, None])[:, 0]


@each_writer
def test_as_wide_as_all_there_is_it_finds_the_best_of_all(networks, tokens, name: str) -> None:
    network = networks[name]
    prompt, ends = prompts(network, tokens, (4,)), network.config.end_ids
    usual = [word for word in range(network.config.vocab_size) if word not in ends + network.config.never_ids]
    texts = [(end,) for end in ends] + [(one, other) for one, other in product(usual, [*usual, *ends])]
    scored = sorted(((log_probability(network, prompt, text).sum().item() / len(text), text) for text in texts), reverse=True)
    found = search(network, prompt, beams=len(usual), max_new_tokens=2)[0]
    for (score, text), mine in zip(scored[:5], found):
        assert mine.score == pytest.approx(score, abs=1e-5)
        assert mine.ids == tuple(word for word in text if word not in ends)


@each_writer
@pytest.mark.parametrize("look", [1, 3, 8])
def test_scores_and_probabilities_are_those_of_the_text_read_again(
    networks, tokens, name: str, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", {"cpu": look})
    network = networks[name]
    batch = prompts(network, tokens)
    for row, texts in enumerate(search(network, batch, beams=3, max_new_tokens=7, length_penalty=0.8)):
        assert len(texts) == 3 == len({text.ids for text in texts})
        assert [text.score for text in texts] == sorted((text.score for text in texts), reverse=True)
        for text in texts:
            logs = [
                log_probability(network, one_row(batch, row), (*text.ids, end)) for end in (network.config.end_ids if text.ended else ())
            ] or [log_probability(network, one_row(batch, row), text.ids)]
            own = min(logs, key=lambda log: abs(log.sum().item() / len(log) ** 0.8 - text.score))
            assert text.score == pytest.approx(own.sum().item() / len(own) ** 0.8, abs=1e-4)
            torch.testing.assert_close(torch.tensor(text.probabilities), own[: len(text.ids)].exp(), rtol=1e-4, atol=1e-6)


@each_writer
def test_a_row_is_searched_the_same_alone_and_in_company(networks, tokens, name: str) -> None:
    network = networks[name]
    batch = prompts(network, tokens)
    together = search(network, batch, beams=4, max_new_tokens=9)
    for row, texts in enumerate(together):
        alone = search(network, one_row(batch, row), beams=4, max_new_tokens=9)[0]
        assert [text.ids for text in alone] == [text.ids for text in texts]
        assert [text.score for text in alone] == pytest.approx([text.score for text in texts], abs=1e-5)


@each_writer
def test_one_beam_is_greedy_decoding(networks, tokens, name: str) -> None:
    network = networks[name]
    batch = prompts(network, tokens)
    wanted = collect(greedy(network, batch, max_new_tokens=9, probabilities=True), rows=3, end_ids=network.config.end_ids)
    for texts, text in zip(search(network, batch, beams=1, max_new_tokens=9), wanted):
        assert [(one.ids, one.ended) for one in texts] == [(text.ids, text.ended)]
        assert texts[0].probabilities == pytest.approx(text.probabilities, abs=1e-5)


def test_steps_are_a_tree_that_leads_to_the_result(networks, tokens) -> None:
    network = networks["translator"]
    steps = beam(network, tokens([5]), beams=3, max_new_tokens=4)
    beginnings: list[tuple[int, ...]] = [()] * 3
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found = end.value
            break
        assert step.rows == (0,) and step.ids.shape == step.parents.shape == step.scores.shape == (1, 3)
        assert (step.scores.diff() <= 0).all()
        beginnings = [(*beginnings[parent], word) for parent, word in zip(step.parents[0].tolist(), step.ids[0].tolist())]
    unfinished = [text.ids for text in found[0] if not text.ended]
    assert unfinished and set(unfinished) <= set(beginnings)


def test_a_word_that_may_not_be_chosen_is_in_no_text(networks, tokens) -> None:
    network = networks["translator"]
    bias = network.heads["lm"].bias
    before = bias.clone()
    try:
        bias[22] = 3.0
        texts = [text for row in search(network, tokens([5, 3]), beams=4, max_new_tokens=6) for text in row]
    finally:
        bias.copy_(before)
    assert all(isinstance(text, Hypothesis) and 22 not in text.ids for text in texts)


@pytest.mark.parametrize("beams", [0, -2])
def test_a_search_without_beams_is_refused(networks, tokens, beams: int) -> None:
    with pytest.raises(ValueError, match=f"beams must be at least 1, got {beams}"):
        search(networks["translator"], tokens([4]), beams=beams, max_new_tokens=3)


def test_more_beams_than_words_are_no_harm(networks, tokens) -> None:
    texts = search(networks["translator"], tokens([4]), beams=40, max_new_tokens=2)[0]
    assert len({text.ids for text in texts if text.score > -1e6}) > 23
