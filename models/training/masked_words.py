"""Masked language modelling: hide some words, guess them from both sides (Devlin et al. 2019, section 3.1, task 1)."""

import re
from dataclasses import dataclass

import numpy as np

from models.tokens import Tokenizer

SHARE = 0.15  # of the words of a text are to be guessed
HIDDEN, CHANGED = 0.8, 0.1  # of those: become [MASK]; become a random word; the rest stays as it is
NO_WORD = re.compile(r"\[[^\]]+\]|<[^>]+>")  # [CLS], [unused7], <pad>


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What has to be known of the vocabulary to hide words of it; arrays have one entry an id."""

    mask_id: int
    words: np.ndarray  # bool: an ordinary piece, which may be hidden and may stand in for another
    continues: np.ndarray  # bool: goes on with the word before it, as "##ing" does

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Vocabulary":
        if tokenizer.mask_id is None:
            raise ValueError("this vocabulary has no mask token, so no word can be hidden")
        pieces = [tokenizer.words([index])[0] for index in range(tokenizer.vocab_size)]
        return cls(
            mask_id=tokenizer.mask_id,
            words=np.array([NO_WORD.fullmatch(piece) is None for piece in pieces]),
            continues=np.array([piece.startswith("##") and len(piece) > 2 for piece in pieces]),
        )


def mask_words(
    ids: np.ndarray, rng: np.random.Generator, vocabulary: Vocabulary, *, share: float = SHARE, whole_words: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Hide words of a padded batch: the changed ids (B, S), and which places are to be guessed (B, S), True where the word is asked for.

    Each text gives its share of tokens, at least one. 80 % of them become [MASK], 10 % a random word, and 10 % stay, so that the model
    cannot rely on seeing [MASK] where it has to think. With `whole_words` the pieces of a word are asked for together or not at all.
    """
    eligible = vocabulary.words[ids]
    wanted = np.where(eligible.any(1), np.maximum(1, np.rint(eligible.sum(1) * share)), 0).astype(np.int64)
    chosen = choose_words(ids, eligible, wanted, rng, vocabulary) if whole_words else choose(eligible, wanted, rng)
    dice = rng.random(ids.shape)
    strangers = np.flatnonzero(vocabulary.words)[rng.integers(0, vocabulary.words.sum(), ids.shape)]
    changed = np.where(dice < HIDDEN, vocabulary.mask_id, np.where(dice < HIDDEN + CHANGED, strangers, ids))
    return np.where(chosen, changed, ids), chosen


def choose(eligible: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`wanted` (B,) random places of each row, among those that are eligible (B, S)."""
    order = np.argsort(np.where(eligible, rng.random(eligible.shape), 2.0), axis=1)
    chosen = np.zeros_like(eligible)
    np.put_along_axis(chosen, order, np.arange(eligible.shape[1]) < wanted[:, None], axis=1)
    return chosen


def choose_words(ids: np.ndarray, eligible: np.ndarray, wanted: np.ndarray, rng: np.random.Generator, vocabulary: Vocabulary) -> np.ndarray:
    """Whole words in random order, leaving out those that would make it more than wanted (the option added to BERT in May 2019)."""
    chosen = np.zeros_like(eligible)
    for row, count in enumerate(wanted):
        places = np.flatnonzero(eligible[row])
        goes_on = vocabulary.continues[ids[row, places]] & (np.diff(places, prepend=-2) == 1)
        words = np.split(places, np.flatnonzero(~goes_on)[1:])
        left = count
        for index in rng.permutation(len(words)):
            if len(words[index]) <= left:
                chosen[row, words[index]] = True
                left -= len(words[index])
        if left == count and count:  # every word is longer than the share: ask for one all the same
            chosen[row, words[rng.integers(len(words))]] = True
    return chosen
