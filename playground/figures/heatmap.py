"""Attention of one head: which word looks at which."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from playground.figures.cells import cells, word_axes
from playground.figures.style import figure
from playground.ui.language import text
from playground.ui.naming import head_name, site_name


def heatmap(
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    site: str,
    head: int = -1,
    language: str = "en",
    causal: bool = False,
    window: int | None = None,
    subtitle: str = "",
    said: str = "",
) -> go.Figure:
    """`weights` (Q, K) of one site and head (-1: the mean), a row for each word that looks, a column for each word that is looked at.

    `subtitle` names what is shown where that is not the head alone; `said` is what is said about a cell, see `hover`.

    Where a position cannot see the figure stays empty: `causal` hides what comes after it, `window` what lies so many positions back.
    """
    return figure(
        [cells(weights, hidden=unseen(*weights.shape, window=window) if causal else None, hover=said or hover(language))],
        title=site_name(site, language),
        subtitle=subtitle or head_name(head, language),
        **word_axes(queries, keys, row_title=text("figure.query", language), column_title=text("figure.key", language)),
    )


def unseen(n_queries: int, n_keys: int, *, window: int | None = None) -> np.ndarray:
    """(Q, K), True where a causal position cannot look; the last query stands at the last key."""
    distance = np.arange(n_queries)[:, None] + (n_keys - n_queries) - np.arange(n_keys)[None, :]
    return (distance < 0) | (distance >= (window or n_keys + n_queries))


def hover(language: str) -> str:
    """What is said about one cell."""
    return text("figure.hover", language, query="<b>%{y}</b>", key="<b>%{x}</b>", weight="{weight}")
