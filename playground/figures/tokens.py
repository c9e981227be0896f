"""How sure the model was of each word it wrote, and what else it could have written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import CHOSEN, GREY, LINE, TITLE, figure, nothing
from playground.ui.language import text
from playground.ui.reading import label, percent

if TYPE_CHECKING:
    from playground.tasks.generate import Step

HEIGHT = 360
PLAIN = {"zeroline": False, "ticks": ""}
UNCLICKABLE = {"itemclick": False, "itemdoubleclick": False}


def generated(steps: Sequence["Step"], *, language: str = "en") -> go.Figure:
    """One column for each generated token: its probability below, above it those of the likeliest others, the likeliest first."""
    if not steps:
        return nothing(text("tokens.title", language), text("figure.nothing", language))
    others = [others_of(step) for step in steps]
    traces = [column(steps, [(step.word, step.probability) for step in steps], "tokens.chosen", CHOSEN, 1.0, language)]
    for rank in range(max(map(len, others))):
        ranked = [one[rank] if rank < len(one) else None for one in others]
        traces.append(column(steps, ranked, "tokens.other", GREY, max(0.75 - 0.15 * rank, 0.2), language, in_legend=rank == 0))
    return figure(
        traces,
        title=text("tokens.title", language),
        height=HEIGHT,
        **axes([step.word for step in steps], showlegend=True),
    )


def word_probabilities(words: Sequence[str], probabilities: Sequence[float] | np.ndarray, *, language: str = "en") -> go.Figure:
    """One column for each word of a translation: the probability it had when it was chosen."""
    title = text("tokens.title", language)
    if not len(words):
        return nothing(title, text("figure.nothing", language))
    pairs = list(zip(words, map(float, probabilities), strict=True))
    trace = column(words, pairs, "tokens.chosen", CHOSEN, 1.0, language)
    return figure([trace], title=title, height=HEIGHT - 80, **axes(words, showlegend=False))


def others_of(step: "Step") -> list[tuple[str, float]]:
    """The alternatives of a step without the word that was chosen."""
    others = list(step.alternatives)
    for pair in others:
        if pair[0] == step.word and abs(pair[1] - step.probability) < 1e-4:
            others.remove(pair)
            break
    return others


def column(
    places: Sequence[Any],
    pairs: Sequence[tuple[str, float] | None],
    key: str,
    colour: str,
    opacity: float,
    language: str,
    *,
    in_legend: bool = True,
) -> go.Bar:
    """One layer of the stacked columns; `pairs` are a word and its probability at each place, or None."""
    kind = text(key, language)

    def say(word: str, share: float) -> str:
        return text("tokens.hover", language, kind=kind, word=f"<b>{label(word, 40)}</b>", probability=percent(share))

    return go.Bar(
        x=np.arange(len(places), dtype=np.uint16),
        y=np.array([pair[1] if pair else np.nan for pair in pairs], dtype=np.float32),
        marker={"color": colour, "opacity": opacity, "line": {"width": 0}},
        name=kind,
        showlegend=in_legend,
        hovertext=[say(*pair) if pair else "" for pair in pairs],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def axes(words: Sequence[str], *, showlegend: bool) -> dict[str, Any]:
    """Words below, shares of 1 beside."""
    labels = [label(word, 14) for word in words]
    return {
        "xaxis": {
            "type": "category",
            "labelalias": {str(place): word for place, word in enumerate(labels)},
            "autotickangles": [0, -45, -90],
            "tickfont": {"size": 13 if len(words) <= 40 else 11},
            "showgrid": False,
            "automargin": True,
            "range": [-0.6, max(len(words), 8) - 0.4],
        }
        | PLAIN,
        "yaxis": {"range": [0, 1.005], "tickformat": ".0%", "nticks": 5, "gridcolor": LINE, "automargin": True} | PLAIN,
        "barmode": "stack",
        "bargap": 0.12,
        "showlegend": showlegend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"} | UNCLICKABLE,
        "margin": {"autoexpand": True, "l": 12, "r": 12, "t": TITLE if showlegend else TITLE - 20, "b": 12},
        "hovermode": "closest",
        "dragmode": "zoom" if len(words) > 40 else False,
    }
