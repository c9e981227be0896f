"""What opens below the attention map: one file a part. Each defines `PART`; the tab finds them, so that a new part is a new file.

A part stands in an accordion that is closed at first: it computes nothing until somebody opens it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from playground.discovery import in_order

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
    return in_order(__name__, __path__, name="PART")
