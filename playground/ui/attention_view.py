"""What the attention tab shows: a question, and the view of its answer that somebody chose."""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
import plotly.graph_objects as go

from models.errors import Problem
from playground.figures.grid import grid_of_heads, grid_of_layers, grid_of_model
from playground.figures.heatmap import heatmap
from playground.figures.lines import lines
from playground.service.playground import Playground
from playground.tasks import attend, attribute
from playground.tasks.measures import DEEPER, MAX, MEAN, maps, over_heads, rollout_sites
from playground.tasks.words import merged
from playground.ui.chart import cells_of, drawn
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.reading import visible

VIEWS = ("one", "lines", "heads", "layers", "model")  # one head, as map or lines; every head of the layer; every layer; all of both
OVER_HEADS = {"heads": "one", "model": "layers"}  # the views instead of those of single heads, for a measure that has none
TOKENS = ("whole", "hide")  # what may be done to tokens: put together to words, special ones left out


class Seen(NamedTuple):
    """What the figure shows: a question, and the view of its answer."""

    model: str
    request: attend.Request
    site: str | None
    head: int  # -1: the mean of all, -2: the largest
    view: str
    measure: str = "weights"  # one of `playground.tasks.measures.MEASURES`
    whole: bool = False  # whole words instead of tokens
    hide: bool = False  # no special tokens

    @property
    def tokens(self) -> list[str]:
        """Those of `TOKENS` that are chosen."""
        return [name for name in TOKENS if getattr(self, name)]


def hint_of(example: dict[str, Any], model: str | None) -> dict[str, Any] | None:
    """Where an example is best seen and what to look at; None with another model, whose layers and heads do other things."""
    place = example.get("show", {}).get(model)
    return place and place | {"model": model, "text": example["text"], "look": example["look"]}


def deeper(playground: Playground, seen: Seen) -> attribute.Result | None:
    """What the measure needs besides the weights; None where it needs nothing."""
    return playground.ask(seen.model, attribute.NAME, seen.request) if seen.measure in DEEPER else None


def shown(
    seen: Seen, result: attend.Result, language: str, more: attribute.Result | None = None
) -> tuple[Seen, dict, dict, dict, dict, dict, dict[str, Any]]:
    """A view that this result has, the choices of layer, head, view, measure and tokens, and the figure.

    `more` is what `deeper` found; without it a measure that needs it gives way to the weights.
    """
    if seen.measure in DEEPER and more is None:
        seen = seen._replace(measure="weights")
    overall = seen.measure == "rollout"
    there = sites_of(result, seen)
    site = seen.site if seen.site in there else there[-1]
    head = seen.head if MAX <= seen.head < result.heads(site) else MEAN
    seen = seen._replace(site=site, head=head, view=OVER_HEADS.get(seen.view, seen.view) if overall else seen.view)
    single = seen.view in ("one", "lines")
    sites = [(site_name(name, language), name) for name in there]
    heads = [(head_name(number, language), number) for number in (MEAN, MAX, *range(result.heads(site)))]
    return (
        seen,
        gr.update(choices=sites, value=site, interactive=single or seen.view == "heads"),
        gr.update(choices=heads, value=head, interactive=single and not overall),
        gr.update(value=seen.view, interactive=True),
        gr.update(value=seen.measure, interactive=True),
        gr.update(value=seen.tokens, interactive=True),
        picture_of(seen, result, language, more),
    )


def sites_of(result: attend.Result, seen: Seen) -> tuple[str, ...]:
    """The sites at which there is what the view measures."""
    return rollout_sites(result) if seen.measure == "rollout" else result.sites


def picture_of(seen: Seen, result: attend.Result, language: str, more: attribute.Result | None = None) -> dict[str, Any]:
    """The figure of a view as the value of a chart; `seen` has to be one that `result` has."""
    name = what(seen, language)
    description = text("attention.description", language, site=site_name(seen.site, language), head=name)
    weights, words = numbers(result, seen, more)
    if seen.view != "lines":
        cells = cells_of(*words(seen.site), language) if seen.view == "one" else None
        return drawn(pictured(result, seen, language, weights, words), description, cells=cells)
    data = lines(
        over_heads(weights(seen.site), seen.head),
        *words(seen.site),
        title=site_name(seen.site, language),
        subtitle=name,
        language=language,
    )
    return {"lines": json.dumps(data), "description": visible(description)}  # a string, as in `drawn`


Words = tuple[tuple[str, ...], tuple[str, ...]]


def numbers(
    result: attend.Result, seen: Seen, more: attribute.Result | None = None
) -> tuple[Callable[[str], np.ndarray], Callable[[str], Words]]:
    """Two functions of a site: its maps as they are shown, (H, rows, columns), and the words of rows and columns."""
    found = maps(result, seen.measure, more)
    sides = cache(partial(result.sides, whole=seen.whole, hide=seen.hide))

    def weights(site: str) -> np.ndarray:
        one = seen.view in ("one", "lines") and seen.measure == "weights" and seen.head >= 0
        heads = result.weights(site, seen.head)[None] if one else found(site)  # the others need not be worked out
        return merged(heads, *sides(site))

    def words(site: str) -> Words:
        rows, columns = sides(site)
        return rows.words, columns.words

    return weights, words


def pictured(
    result: attend.Result, seen: Seen, language: str, weights: Callable[[str], np.ndarray], words: Callable[[str], Words]
) -> go.Figure:
    """The figure of one view of a result, which has these `numbers`."""
    site, view = seen.site, seen.view
    # Words are counted where tokens were; a window of tokens hides none of them as a whole.
    common = {"language": language, "window": None if seen.whole else result.window}
    causal, marks = site in result.causal, notes(seen, language)
    if view == "one":
        said = {"subtitle": what(seen, language), "said": hover(seen, language)}
        return heatmap(over_heads(weights(site), seen.head), *words(site), site=site, head=seen.head, causal=causal, **said, **common)
    if view == "heads":
        name = listed([text("grid.heads", language, heads=result.heads(site)), *marks], language)
        return grid_of_heads(weights(site), *words(site), site=site, causal=causal, subtitle=name, **common)
    if view == "layers":
        head = min(seen.head, MEAN)
        sites = sites_of(result, seen)
        name = what(seen._replace(head=head), language)
        return grid_of_layers(
            sites, lambda site: over_heads(weights(site), head), words, causal=result.causal, subtitle=name, **common
        )  # fmt: skip
    if len({result.heads(name) for name in result.sites}) > 1:
        raise Problem("uneven_heads")
    name = listed([text("grid.model_note", language), *marks], language)
    return grid_of_model(result.sites, weights, words, causal=result.causal, subtitle=name, **common)


def what(seen: Seen, language: str) -> str:
    """What a map shows: the head, and what was done to weights and words."""
    first = [] if seen.measure == "rollout" else [head_name(seen.head, language)]
    return listed([*first, *notes(seen, language)], language)


def notes(seen: Seen, language: str) -> list[str]:
    """What was done to the weights and to the words, where anything was."""
    measure = [text(f"measure.{seen.measure}", language)] if seen.measure != "weights" else []
    return measure + [text(f"tokens.{name}", language) for name in seen.tokens]


def listed(parts: list[str], language: str) -> str:
    return text("list.dot", language).join(parts)


def hover(seen: Seen, language: str) -> str:
    """What is said about one cell, and what its number is made of."""
    first = text(f"measure.hover.{seen.measure}", language, query="<b>%{y}</b>", key="<b>%{x}</b>", weight="{weight}")
    return "<br>".join([first, *(text(f"tokens.hover.{name}", language) for name in seen.tokens)])


def tokens_at(result: attend.Result, seen: Seen, row: int, column: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The tokens behind a cell of the map: several where a word has several pieces."""
    rows, columns = result.sides(seen.site, whole=seen.whole, hide=seen.hide)
    return rows.members[row], columns.members[column]


def tile(result: attend.Result, seen: Seen, place: int) -> tuple[str, int]:
    """Which site and head a tile of a view shows; `place` is what a click on it brings."""
    if seen.view == "heads":
        return seen.site, place
    if seen.view == "layers":
        return sites_of(result, seen)[place], min(seen.head, MEAN)
    heads = result.heads(result.sites[0])
    return result.sites[place // heads], place % heads
