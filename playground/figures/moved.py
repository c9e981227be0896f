"""How a guess moves: each word's probability before and after, one bar above the other."""

from collections.abc import Sequence

import plotly.graph_objects as go

from playground.figures.bars import PLAIN, SHARE, hidden_axis
from playground.figures.cells import WORD, widest
from playground.figures.style import CHOSEN, GREY, TITLE, figure
from playground.ui.language import text
from playground.ui.reading import label, percent

ROW = 46  # pixels of a word
UNCLICKABLE = {"itemclick": False, "itemdoubleclick": False}


def moved(words: Sequence[str], before: Sequence[float], after: Sequence[float], *, subtitle: str, language: str = "en") -> go.Figure:
    """`before` and `after` are the probabilities of each word; `subtitle` says what is guessed, escaped."""
    beside = 24 + round(8.2 * widest(words))
    y = [(place + 0.5) * ROW for place in range(len(words))]
    return figure(
        [
            bars(words, before, [place - 9 for place in y], "before", GREY, language),
            bars(words, after, [place + 9 for place in y], "after", CHOSEN, language),
        ],
        title=text("whatif.moved.title", language),
        subtitle=subtitle,
        height=TITLE + 30 + len(words) * ROW + 8,
        margin={"l": beside, "r": SHARE, "t": TITLE + 30, "b": 8},
        xaxis=hidden_axis(max([*before, *after, 0.02])),
        yaxis={"range": [len(words) * ROW, 0], "tickvals": y, "ticktext": [label(word, WORD) for word in words]}
        | {"tickfont": {"size": 15}}
        | PLAIN,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"} | UNCLICKABLE,
        barmode="overlay",
    )


def bars(words: Sequence[str], shares: Sequence[float], y: Sequence[float], kind: str, colour: str, language: str) -> go.Bar:
    """The bars of one time."""
    name = text("whatif.before" if kind == "before" else "whatif.after", language)
    said = [
        text("whatif.moved.hover", language, word=f"<b>{label(word, 40)}</b>", kind=name, probability=percent(share).replace("<", "&lt;"))
        for word, share in zip(words, shares)
    ]
    return go.Bar(
        x=list(shares),
        y=list(y),
        width=16,
        orientation="h",
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        text=[percent(share) for share in shares],
        textposition="outside",
        textfont={"size": 13},
        cliponaxis=False,
        hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )
