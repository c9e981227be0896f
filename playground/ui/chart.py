"""Shows a plotly figure in the page: in the colours of the theme, without jumping, clickable.

`gr.Plot` rebuilds the whole figure at every change, ignores dark mode and has no click event; this draws with the same library in
a `gr.HTML`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from playground.ui.language import table
from playground.ui.parcels import LARGE, PARCELS
from playground.ui.reading import isolate, readable, visible

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def chart(*, height: int = 420, elem_id: str | None = None) -> gr.HTML:
    """An empty place for a figure, `height` pixels until there is one.

    `.select` brings the clicked point as `x`, `y`, `curve` and `text` in the event's data.
    """
    return gr.HTML(
        None,
        html_template='<div class="chart"></div><details class="chart-menu"></details>',
        js_on_load="window.playground.chart(element, props, watch, (point) => trigger('select', point)); window.playground.menu(element)",
        css_template=f".chart {{ min-height: {height}px; }}",
        elem_classes="chart-frame",
        elem_id=elem_id,
        apply_default_css=False,
    )


def drawn(figure: go.Figure, description: str, *, cells: dict[str, Any] | None = None) -> dict[str, Any]:
    """A figure as the value of a chart; `description` is what a screen reader says. `cells`: see `cells_of`, for a map to walk on.

    Figure and cells are strings of JSON: of a list Gradio's page would watch every element, and a map may have a thousand words. What is
    large is fetched apart, as one JSON of both, and `parcel` is its name.
    """
    told = figure.to_dict()
    told["layout"].pop("template", None)
    text, said = to_json_plotly(told), json.dumps(cells)
    if len(text) + len(said) > LARGE:
        return {"parcel": PARCELS.keep(f'{{"figure": {text}, "cells": {said}}}'), "description": visible(description)}
    return {"figure": text, "description": visible(description)} | ({"cells": said} if cells else {})


def cells_of(rows: Sequence[str], columns: Sequence[str], language: str) -> dict[str, Any]:
    """What is said of the cells of a map of one head, for the keyboard and for screen readers."""
    said = {name: table()[f"heatmap.{name}"][language] for name in ("pair", "hidden", "help", "strongest")}
    return {"rows": [isolate(readable(word)) for word in rows], "columns": [isolate(readable(word)) for word in columns]} | said


def follower(chart_id: str) -> gr.HTML:
    """Nothing to be seen; its `.select` fires after the chart of that id drew another figure, while the follower is on the screen.

    A `.change` of the chart would ask the server for every part of the page that is closed, before the chart is drawn.
    """
    return gr.HTML(
        "",
        html_template='<span class="follower"></span>',
        js_on_load=f"window.playground.follow(element, '#{chart_id}', () => trigger('select', {{}}))",
        apply_default_css=False,
    )
