"""Given words: the model reads them, goes on behind them, and says how likely each was."""

import pytest
import torch

from models.decode.beam import search
from models.decode.forced import only, table
from models.decode.greedy import greedy
from models.decode.steps import collect
from models.tokens import Tokens

WRITERS = ["decoder", "translator", "student"]
BEGUN = [(7, 9, 11), (), (5,)]


def logs(network, prompt: Tokens, words: tuple[int, ...]) -> list[float]:
    """The log probability of each word, all read at once."""
    start = [network.config.start_id] if network.encoder is not None else prompt.ids[0].tolist()
    ids = torch.tensor([[*start, *words[:-1]]])
    tokens = Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(ids.shape[1],))
    with torch.inference_mode():
        given = {"memory": network.encode(prompt)} if network.encoder is not None else {}
        found = network.logits(network.decode(tokens, **given))[0, -len(words) :].log_softmax(-1)
    return found.gather(1, torch.tensor(words)[:, None])[:, 0].tolist()


def row_of(batch: Tokens, row: int) -> Tokens:
    ids = batch.ids[row][batch.mask[row]][None]
    return Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(ids.shape[1],))


def batch_for(network, tokens) -> Tokens:
    return tokens([5, 2, 4], side="left" if network.encoder is None else "right")


@pytest.mark.parametrize("name", WRITERS)
def test_greedy_decoding_goes_on_from_the_given_words(networks, tokens, name: str) -> None:
    network = networks[name]
    batch, ends = batch_for(network, tokens), network.config.end_ids
    free = collect(greedy(network, batch, max_new_tokens=8, probabilities=True), rows=3, end_ids=ends)
    found = collect(greedy(network, batch, max_new_tokens=8, probabilities=True, begun=BEGUN), rows=3, end_ids=ends)
    assert found[1].ids == free[1].ids
    for row, (text, begun) in enumerate(zip(found, BEGUN)):
        assert text.ids[: len(begun)] == begun
        if text.ids:
            expected = torch.tensor(logs(network, row_of(batch, row), text.ids)).exp()
            torch.testing.assert_close(torch.tensor(text.probabilities), expected, rtol=1e-4, atol=1e-6)
    own = [text.ids[:2] for text in free]
    assert [one.ids for one in collect(greedy(network, batch, max_new_tokens=8, begun=own), rows=3, end_ids=ends)] == [
        one.ids for one in free
    ], "what the model would have written anyway changes nothing"


@pytest.mark.parametrize("name", WRITERS)
def test_a_search_goes_on_from_the_given_words(networks, tokens, name: str) -> None:
    network = networks[name]
    batch = batch_for(network, tokens)
    free = search(network, batch, beams=3, max_new_tokens=7)
    found = search(network, batch, beams=3, max_new_tokens=7, begun=BEGUN)
    assert [text.ids for text in found[1]] == [text.ids for text in free[1]]
    for row, (texts, begun) in enumerate(zip(found, BEGUN)):
        assert len(texts) == 3 == len({text.ids for text in texts})
        for text in texts:
            assert text.ids[: len(begun)] == begun
            prompt = row_of(batch, row)
            ends = [[end] for end in network.config.end_ids] if text.ended else [[]]
            scores = [sum(logs(network, prompt, (*text.ids, *end))) / (len(text.ids) + len(end)) for end in ends]
            assert min(abs(score - text.score) for score in scores) < 1e-4
    assert [text.ids for text in search(network, row_of(batch, 0), beams=3, max_new_tokens=7, begun=BEGUN[:1])[0]] == [
        text.ids for text in found[0]
    ]


def test_with_one_beam_both_agree(networks, tokens) -> None:
    network = networks["translator"]
    batch = batch_for(network, tokens)
    wanted = collect(greedy(network, batch, max_new_tokens=7, begun=BEGUN), rows=3, end_ids=network.config.end_ids)
    assert [texts[0].ids for texts in search(network, batch, beams=1, max_new_tokens=7, begun=BEGUN)] == [text.ids for text in wanted]


def test_the_table_of_given_words_and_the_words_that_are_left() -> None:
    given = table([(4, 2), ()], device=torch.device("cpu"))
    assert given.tolist() == [[4, 2], [-1, -1]] and table([(), ()], device=torch.device("cpu")).shape == (2, 0)
    logits = torch.arange(10.0).view(2, 5)
    only(logits, torch.tensor([3, -1]))
    assert logits.tolist() == [[-torch.inf] * 3 + [3.0, -torch.inf], [5.0, 6.0, 7.0, 8.0, 9.0]]
