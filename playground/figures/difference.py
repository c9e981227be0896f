"""What became of numbers: maps around 0, in two colours that every kind of colour vision tells apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.figures.cells import word_axes
from playground.figures.style import CHOSEN, OTHER, TITLE, figure, nothing
from playground.ui.language import text
from playground.ui.naming import head_name, short_site_name, site_name
from playground.ui.reading import escape_plotly, percent, readable

# Orange below, blue above, and where nothing changed the ground of the page: each colour fades into a clear one of its own kind.
AROUND_0 = [[0, OTHER], [0.5, "rgba(201, 138, 43, 0)"], [0.5, "rgba(43, 131, 186, 0)"], [1, CHOSEN]]
LEAST = 1e-4  # a map of smaller numbers than this would show noise in full colours
HEAD = 34  # pixels that a row of heads would like to be high


def difference_map(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, title: str, subtitle: str = "", language: str = "en"
) -> go.Figure:
    """`values` (rows, columns): weights of a second view minus those of a first, for the words that both have."""
    if not values.size:
        return nothing(title, text("difference.none", language))
    said = {"query": "<b>%{y}</b>", "key": "<b>%{x}</b>", "difference": "%{z:+.3f}"}
    cells = around_0(values, hover=text("difference.hover", language, **said))
    axes = word_axes(rows, columns, row_title=text("figure.query", language), column_title=text("figure.key", language))
    return figure([cells], title=title, subtitle=subtitle, **axes)


def head_effects(changes: np.ndarray, sites: Sequence[str], *, word: str, probability: float, language: str = "en") -> go.Figure:
    """`changes` (sites, H) of the probability of `word` when one head is silent. A click brings the head as `x`, the site as `y`."""
    names = [site_name(site, language) for site in sites]
    heads = [head_name(head, language) for head in range(changes.shape[1])]
    hover = [
        [
            text("whatif.which.hover", language, site=names[row], head=heads[column], change=f"{changes[row, column]:+.3f}")
            for column in range(changes.shape[1])
        ]
        for row in range(len(sites))
    ]
    cells = around_0(changes, hover="%{text}")
    cells.text = hover
    n_rows, n_columns = changes.shape
    plain = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}
    return figure(
        [cells],
        title=text("whatif.which.title", language, word=escape_plotly(readable(word))),
        subtitle=text("whatif.which.note", language, probability=escape_plotly(percent(probability))),
        height=TITLE + 84 + min(n_rows * HEAD, 620),
        margin={"l": 92, "r": 16, "t": TITLE + 24, "b": 56},
        xaxis=plain
        | {"side": "top", "tickvals": np.arange(n_columns), "ticktext": [str(column + 1) for column in range(n_columns)]}
        | {"range": [-0.5, n_columns - 0.5]},
        yaxis=plain
        | {"tickvals": np.arange(n_rows), "ticktext": [short_site_name(site, language) for site in sites]}
        | {"range": [n_rows - 0.5, -0.5]},
    )


def around_0(values: np.ndarray, *, hover: str) -> go.Heatmap:
    """Cells in two colours, the same scale on both sides of 0."""
    values = np.asarray(values, dtype=np.float32)
    top = max(float(np.nanmax(np.abs(values))), LEAST)
    gap = 1 if max(values.shape) <= 48 else 0
    return go.Heatmap(
        z=values,
        x=np.arange(values.shape[1], dtype=np.uint16),
        y=np.arange(values.shape[0], dtype=np.uint16),
        zmin=-top,
        zmax=top,
        colorscale=AROUND_0,
        colorbar=bar_around_0(top),
        hovertemplate=hover + "<extra></extra>",
        hoverongaps=False,
        xgap=gap,
        ygap=gap,
    )


def bar_around_0(top: float) -> dict[str, Any]:
    """A short bar under the figure, from -top to top."""
    place = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "ypad": 14, "lenmode": "pixels", "len": 220}
    ticks = {"tickvals": [-top, 0, top], "ticktext": [f"−{top:.2g}", "0", f"+{top:.2g}"], "ticks": ""}
    return place | ticks | {"thickness": 10, "outlinewidth": 0}
