"""Sampling: words come as often as their probability says, and a seed decides everything."""

import math

import pytest
import torch

from models.decode.greedy import greedy
from models.decode.sample import Draw, Sampling, candidates, sample
from models.decode.steps import collect

CPU = torch.device("cpu")


def test_words_are_drawn_as_often_as_they_are_likely() -> None:
    count = 20_000
    chances = torch.tensor([0.5, 0.25, 0.15, 0.1])
    draw = Draw([Sampling(seed=seed) for seed in range(count)], steps=1, device=CPU)
    words = draw(chances.log().expand(count, 4), torch.arange(count), 0)
    shares = torch.bincount(words, minlength=4) / count
    errors = (shares - chances).abs() / (chances * (1 - chances) / count).sqrt()
    assert errors.max() < 4  # standard deviations


def test_temperature_divides_the_scores() -> None:
    scores = torch.tensor([[2.0, 1.0, 0.0]])
    one = torch.ones(1, 1)
    _, chances = candidates(scores, temperature=0.5 * one, top_k=0 * one.long(), top_p=one, width=0)
    total = sum(math.exp(2 * score) for score in (2, 1, 0))
    torch.testing.assert_close(chances, torch.tensor([[math.exp(4) / total, math.exp(2) / total, 1 / total]]))


def test_the_nucleus_is_the_fewest_words_that_hold_the_share() -> None:
    chances = torch.tensor([[0.1, 0.4, 0.3, 0.2]])
    for top_p, kept in ((0.39, [1]), (0.41, [1, 2]), (0.69, [1, 2]), (0.71, [1, 2, 3]), (1.0, [1, 2, 3, 0])):
        one = torch.ones(1, 1)
        words, found = candidates(chances.log(), temperature=one, top_k=0 * one.long(), top_p=top_p * one, width=0)
        assert words[0, found[0] > 0].tolist() == kept
        torch.testing.assert_close(found.sum(), torch.tensor(1.0))


def test_rows_with_different_settings_share_a_batch() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0]]).expand(3, 4)
    top_k, top_p = torch.tensor([[1], [3], [0]]), torch.tensor([[1.0], [0.6], [1.0]])
    _, chances = candidates(logits, temperature=torch.ones(3, 1), top_k=top_k, top_p=top_p, width=0)
    assert [(row > 0).sum().item() for row in chances] == [1, 1, 4]


@pytest.mark.parametrize("name", ["grouped decoder", "student"])
def test_a_row_draws_the_same_whatever_stands_beside_it(networks, tokens, name: str) -> None:
    network = networks[name]
    side = "left" if network.encoder is None else "right"
    rows = [[5, 3, 8, 6], [11, 12], [4, 9, 7], [5, 3, 8, 6]]
    settings = [
        Sampling(seed=1, temperature=1.5),
        Sampling(seed=2, top_k=4),
        Sampling(seed=3, top_p=0.8),
        Sampling(seed=4, temperature=1.5),
    ]

    def write(chosen: list[int]) -> list[tuple[int, ...]]:
        batch = tokens([rows[index] for index in chosen], side=side)
        steps = sample(network, batch, [settings[index] for index in chosen], max_new_tokens=10)
        return [text.ids for text in collect(steps, rows=len(chosen), end_ids=network.config.end_ids)]

    together = write([0, 1, 2, 3])
    assert write([3, 1, 0]) == [together[3], together[1], together[0]]
    assert [write([index])[0] for index in range(4)] == together
    assert together[0] != together[3]  # the same text, another seed


def test_temperature_zero_is_greedy_even_beside_others_that_draw(networks, tokens) -> None:
    network = networks["grouped decoder"]
    rows = [[5, 3, 8, 6], [5, 3, 8, 6]]
    wanted = collect(greedy(network, tokens(rows, side="left"), max_new_tokens=8), rows=2, end_ids=network.config.end_ids)
    for other in (Sampling(temperature=2.0, seed=1), Sampling(top_k=3, seed=1), Sampling(temperature=0)):
        steps = sample(network, tokens(rows, side="left"), [Sampling(temperature=0, seed=9), other], max_new_tokens=8)
        found = collect(steps, rows=2, end_ids=network.config.end_ids)
        assert found[0].ids == wanted[0].ids
    assert found[1].ids == wanted[1].ids


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temperature": -0.1}, "-0.1"),
        ({"temperature": float("nan")}, "nan"),
        ({"temperature": float("inf")}, "inf"),
        ({"top_k": -1}, "-1"),
        ({"top_p": 0.0}, "0.0"),
        ({"top_p": 1.01}, "1.01"),
    ],
)
def test_settings_that_mean_nothing_are_refused(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Sampling(**given)


def test_every_row_needs_settings(networks, tokens) -> None:
    with pytest.raises(ValueError, match="2 rows need as many settings, got 1"):
        sample(networks["decoder"], tokens([3, 4], side="left"), [Sampling()], max_new_tokens=3)


@pytest.mark.parametrize("seed", [-1, 0, 2**63, 2**70])
def test_any_whole_number_is_a_seed(networks, tokens, seed: int) -> None:
    steps = sample(networks["decoder"], tokens([3], side="left"), [Sampling(seed=seed)], max_new_tokens=2)
    assert 1 <= len(list(steps)) <= 2
