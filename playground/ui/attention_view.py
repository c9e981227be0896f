"""What the attention tab shows: a question, and the view of its answer that somebody chose."""

from typing import Any, NamedTuple

import gradio as gr
import plotly.graph_objects as go

from models.errors import Problem
from playground.figures.grid import grid_of_heads, grid_of_layers, grid_of_model
from playground.figures.heatmap import heatmap
from playground.tasks import attend
from playground.ui.chart import cells_of, drawn
from playground.ui.language import text
from playground.ui.naming import head_name, site_name

VIEWS = ("one", "heads", "layers", "model")  # one head; every head of the layer; every layer; every head of every layer


class Seen(NamedTuple):
    """What the figure shows: a question, and the view of its answer."""

    model: str
    request: attend.Request
    site: str | None
    head: int
    view: str


def hint_of(example: dict[str, Any], model: str | None) -> dict[str, Any] | None:
    """Where an example is best seen and what to look at; None with another model, whose layers and heads do other things."""
    place = example.get("show", {}).get(model)
    return place and place | {"model": model, "text": example["text"], "look": example["look"]}


def shown(seen: Seen, result: attend.Result, language: str) -> tuple[Seen, dict, dict, dict, dict[str, str]]:
    """A view that this result has, the choices of layer, head and view, and the figure."""
    site = seen.site if seen.site in result.sites else result.sites[-1]
    head = seen.head if seen.head < result.heads(site) else -1
    seen = seen._replace(site=site, head=head)
    sites = [(site_name(name, language), name) for name in result.sites]
    heads = [(head_name(number, language), number) for number in range(-1, result.heads(site))]
    description = text("attention.description", language, site=site_name(site, language), head=head_name(head, language))
    cells = cells_of(*result.words_at(site), language) if seen.view == "one" else None
    return (
        seen,
        gr.update(choices=sites, value=site, interactive=seen.view in ("one", "heads")),
        gr.update(choices=heads, value=head, interactive=seen.view == "one"),
        gr.update(value=seen.view, interactive=True),
        drawn(pictured(result, site, head, seen.view, language), description, cells=cells),
    )


def pictured(result: attend.Result, site: str, head: int, view: str, language: str) -> go.Figure:
    """The figure of one view of a result."""
    common = {"language": language, "window": result.window}
    if view == "one":
        return heatmap(result.weights(site, head), *result.words_at(site), site=site, head=head, causal=site in result.causal, **common)
    if view == "heads":
        return grid_of_heads(result.all_weights(site), *result.words_at(site), site=site, causal=site in result.causal, **common)
    if view == "layers":
        return grid_of_layers(result.sites, result.weights, result.words_at, causal=result.causal, **common)
    if len({result.heads(name) for name in result.sites}) > 1:
        raise Problem("uneven_heads")
    return grid_of_model(result.sites, result.all_weights, result.words_at, causal=result.causal, **common)


def tile(result: attend.Result, site: str, view: str, place: int) -> tuple[str, int]:
    """Which site and head a tile of a view shows; `place` is what a click on it brings."""
    if view == "heads":
        return site, place
    if view == "layers":
        return result.sites[place], -1
    heads = result.heads(result.sites[0])
    return result.sites[place // heads], place % heads
