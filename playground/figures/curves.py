"""How a tuning goes: loss and accuracy of each method, step by step or second by second; and how far a prompt's vectors have gone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import CHOSEN, TITLE, figure
from playground.ui.language import text

if TYPE_CHECKING:
    from playground.service.runs import Point

# Okabe & Ito (2008): told apart with every kind of colour vision, and on white and black.
COLOURS = ("#8a93a3", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")
MOST = 150  # points of one curve: more cannot be seen, and all of them travel several times a second
HEIGHT = 430
Curve = Sequence[tuple[float, float]]  # points, from left to right
AXIS = {"zeroline": False, "showline": True, "ticks": "outside", "fixedrange": True}


def curves(points: Sequence["Point"], *, methods: Sequence[str], by: str = "step", language: str = "en") -> go.Figure:
    """Loss above, accuracy on dev below. `by`: "step" or "seconds"; a method keeps its colour, whichever others of `methods` are shown.

    A method without steps to take is a dashed line at what it reached. With several seeds the lines are their means, and a band on the
    accuracy goes from the lowest to the highest.
    """
    end = max([getattr(point, by) for point in points], default=1)
    traces = []
    for place, method in enumerate(methods):
        own = [point for point in points if point.method == method]
        if not own:
            continue
        line = {"color": COLOURS[place % len(COLOURS)], "width": 2}
        common = {"name": text(f"tuning.method.{method}", language), "legendgroup": method, "mode": "lines"}
        seeds = [[point for point in own if point.seed == seed] for seed in dict.fromkeys(point.seed for point in own)]
        learnt, _, _ = together([[(getattr(point, by), point.loss) for point in seed if point.loss is not None] for seed in seeds])
        judged, low, high = together(
            [[(getattr(point, by), point.accuracy) for point in seed if point.accuracy is not None] for seed in seeds]
        )
        if learnt:
            traces.append(go.Scatter(**common | points_of(learnt), line=line, showlegend=False, yaxis="y", hovertemplate="%{y:.3f}"))
        if not learnt and judged:
            judged, line = [(0, judged[0][1]), (end, judged[0][1])], line | {"dash": "dash"}
        elif len(seeds) > 1:
            traces += band(low, high, common | {"yaxis": "y2", "showlegend": False, "hoverinfo": "skip"}, line["color"])
        mode = {"mode": "lines+markers", "marker": {"size": 5}} if learnt else {}
        traces.append(go.Scatter(**common | points_of(judged) | mode, line=line, yaxis="y2", hovertemplate="%{y:.1%}"))
    return figure(
        traces,
        title=text("tuning.figure.title", language),
        height=HEIGHT,
        margin={"l": 62, "r": 16, "t": TITLE - 20, "b": 92},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.17, "yanchor": "top"},
        hovermode="x unified",
        uirevision="tuning",
        xaxis=AXIS | {"title": {"text": text(f"tuning.figure.{by.removesuffix('s')}s", language)}, "anchor": "y2", "rangemode": "tozero"},
        yaxis=AXIS | {"title": {"text": text("tuning.figure.loss", language)}, "domain": [0.55, 1], "rangemode": "tozero"},
        yaxis2=AXIS
        | {"title": {"text": text("tuning.figure.accuracy", language)}, "domain": [0, 0.43], "range": [0, 1.02], "tickformat": ".0%"},
    )


def together(seeds: Sequence[Curve]) -> tuple[Curve, Curve, Curve]:
    """The mean of several curves, and the lowest and highest of them; each counts from its first to its last point."""
    longest = max(seeds, key=len)
    if len(seeds) == 1 or not longest:
        return longest, longest, longest
    x = [point[0] for point in longest]
    values = np.array([np.interp(x, *zip(*seed), left=np.nan, right=np.nan) for seed in seeds if seed])
    return tuple(list(zip(x, among(values, axis=0))) for among in (np.nanmean, np.nanmin, np.nanmax))


def band(low: Curve, high: Curve, common: dict[str, Any], colour: str) -> list[go.Scatter]:
    """The room between two curves, under the lines."""
    shade = f"rgba({', '.join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))}, 0.18)"
    edge = {"line": {"width": 0, "color": colour}}
    return [go.Scatter(**common | edge | points_of(low)), go.Scatter(**common | edge | points_of(high), fill="tonexty", fillcolor=shade)]


def drifts(moved: Sequence[float], *, language: str = "en") -> go.Figure:
    """How far a soft prompt's vectors have gone on the mean, after each step."""
    line = go.Scatter(
        **points_of(list(enumerate(moved, 1))), mode="lines", line={"color": CHOSEN, "width": 2}, hovertemplate="%{y:.3f}<extra></extra>"
    )
    return figure(
        [line],
        title=text("tuning.figure.drift", language),
        subtitle=text("tuning.figure.drift_note", language),
        height=280,
        margin={"l": 62, "r": 16, "t": TITLE, "b": 48},
        xaxis=AXIS | {"title": {"text": text("tuning.figure.steps", language)}, "rangemode": "tozero"},
        yaxis=AXIS | {"title": {"text": text("tuning.figure.drift_axis", language)}, "rangemode": "tozero"},
    )


def points_of(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """x and y of a curve, of long ones the means of neighbours."""
    values = np.asarray(pairs, dtype=np.float32).reshape(-1, 2)
    if len(values) > MOST:
        values = np.stack([part.mean(0) for part in np.array_split(values, MOST)])
    return {"x": values[:, 0], "y": values[:, 1]}
