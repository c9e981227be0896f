"""Which words of two texts are the same, so that what was measured of both can be subtracted."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np


class Difference(NamedTuple):
    """What two matrices have in common: `values`, second minus first, at the words `rows` and `columns` that stand in both."""

    values: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]


def pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the same words in the same order, as many as there are (Ratcliff & Metzener 1988, as in difflib)."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]


def difference(first: np.ndarray, second: np.ndarray, words: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> Difference:
    """Of matrices (Q, K) of two texts; `words` and `others` are the rows and columns of each. Words of one text alone are left out."""
    rows, columns = (pairs(one, other) for one, other in zip(words, others, strict=True))
    mine, theirs = (np.ix_([row[side] for row in rows], [column[side] for column in columns]) for side in (0, 1))
    named = tuple(tuple(side[place] for place, _ in found) for side, found in zip(words, (rows, columns)))
    return Difference(second[theirs] - first[mine], *named)


def follow(place: int, words: Sequence[str], others: Sequence[str]) -> int:
    """Where a place of one text is in another: at the same word, or as far behind the last word before it that both have."""
    if place == len(words) - 1:
        return len(others) - 1
    there = dict(pairs(words, others))
    known = max((one for one in there if one <= place), default=None)
    return min(place if known is None else there[known] + place - known, len(others) - 1)
