"""How a model learnt: its loss while it read, and its marks whenever it was measured."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from playground.figures.style import CHOSEN, GREY, OTHER, TITLE, figure, nothing
from playground.ui.language import text
from playground.ui.reading import percent

PLOT = 160  # pixels of one of the two pictures
HEAD = 62  # above each: what it shows, and two lines with the names of its curves
BETWEEN = 22  # numbers of the upper axis
FOOT = 44
FEW = 40  # points that can be told apart
LOSSES = {"words_loss": (GREY, "solid"), "mlm_loss": (CHOSEN, "solid"), "valid_loss": (CHOSEN, "solid")}
MARKS = {
    "mlm_top1": (CHOSEN, "solid"), "mlm_top5": (CHOSEN, "dot"), "nsp": (OTHER, "solid"), "nsp_same_document": (OTHER, "dot"),
    "valid_accuracy": (CHOSEN, "solid"), "bleu": (OTHER, "solid"),
}  # fmt: skip
POINTS = {"bleu"}  # marks from 0 to 100, which nobody calls percent
STROKES = {"solid": "━", "dot": "┅"}
UNIT = {"en": (1e6, 1e9), "zh": (1e4, 1e8)}  # tokens are counted in millions and billions, or in 万 and 亿

Row = Mapping[str, float]


def learning_curves(rows: Sequence[Row], *, language: str = "en") -> go.Figure:
    """`rows` of a log, in its order: those of the training have `words_loss`, those of a measurement the other loss and the marks."""
    found = {key: [row for row in rows if key in row] for key in (*LOSSES, *MARKS)}
    title = text("training.curves", language)
    if not any(found.values()):
        return nothing(title, text("figure.nothing", language))
    most = max(row["tokens"] for row in rows)
    unit, name = scale(most, language)
    traces = [curve(found[key], key, unit, look, language, axis="y") for key, look in LOSSES.items() if found[key]]
    traces += [curve(found[key], key, unit, look, language, axis="y2") for key, look in MARKS.items() if found[key]]
    inner = 2 * PLOT + BETWEEN + HEAD
    below = {"text": text("training.tokens", language, unit=name), "font": {"size": 13}}
    common = {"fixedrange": True, "zeroline": False, "ticks": "", "nticks": 5}
    shared = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "align": "left", "yanchor": "bottom", "showarrow": False}
    loss = "training.loss_of_words" if found["valid_loss"] else "training.loss"
    heads = [(1.0, loss, LOSSES), (PLOT / inner, "training.marks", MARKS)]
    return figure(
        traces,
        title=title,
        subtitle=text("training.curves_note", language),
        height=TITLE + HEAD + inner + FOOT,
        margin={"l": 44, "r": 14, "t": TITLE + HEAD, "b": FOOT},
        xaxis={"title": below, "anchor": "y2", "range": [0, most / unit]} | common,
        yaxis={"domain": [1 - PLOT / inner, 1], "rangemode": "tozero"} | common,
        yaxis2={"domain": [0, PLOT / inner], "range": [0, 1.02], "tickformat": ".0%", "anchor": "x"} | common,
        annotations=[
            shared | {"y": y, "yshift": 2, "xshift": -32, "text": f"<b>{text(key, language)}</b><br>" + names(found, looks, language)}
            for y, key, looks in heads
        ],
    )


def curve(rows: Sequence[Row], key: str, unit: float, look: tuple[str, str], language: str, *, axis: str) -> go.Scatter:
    """One number over the tokens that were read."""
    x = np.array([row["tokens"] / unit for row in rows], dtype=np.float32)
    y = np.array([row[key] for row in rows], dtype=np.float32) / (100 if key in POINTS else 1)
    colour, dash = look
    return go.Scatter(
        x=x,
        y=y,
        yaxis=axis,
        mode="lines+markers" if len(rows) <= FEW else "lines",
        marker={"size": 5, "color": colour},
        line={"color": colour, "dash": dash, "width": 2},
        hovertext=[f"{text(f'training.{key}', language)}<br>{value(key, row[key])}" for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def names(found: Mapping[str, Sequence[Row]], looks: Mapping[str, tuple[str, str]], language: str) -> str:
    """The curves of a picture with their last values, two a line."""
    said = [
        f'<span style="color:{colour}">{STROKES[dash]}</span> {text(f"training.{key}", language)} {value(key, found[key][-1][key])}'
        for key, (colour, dash) in looks.items()
        if found[key]
    ]
    return "<br>".join("   ".join(said[place : place + 2]) for place in range(0, len(said), 2))


def value(key: str, number: float) -> str:
    """A loss with two decimals, a mark in percent, BLEU as it is written."""
    if key in POINTS:
        return f"{number:.1f}"
    return percent(number) if key in MARKS else f"{number:.2f}"


def scale(tokens: float, language: str) -> tuple[float, str]:
    """The unit for so many tokens, and its name."""
    small, large = UNIT[language]
    return (large, text("training.unit_large", language)) if tokens >= large else (small, text("training.unit_small", language))
