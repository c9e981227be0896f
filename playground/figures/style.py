"""What all figures share: type, colours, ground.

Text takes its colour from `layout.font`, so that a page recolours a whole figure in one place; without a page it is a grey that can be read
on white and on black. Grounds are transparent.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
INK = "#7b8190"
TITLE = 68  # pixels that title and subtitle take
LINE = "rgba(128, 136, 150, 0.35)"
CLEAR = "rgba(0, 0, 0, 0)"
CHOSEN = "#2b83ba"
OTHER = "#c98a2b"
GREY = "#8a93a3"
# Viridis (Smith & van der Walt 2015): even steps of lightness, the same order for every kind of colour vision.
SEQUENTIAL = ("#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725")


def figure(traces: Sequence[BaseTraceType], *, title: str, subtitle: str = "", height: int, **layout: Any) -> go.Figure:
    """A figure of `traces`; `title` and `subtitle` are already escaped, `height` is in pixels."""
    heading = {"text": f"<b>{title}</b>", "font": {"size": 16}, "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container"}
    heading |= {"yanchor": "top", "pad": {"l": 12, "t": 12}}
    if subtitle:
        heading["subtitle"] = {"text": subtitle, "font": {"size": 13}}
    margin = layout.pop("margin", {"l": 12, "r": 12, "t": TITLE if subtitle else TITLE - 20, "b": 12})
    common = {
        "template": "none",
        "title": heading,
        "height": height,
        "font": {"family": FONT, "size": 13, "color": INK},
        "hoverlabel": {"font": {"family": FONT, "size": 14}, "align": "left"},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        # As they are told: plotly's own search for room for legends and colour bars can lose them while figures follow each other quickly.
        "margin": {"autoexpand": False} | margin,
        "showlegend": False,
        "dragmode": False,
    }
    return go.Figure(data=list(traces), layout=common | layout)


def colourscale(*, clear_below: float = 0.0) -> list[list[Any]]:
    """The sequential colours as plotly wants them; the part of the scale below `clear_below` (of 1) is transparent."""
    stops = [[index / (len(SEQUENTIAL) - 1), colour] for index, colour in enumerate(SEQUENTIAL)]
    if not clear_below:
        return stops
    moved = [[clear_below + place * (1 - clear_below), colour] for place, colour in stops]
    return [[0, CLEAR], [clear_below, CLEAR], *moved]


def nothing(title: str, sentence: str) -> go.Figure:
    """A figure that says why there is nothing to see."""
    said = {"text": sentence, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "font": {"size": 14}}
    return figure([], title=title, height=180, annotations=[said], xaxis={"visible": False}, yaxis={"visible": False})
