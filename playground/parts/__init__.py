"""What opens below the attention map: one file a part. Each defines `PART`; the tab finds them, so that a new part is a new file.

A part stands in an accordion that is closed at first: it computes nothing until somebody opens it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

if TYPE_CHECKING:
    from playground.tabs import Page


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a part may use of the attention tab it stands in."""

    seen: gr.State  # a `playground.ui.attention_view.Seen`, or None before the first question
    picture: gr.HTML  # the map; `.select` brings the clicked cell
    # `.select` fires when the map has changed while the part is open. (`seen.change` would not: the browser is not told of a state that an
    # unqueued handler changed.)
    moved: gr.HTML
    frame: gr.Accordion  # the part's own; `.expand` fires when it is opened
    views: list[Block]  # seen, site, head, view, measure, tokens, picture: the outputs of `playground.ui.attention_view.shown`


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part: `key` names its label in the string table ("part.<key>"), `order` its place, `build` lays it out and wires it."""

    key: str
    order: int
    build: Callable[["Page", Beside], None]


def discover() -> list[Part]:
    """Every part of this package, in the order of the page. ValueError where two share a key or a place."""
    parts = [importlib.import_module(f"{__name__}.{module.name}").PART for module in pkgutil.iter_modules(__path__)]
    for values in ([part.key for part in parts], [part.order for part in parts]):
        if len(set(values)) < len(values):
            raise ValueError(f"two parts share a key or a place: {values}")
    return sorted(parts, key=lambda part: part.order)
