"""What temperature does to one distribution: the same tokens side by side at several temperatures, and where top-k and top-p cut."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from playground.figures.cells import WORD, widest
from playground.figures.style import CHOSEN, GREY, INK, TITLE, figure
from playground.ui.language import text
from playground.ui.reading import label, percent

if TYPE_CHECKING:
    from playground.tasks.next_token import Result

ROW = 26  # pixels of a token
HEAD = 46  # pixels above the bars: the temperature, and how many tokens can be drawn
GAP = 0.025  # of the width, between two panels
PLAIN = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}


def temperature_bars(result: "Result", *, chosen: str = "", language: str = "en") -> go.Figure:
    """One panel for each temperature; grey bars are cut off and cannot be drawn. `chosen`: the token that was drawn, in bold."""
    panels, count = len(result.temperatures), len(result.words)
    share = (1 - GAP * (panels - 1)) / panels
    traces, layout, notes, shapes = [], {}, [], []
    for panel, (warmth, chances, drawn, kept) in enumerate(zip(result.temperatures, result.chances, result.drawn, result.kept)):
        axis = "" if panel == 0 else str(panel + 1)
        start = panel * (share + GAP)
        said = [
            text(
                "temperature.hover" if left > 0 else "temperature.hover_cut",
                language,
                word=f"<b>{label(word, 40)}</b>",
                temperature=warmth,
                chance=percent(float(chance)),
                drawn=percent(float(left)),
            )
            for word, chance, left in zip(result.words, chances, drawn)
        ]
        traces.append(
            go.Bar(
                x=chances,
                y=list(range(count)),
                orientation="h",
                width=0.68,
                xaxis=f"x{axis}",
                marker={"color": [CHOSEN if left > 0 else GREY for left in drawn], "line": {"width": 0}},
                hovertext=said,
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
        layout[f"xaxis{axis}"] = {"domain": [start, start + share], "range": [0, 1], "showticklabels": False, "anchor": "y"} | PLAIN
        shared = {"xref": "paper", "yref": "paper", "x": start, "xanchor": "left", "showarrow": False, "y": 1, "yanchor": "bottom"}
        notes.append(shared | {"text": f"<b>T = {warmth:g}</b>", "yshift": 20, "font": {"size": 14}})
        notes.append(shared | {"text": text("temperature.kept", language, count=kept), "yshift": 2, "font": {"size": 12}})
        if kept < count:
            line = {"color": INK, "width": 1.5, "dash": "dash"}
            shapes.append(
                {"type": "line", "xref": f"x{axis}", "yref": "y", "x0": 0, "x1": 1, "y0": kept - 0.5, "y1": kept - 0.5, "line": line}
            )
    labels = [f"<b>{label(word, WORD)}</b>" if word == chosen else label(word, WORD) for word in result.words]
    return figure(
        traces,
        title=text("temperature.title", language),
        height=TITLE - 20 + HEAD + ROW * count + 12,
        margin={"l": 24 + round(8.2 * widest(result.words)), "r": 12, "t": TITLE - 20 + HEAD, "b": 12},
        yaxis={"range": [count - 0.5, -0.5], "tickvals": list(range(count)), "ticktext": labels, "tickfont": {"size": 14}} | PLAIN,
        annotations=notes,
        shapes=shapes,
        **layout,
    )
