"""The vectors of a text as they are: a row for each word, a column for each feature."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from playground.figures.cells import WORD, widest
from playground.figures.difference import around_0
from playground.figures.style import TITLE, figure
from playground.ui.language import text
from playground.ui.reading import label

EXACT = 64 * 1024  # numbers up to here travel as float32; more as whole thousandths in int16, half the bytes
MOST = 0.995  # of all numbers lie within the colours; a few features of a Transformer are a hundred times as large as the others


def features(values: np.ndarray, words: Sequence[str], *, title: str, language: str = "en") -> go.Figure:
    """`values` (S, C) in two colours around 0; `title` is already escaped."""
    n_words, n_features = values.shape
    top = max(float(np.quantile(np.abs(values), MOST)), 1e-6)
    said = {"word": "<b>%{y}</b>", "feature": "%{x}", "value": "%{z:+.3f}"}
    cells = around_0(values, hover=text("inside.tensor.hover", language, **said))
    if values.size > EXACT:
        unit = 32_000 / float(np.abs(values).max() or 1)
        cells.z = np.rint(values * unit).astype(np.int16)
        top *= unit
        cells.hovertemplate = text("inside.tensor.hover", language, **(said | {"value": f"%{{z:+d}} / {unit:.4g}"})) + "<extra></extra>"
    cells.update(zmin=-top, zmax=top, showscale=False, xgap=0, ygap=1 if n_words <= 48 else 0)
    plain = {"showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
    row = 22 if n_words <= 24 else 14 if n_words <= 40 else max(560 / n_words, 2)
    labels = {str(place): label(word, WORD) for place, word in enumerate(words)}
    return figure(
        [cells],
        title=title,
        subtitle=text("inside.tensor.note", language, words=n_words, features=n_features),
        height=round(TITLE + 52 + max(n_words * row, 120)),
        margin={"l": round(28 + widest(words) * 7.2), "r": 12, "t": TITLE, "b": 52},
        xaxis=plain | {"title": {"text": text("inside.tensor.features", language)}, "range": [-0.5, n_features - 0.5]},
        yaxis=plain
        | {"type": "category", "labelalias": labels, "range": [n_words - 0.5, -0.5], "tickfont": {"size": 12}}
        | {"title": {"text": "", "standoff": 0}},
        dragmode="zoom",
    )
