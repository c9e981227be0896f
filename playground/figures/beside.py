"""One gap, asked three times: an encoder, a decoder that has read the left side, and the same decoder with the right side read too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from playground.figures.bars import PLAIN, hidden_axis
from playground.figures.cells import WORD
from playground.figures.style import CHOSEN, OTHER, TITLE, figure
from playground.ui.language import text
from playground.ui.reading import label, percent, readable

if TYPE_CHECKING:
    from playground.tasks import fill_mask, fill_mask_decoder

ROW = 42  # pixels of a word: its line and the bar below it
BAR = 9
HEAD = 44  # two lines above each column
BETWEEN = 0.04  # of the width, between two columns
PANELS = (("beside.encoder", "beside.both"), ("beside.decoder", "beside.left"), ("beside.decoder", "beside.both"))

Ranked = Sequence[tuple[str, float]]


def beside(encoder: "fill_mask.Result", decoder: "fill_mask_decoder.Result", *, top: int, language: str = "en") -> go.Figure:
    """The `top` words of each, side by side on one scale; a word of the decoder that the encoder names too has the encoder's colour."""
    named = [(one.word, one.probability) for one in encoder.masks[0].candidates]
    columns = [named, *(ranked(decoder, share) for share in ("left", "both"))]
    columns = [column[:top] for column in columns]
    known = {plain(word) for word, _ in columns[0]}
    end = max([share for column in columns for _, share in column] + [0.02])
    below = HEAD + ROW * max(map(len, columns))
    traces, axes, notes = [], {}, []
    width = (1 - 2 * BETWEEN) / 3
    for number, (column, heads) in enumerate(zip(columns, PANELS)):
        start, suffix = number * (width + BETWEEN), str(number + 1) if number else ""
        axes[f"xaxis{suffix}"] = hidden_axis(end) | {"domain": [start, start + width]}
        y = [HEAD + ROW * place + 30 for place in range(len(column))]
        traces.append(bars(column, y, f"x{suffix}", known, language))
        shared = {"xref": "paper", "x": start, "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False, "borderpad": 0}
        first, second = (text(key, language) for key in heads)
        notes.append(shared | {"y": 0, "text": f"<b>{first}</b><br>{second}"})
        notes += [
            shared | {"y": place - 28, "text": f"{label(word, WORD)} <b>{percent(share)}</b>"} for (word, share), place in zip(column, y)
        ]
    return figure(
        traces,
        title=text("bars.mask_title", language),
        subtitle=text("beside.note", language),
        height=TITLE + below + 12,
        margin={"l": 14, "r": 26, "t": TITLE, "b": 12},
        yaxis={"range": [below, 0], "showticklabels": False} | PLAIN,
        annotations=notes,
        **axes,
    )


def ranked(decoder: "fill_mask_decoder.Result", share: str) -> Ranked:
    """The decoder's words by one of its two shares, best first."""
    return sorted(((one.word, getattr(one, share)) for one in decoder.candidates), key=lambda pair: -pair[1])


def plain(word: str) -> str:
    """A word without what only one of the two models writes: capitals, a mark for the space."""
    return readable(word).casefold()


def bars(column: Ranked, y: Sequence[float], axis: str, known: set[str], language: str) -> go.Bar:
    """The bars of a column, at the pixels `y`."""
    return go.Bar(
        x=[share for _, share in column],
        y=list(y),
        xaxis=axis,
        width=BAR,
        orientation="h",
        marker={"color": [CHOSEN if plain(word) in known else OTHER for word, _ in column], "line": {"width": 0}},
        hovertext=[text("bars.hover", language, word=f"<b>{label(word, 40)}</b>", probability=f"{share:.3g}") for word, share in column],
        hovertemplate="%{hovertext}<extra></extra>",
    )
