"""Probabilities as horizontal bars: what could stand behind a mask, and which sentence follows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from playground.figures.cells import WORD, widest
from playground.figures.style import CHOSEN, OTHER, TITLE, figure
from playground.ui.language import text
from playground.ui.reading import escape_plotly, join, label, percent, shorten, touches, wrap

if TYPE_CHECKING:
    from playground.tasks.fill_mask import Result

ROW = 28  # pixels of a candidate
HEADER = 34  # pixels of the line above the candidates of a mask
AFTER = 12  # pixels below the candidates of a mask
LINE = 20  # pixels of a line of a sentence
AROUND = 5  # words shown on each side of a mask
SHARE = 78  # pixels of a share behind the longest bar
SENTENCE = 42  # columns of a line of a sentence: what fits on a telephone
GAP = "____"
PLAIN = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True, "ticklabelstandoff": 6}
FRAME = frozenset({"[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>"})


def bar_places(result: "Result") -> list[tuple[float, int, int]]:
    """Where each candidate stands in the figure: the middle of its bar, the number of its mask and its rank, both counted from 0."""
    places, below = [], 0
    for number, mask in enumerate(result.masks):
        below += HEADER
        for rank in range(len(mask.candidates)):
            places.append((below + ROW / 2, number, rank))
            below += ROW
        below += AFTER
    return places


def mask_bars(result: "Result", *, language: str = "en") -> go.Figure:
    """The candidates of every mask, one mask under the other, all on one scale; above each the words around it."""
    y, lengths, labels, said, shades = [], [], [], [], []
    headers = []
    for place, number, rank in bar_places(result):
        mask = result.masks[number]
        candidate = mask.candidates[rank]
        if rank == 0:
            headers.append({"y": place - ROW / 2 - 8, "text": f"<b>{number + 1}</b>   {context(result, mask.position)}"})
        y.append(place)
        lengths.append(candidate.probability)
        labels.append(label(candidate.word, WORD))
        word = f"<b>{label(candidate.word, 40)}</b>"
        said.append(text("bars.hover", language, word=word, probability=f"{candidate.probability:.3g}"))
        shades.append(1.0 if rank == 0 else 0.65)
    below = max(y, default=0) + ROW / 2 + AFTER
    beside = 24 + round(8.2 * widest([candidate.word for mask in result.masks for candidate in mask.candidates]))
    shared = {"xanchor": "left", "yanchor": "bottom", "xref": "paper", "x": 0, "xshift": 12 - beside, "showarrow": False}
    return figure(
        [bars(lengths, y, said, opacity=shades)],
        title=text("bars.mask_title", language),
        subtitle=text("bars.mask_note", language),
        height=TITLE + below + 8,
        margin={"l": beside, "r": SHARE, "t": TITLE, "b": 8},
        xaxis=hidden_axis(max([*lengths, 0.02])),
        yaxis={"range": [below, 0], "tickvals": y, "ticktext": labels, "tickfont": {"size": 15}} | PLAIN,
        annotations=[shared | header for header in headers],
    )


def ranking_bars(sentences: Sequence[str], probabilities: Sequence[float], *, first: str = "", language: str = "en") -> go.Figure:
    """Candidates for the next sentence, the best on top, each with its number in the list; `first`: the one they would follow."""
    ranking = sorted(range(len(sentences)), key=lambda place: -probabilities[place])
    y, said, colours, headers = [], [], [], []
    below = 0
    for place in ranking:
        lines = wrap(f"{place + 1}. {sentences[place]}", SENTENCE, 2)
        headers.append({"y": below, "text": "<br>".join(escape_plotly(line) for line in lines)})
        below += len(lines) * LINE + 4
        y.append(below + ROW / 2 - 3)
        said.append(text("bars.next_hover", language, number=place + 1, probability=f"{probabilities[place]:.4g}"))
        colours.append(CHOSEN if probabilities[place] >= 0.5 else OTHER)
        below += ROW + 14
    shared = {"xanchor": "left", "yanchor": "top", "align": "left", "x": 0, "showarrow": False, "font": {"size": 14}, "borderpad": 0}
    return figure(
        [bars([probabilities[place] for place in ranking], y, said, color=colours)],
        title=text("bars.next_title", language),
        subtitle=escape_plotly(shorten(" ".join(first.split()), SENTENCE)),
        height=TITLE + below + 8,
        margin={"l": 16, "r": SHARE, "t": TITLE, "b": 8},
        xaxis=hidden_axis(1.0),
        yaxis={"range": [below, 0], "showticklabels": False} | PLAIN,
        annotations=[shared | header for header in headers],
    )


def hidden_axis(end: float) -> dict[str, object]:
    """An axis of probabilities that shows nothing: the numbers stand at the bars."""
    return {"range": [0, end], "showticklabels": False} | PLAIN


def bars(lengths: Sequence[float], y: Sequence[float], said: Sequence[str], **marker: object) -> go.Bar:
    """Bars at the pixels `y`, each with its share behind it and `said` on hover."""
    return go.Bar(
        x=list(lengths),
        y=list(y),
        width=18,
        orientation="h",
        marker={"color": CHOSEN, "line": {"width": 0}} | marker,
        text=[percent(length) for length in lengths],
        textposition="outside",
        textfont={"size": 14},
        cliponaxis=False,
        hovertext=list(said),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def context(result: "Result", position: int) -> str:
    """The words around a mask, the mask itself in bold; other masks are gaps too."""
    gaps = {mask.position for mask in result.masks}
    words = [(place, GAP if place in gaps else word) for place, word in enumerate(result.words) if word not in FRAME or place in gaps]
    before = [word for place, word in words if place < position]
    after = [word for place, word in words if place > position]
    left = ("… " if len(before) > AROUND else "") + join(before[-AROUND:])
    right = join(after[:AROUND]) + (" …" if len(after) > AROUND else "")
    spaces = ["" if touches(*pair) else " " for pair in ((left, GAP), (GAP, right))]
    return f"{escape_plotly(left)}{spaces[0]}<b>{GAP}</b>{spaces[1]}{escape_plotly(right)}"
