"""Pairs of texts: half follow, half do not, cut as published."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from models.training.corpus import Document
from models.training.next_sentence import Pair, elsewhere_in, pairs, trim


class Library:
    """Documents whose tokens say where they stand: 1000 * document + place."""

    def __init__(self, *documents: Sequence[int]):
        self.lengths = documents

    def document(self, index: int) -> Document:
        bounds = np.cumsum([0, *self.lengths[index]])
        return Document(ids=1000 * index + np.arange(bounds[-1]), bounds=bounds)

    def another(self, document: int, rng: random.Random) -> int:
        others = [index for index in range(len(self.lengths)) if index != document]
        return others[0] if len(others) == 1 else rng.choice(others)


class Fixed(random.Random):
    """Chance that was written down: what `random`, `randint` and `randrange` give, in order."""

    def __init__(self, *values: float):
        super().__init__(0)
        self.values = list(values)

    def take(self, *_: int) -> float:
        return self.values.pop(0)

    random = randint = randrange = take


def test_a_pair_that_follows_worked_out_by_hand() -> None:
    library = Library([3, 4, 5, 6], [9, 9])
    # not short; the stretch is sentences 0-2 (12 tokens), cut after the first; 0.4 < 0.5: it follows. Then sentence 3 alone, which cannot.
    rng = Fixed(0.9, 1, 0.4, 0.9, 0.99, 1)
    first, second = pairs(library, 0, rng, room=12)
    assert first.follows and first.first.tolist() == [0, 1, 2] and first.second.tolist() == list(range(3, 12))
    assert not second.follows and second.first.tolist() == list(range(12, 18))
    assert set(second.second.tolist()) < set(range(1009, 1018)) and len(second) == 12
    assert rng.values == []


def test_a_pair_that_does_not_follow_leaves_its_rest_for_the_next() -> None:
    library = Library([3, 4, 5], [5, 5, 5])
    # cut after one sentence; 0.7: does not follow; 0.99: from another document; its sentence 1 on, until 10 tokens are there.
    # The second stretch is sentences 1 and 2.
    rng = Fixed(0.9, 1, 0.7, 0.99, 1, 0.9, 2, 0.1)
    first, second = pairs(library, 0, rng, room=13)
    assert not first.follows and not first.same_document
    assert first.first.tolist() == [0, 1, 2] and first.second.tolist() == list(range(1005, 1015))
    assert second.follows and second.first.tolist() == [3, 4, 5, 6] and second.second.tolist() == [7, 8, 9, 10, 11]


def made(same_document: float = 0.0, count: int = 4000) -> list[Pair]:
    rng = random.Random(5)
    library = Library(*([rng.randint(4, 12) for _ in range(30)] for _ in range(20)))
    found: list[Pair] = []
    while len(found) < count:
        found += pairs(library, rng.randrange(20), rng, room=60, same_document=same_document)
    return found


def test_about_half_follow_and_then_really_do() -> None:
    found = made()
    assert np.mean([pair.follows for pair in found]) == pytest.approx(0.5, abs=0.04)
    for pair in found:
        if not pair.follows:
            assert pair.first[0] // 1000 != pair.second[0] // 1000
        elif len(pair) < 60:  # nothing was cut off
            assert pair.second[0] == pair.first[-1] + 1


def test_no_pair_is_longer_than_the_room_or_empty() -> None:
    for pair in made():
        assert len(pair.first) >= 1 and len(pair.second) >= 1 and len(pair) <= 60


def test_the_harder_option_takes_another_place_of_the_same_document() -> None:
    found = [pair for pair in made(same_document=1.0) if not pair.follows]
    same = [pair for pair in found if pair.same_document]
    assert len(same) / len(found) > 0.95
    for pair in same:
        assert pair.first[0] // 1000 == pair.second[0] // 1000
        assert pair.second[0] != pair.first[-1] + 1 and not set(pair.first) & set(pair.second)
    share = np.mean([pair.same_document for pair in made(same_document=0.3) if not pair.follows])
    assert share == pytest.approx(0.3, abs=0.05)


def test_every_other_place_of_the_document_can_be_drawn() -> None:
    rng = random.Random(1)
    drawn = {elsewhere_in(10, 3, 5, rng) for _ in range(500)}
    assert drawn == {(0, 3), (1, 3), (2, 3), (6, 10), (7, 10), (8, 10), (9, 10)}  # not 3 and 4, the first text, nor 5, which follows
    assert elsewhere_in(4, 0, 3, rng) is None


def test_one_in_ten_pairs_is_short() -> None:
    library = Library([5] * 20_000, [5] * 20_000)
    lengths = [len(pair) for pair in pairs(library, 0, random.Random(1), room=60)]
    # One in ten has a target of 2 to 60 tokens instead of 60, of which 2 to 45 make fewer than 50 tokens (sentences have 5).
    assert np.mean([length < 50 for length in lengths]) == pytest.approx(0.1 * 44 / 59, abs=0.02)
    assert min(lengths) == 10 and max(lengths) == 60


def test_the_longer_text_is_cut_and_at_both_ends() -> None:
    seen = set()
    for seed in range(50):
        pair = trim(np.arange(10), np.arange(100, 104), 10, random.Random(seed), follows=True)
        assert len(pair.first) == 6 and pair.second.tolist() == [100, 101, 102, 103]
        assert (np.diff(pair.first) == 1).all()
        seen.add(int(pair.first[0]))
    assert seen == {0, 1, 2, 3, 4}
