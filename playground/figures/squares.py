"""Square tables of numbers: which label was taken for which, and how alike the vectors of a prompt are."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import CHOSEN, CLEAR, OTHER, TITLE, figure
from playground.ui.language import text
from playground.ui.reading import columns, escape_plotly, shorten

FAINT, STRONG = "rgba(43, 131, 186, 0.05)", "rgba(43, 131, 186, 0.7)"
WORD = 14  # columns of a label
SIDE = 60  # pixels of a cell
AXIS = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}


def confusion(counts: Sequence[Sequence[int]], labels: Sequence[str], *, language: str = "en") -> go.Figure:
    """`counts[true][guessed]`: a row for each true label, a column for each that was guessed. What is right stands on the diagonal."""
    n = len(labels)
    shares = np.asarray(counts, dtype=np.float32)
    shares = shares / np.maximum(shares.sum(1, keepdims=True), 1)
    names = [escape_plotly(shorten(label, WORD)) for label in labels]
    said = [
        [
            text("tuning.figure.confusion_hover", language, count=counts[row][column], true=names[row], guessed=names[column])
            for column in range(n)
        ]
        for row in range(n)
    ]
    cells = go.Heatmap(
        z=shares, x=np.arange(n), y=np.arange(n), zmin=0, zmax=1, colorscale=[[0, FAINT], [1, STRONG]], showscale=False,
        xgap=2, ygap=2, text=said, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    numbers = [
        {"x": column, "y": row, "text": f"<b>{counts[row][column]}</b>", "showarrow": False, "font": {"size": 15}}
        for row in range(n)
        for column in range(n)
        if counts[row][column]
    ]
    beside = 52 + round(8 * max(min(columns(label), WORD) for label in labels))
    ticks = {"tickvals": list(range(n)), "ticktext": names}
    return figure(
        [cells],
        title=text("tuning.figure.confusion", language),
        height=TITLE + 56 + max(n * min(SIDE, 420 // n), 100),
        margin={"l": beside, "r": 16, "t": TITLE - 20, "b": 60},
        annotations=numbers,
        xaxis=AXIS | ticks | {"title": {"text": text("tuning.figure.guessed", language)}, "range": [-0.5, n - 0.5]},
        yaxis=AXIS | ticks | {"title": {"text": text("tuning.figure.true", language)}, "range": [n - 0.5, -0.5]},
    )


def cosine_map(cosines: Sequence[Sequence[float]], *, language: str = "en") -> go.Figure:
    """How alike each pair of a prompt's vectors is: 1 the same direction, 0 nothing in common, -1 opposite."""
    values = np.asarray(cosines, dtype=np.float32)
    n = len(values)
    names = [f"P{place + 1}" for place in range(n)]
    ticks = {"tickvals": list(range(1, n + 1)), "ticktext": names, "tickfont": {"size": 11 if n > 12 else 13}}
    bar = {
        "orientation": "h",
        "x": 0.5,
        "y": 0,
        "yanchor": "top",
        "ypad": 12,
        "lenmode": "pixels",
        "len": 200,
        "thickness": 10,
        "tickvals": [-1, 0, 1],
    }
    cells = go.Heatmap(
        z=values, x=np.arange(1, n + 1), y=np.arange(1, n + 1), zmin=-1, zmax=1, colorscale=[[0, OTHER], [0.5, CLEAR], [1, CHOSEN]],
        colorbar=bar | {"outlinewidth": 0, "ticks": ""}, xgap=1, ygap=1, hovertemplate="P%{x} · P%{y}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    return figure(
        [cells],
        title=text("tuning.figure.cosines", language),
        height=TITLE + 76 + min(n * 26 + 40, 380),
        margin={"l": 44, "r": 16, "t": TITLE, "b": 60},
        xaxis=AXIS | ticks | {"side": "top", "range": [0.5, n + 0.5], "constrain": "domain"},
        yaxis=AXIS | ticks | {"range": [n + 0.5, 0.5], "scaleanchor": "x", "constrain": "domain"},
    )
