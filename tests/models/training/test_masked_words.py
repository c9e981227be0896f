"""Hidden words: the right share, in the right way, and whole words where that is asked."""

import numpy as np
import pytest

from models.training.masked_words import Vocabulary, mask_words

PAD, CLS, SEP, MASK, FIRST = 0, 1, 2, 3, 4  # ids from FIRST on are words; from 100 on they continue a word
SIZE = 200
WORDS = np.arange(SIZE) >= FIRST
VOCABULARY = Vocabulary(mask_id=MASK, words=WORDS, continues=np.arange(SIZE) >= 100)


def texts(rows: int, length: int, *, seed: int = 0, top: int = SIZE) -> np.ndarray:
    ids = np.random.default_rng(seed).integers(FIRST, top, (rows, length))
    ids[:, 0], ids[:, -1] = CLS, SEP
    return ids


def test_each_text_gives_its_share_of_words_and_at_least_one() -> None:
    ids = np.full((4, 102), PAD)
    for row, length in enumerate([100, 20, 3, 0]):
        ids[row, 1 : 1 + length] = 50
    ids[:, 0] = CLS
    _, chosen = mask_words(ids, np.random.default_rng(1), VOCABULARY)
    assert chosen.sum(1).tolist() == [15, 3, 1, 0]  # round(0.15 n), and never less than one where there is a word
    assert not (chosen & ~WORDS[ids]).any()


def test_of_the_chosen_eight_in_ten_are_hidden_one_is_changed_and_one_is_kept() -> None:
    ids = texts(2000, 102)
    changed, chosen = mask_words(ids, np.random.default_rng(1), VOCABULARY)
    assert chosen.sum() == 2000 * 15
    assert (changed[~chosen] == ids[~chosen]).all()
    hidden = (changed[chosen] == MASK).mean()
    kept = (changed[chosen] == ids[chosen]).mean()
    other = 1 - hidden - kept
    # 30,000 draws: three standard deviations are 0.007; a changed word is by chance the same one time in 196
    assert (
        hidden == pytest.approx(0.8, abs=0.008) and kept == pytest.approx(0.1005, abs=0.008) and other == pytest.approx(0.0995, abs=0.008)
    )
    strangers = changed[chosen & (changed != MASK) & (changed != ids)]
    assert WORDS[strangers].all() and len(np.unique(strangers)) > 190


def test_every_place_is_equally_likely() -> None:
    _, chosen = mask_words(texts(20_000, 22), np.random.default_rng(3), VOCABULARY)
    assert chosen[:, 1:-1].mean(0) == pytest.approx(np.full(20, 0.15), abs=0.012)
    assert not chosen[:, [0, -1]].any()


def test_the_same_chance_gives_the_same_batch() -> None:
    ids = texts(8, 40)
    one, two, other = (mask_words(ids, np.random.default_rng(seed), VOCABULARY)[0] for seed in (7, 7, 8))
    assert (one == two).all() and (one != other).any()


def test_whole_words_are_asked_for_together_or_not_at_all() -> None:
    ids = texts(300, 60, seed=2)
    _, chosen = mask_words(ids, np.random.default_rng(1), VOCABULARY, whole_words=True)
    for row, found in zip(ids, chosen):
        starts = [i for i in range(1, 59) if row[i] < 100 or i == 1]
        for start, end in zip(starts, [*starts[1:], 59]):
            assert len(set(found[start:end])) == 1
    counts = chosen.sum(1)
    assert (counts >= 1).all() and counts.max() <= 9 and counts.mean() > 8  # round(58 * 0.15) = 9


def test_whole_words_leave_out_a_word_that_is_too_long() -> None:
    row = np.array([[CLS, *[50, 101, 102, 103, 104, 105], *[60], *[70] * 3, SEP]])  # one word of six pieces, four of one; two are wanted
    for seed in range(40):
        _, chosen = mask_words(row, np.random.default_rng(seed), VOCABULARY, whole_words=True)
        assert not chosen[0, 1:7].any() and chosen.sum() == 2


def test_a_single_long_word_is_asked_for_all_the_same() -> None:
    row = np.array([[CLS, 50, *[101] * 9, SEP]])
    _, chosen = mask_words(row, np.random.default_rng(0), VOCABULARY, whole_words=True)
    assert chosen[0].tolist() == [False, *[True] * 10, False]
