"""From tokens to what a picture shows of them: sub-words put together to words, special tokens left out. Arrays in, arrays out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PART = re.compile(r"‹[0-9A-F]{2}(?: [0-9A-F]{2})*›")  # bytes of a character that ends in a later piece


@dataclass(frozen=True, kw_only=True)
class Side:
    """The rows or the columns of a picture: a word each, and the tokens that it is made of, in the order of the text."""

    words: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.words)


def side(words: Sequence[str], starts: Sequence[bool], special: Sequence[bool], *, whole: bool = False, hide: bool = False) -> Side:
    """What is shown of tokens: `whole` words, where `starts` says which token begins one, and no special ones where they are to `hide`.

    Special tokens are never part of a word. Where nothing would be left, all tokens stay.
    """
    hide = hide and not all(special)
    members: list[list[int]] = []
    open_ = False  # whether the next token may go on with the last word
    for place, (begins, apart) in enumerate(zip(starts, special, strict=True)):
        if not (apart and hide):
            if whole and open_ and not begins and not apart:
                members[-1].append(place)
            else:
                members.append([place])
        open_ = not apart
    return Side(
        words=tuple(put_together([words[place] for place in places]) for places in members),
        members=tuple(map(tuple, members)),
    )


def put_together(pieces: Sequence[str]) -> str:
    """The word that pieces spell: without the "##" of the later ones and without the single bytes of a character that is shown whole."""
    first, *others = pieces
    word = first + "".join(piece.removeprefix("##") for piece in others)
    return (PART.sub("", word) or word) if others else word


def merged(weights: np.ndarray, rows: Side, columns: Side) -> np.ndarray:
    """The weights between words: the sum over the pieces that are looked at, the mean over those that look (Clark et al. 2019, 4.1).

    weights (..., Q, K) -> (..., rows, columns). What is hidden is left out; rows are not made to sum to 1 again.
    """
    return summed(summed(weights, rows, axis=-2), columns, axis=-1) / sizes(rows)[:, None]


def summed(values: np.ndarray, words: Side, *, axis: int = -1) -> np.ndarray:
    """The sum of the pieces of each word along one axis."""
    kept = [place for places in words.members for place in places]
    if len(kept) < values.shape[axis]:
        values = values.take(kept, axis=axis)
    if len(kept) == len(words):
        return values
    counts = [len(places) for places in words.members]
    return np.add.reduceat(values, np.cumsum([0, *counts[:-1]]), axis=axis)


def sizes(words: Side) -> np.ndarray:
    """How many pieces each word has. -> (words,) float32"""
    return np.array([len(places) for places in words.members], dtype=np.float32)
