"""Attention as lines between two rows of words, as BertViz draws it (Vig 2019): what the page's own script needs to draw them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playground.ui.language import text
from playground.ui.reading import columns as columns_of
from playground.ui.reading import isolate, readable, shorten

MOST = 900  # lines that travel, the strongest
FEW = 60  # words on a side; with more of them only lines of `STRONG` are drawn at first
FAINT, STRONG = 0.05, 0.3  # of the largest weight: where the lines begin that are drawn at first
TALL = 40  # words that may stand below each other; more of them, or words without spaces, stand side by side
WORD = 18  # columns of a word
UNIT = 1000  # the largest weight, as it travels


def lines(
    weights: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, title: str, subtitle: str, language: str = "en"
) -> dict[str, Any]:
    """`weights` (Q, K) as the `MOST` strongest lines, each [row, column, thousandths of the largest], strongest first.

    `wide`: words stand in two rows, one above the other, and not in two columns.
    """
    top = max(float(weights.max()), 1e-9)
    whole = np.rint(weights.ravel() * (UNIT / top)).astype(int)
    strongest = np.argsort(-whole, kind="stable")[:MOST]
    pairs = [[*map(int, divmod(int(place), weights.shape[1])), int(whole[place])] for place in strongest if whole[place] > 0]
    longest = max(len(rows), len(columns))
    return {
        "title": title,
        "subtitle": subtitle,
        "rows": [shown(word) for word in rows],
        "columns": [shown(word) for word in columns],
        "lines": pairs,
        "top": top,
        "from": round(UNIT * (STRONG if longest > FEW else FAINT)),
        "wide": longest > TALL or unspaced([*rows, *columns]),
        "said": {name: text(f"lines.{name}", language) for name in ("from", "help", "rows", "columns")},
    }


def shown(word: str) -> str:
    """A word as the script writes it; it writes text, never markup."""
    return isolate(shorten(readable(word), WORD))


def unspaced(words: Sequence[str]) -> bool:
    """Whether most of the words are Chinese or the like."""
    plain = [readable(word) for word in words]
    return sum(columns_of(word) == 2 * len(word) > 0 for word in plain) > len(plain) / 2
