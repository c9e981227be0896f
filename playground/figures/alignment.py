"""Which source word each word of a translation looked at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from playground.figures.cells import cells, word_axes
from playground.figures.style import figure, nothing
from playground.ui.language import text

if TYPE_CHECKING:
    from playground.tasks.translate import Sentence


def alignment(sentences: Sequence["Sentence"], *, sentence: int | None = None, language: str = "en") -> go.Figure:
    """Cross-attention of a translation, a row for each target word: of one `sentence`, or of all as blocks along the diagonal."""
    chosen = sentences if sentence is None else [sentences[sentence]]
    rows = [word for one in chosen for word in one.target_words]
    columns = [word for one in chosen for word in one.source_words]
    title = text("alignment.title", language)
    if not rows or not columns:
        return nothing(title, text("figure.nothing", language))
    weights = np.zeros((len(rows), len(columns)), dtype=np.float32)
    hidden = np.ones(weights.shape, dtype=bool)
    down = across = 0
    for one in chosen:
        block = slice(down, down + len(one.target_words)), slice(across, across + len(one.source_words))
        weights[block], hidden[block] = one.alignment, False
        down, across = block[0].stop, block[1].stop
    count = len(sentences)
    subtitle = text("alignment.note", language) if sentence is None else text("alignment.one", language, number=sentence + 1, count=count)
    hover = text("alignment.hover", language, target="<b>%{y}</b>", source="<b>%{x}</b>", weight="{weight}")
    return figure(
        [cells(weights, hidden=hidden if len(chosen) > 1 else None, hover=hover)],
        title=title,
        subtitle=subtitle,
        **word_axes(rows, columns, row_title=text("alignment.target", language), column_title=text("alignment.source", language)),
    )
