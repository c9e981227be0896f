"""One row of an attention map: how much one word looks at each of the others."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import CHOSEN, GREY, TITLE, figure
from playground.figures.tokens import axes
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.reading import label, percent

HEIGHT = 340


def attention_row(weights: np.ndarray, keys: Sequence[str], *, word: str, site: str, head: int = -1, language: str = "en") -> go.Figure:
    """`weights` (K,) of the query `word`, a column for each word that is looked at; the one that gets the most stands out."""
    weights = np.asarray(weights, dtype=np.float32)
    most = int(weights.argmax())
    said = [
        text("figure.hover", language, query=f"<b>{label(word)}</b>", key=f"<b>{label(key)}</b>", weight=percent(float(weight)))
        for key, weight in zip(keys, weights, strict=True)
    ]
    bars = go.Bar(
        x=np.arange(len(keys), dtype=np.uint16),
        y=weights,
        marker={"color": [CHOSEN if place == most else GREY for place in range(len(keys))], "line": {"width": 0}},
        hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )
    layout = axes(keys, showlegend=False)
    layout["yaxis"] = layout["yaxis"] | {"range": [0, max(float(weights.max()) * 1.08, 0.1)]}
    place = text("row.place", language, site=site_name(site, language), head=head_name(head, language))
    return figure(
        [bars],
        title=text("row.title", language, word=label(word)),
        subtitle=place,
        height=HEIGHT,
        **layout | {"margin": {"l": 12, "r": 12, "t": TITLE, "b": 12}},
    )
