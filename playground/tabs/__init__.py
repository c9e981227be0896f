"""One file a tab. Each defines `TAB`; the page finds them, so that a new tab is a new file and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gradio as gr
from gradio.events import Dependency

from playground.discovery import in_order
from playground.service.playground import Playground
from playground.ui.retelling import Retelling

if TYPE_CHECKING:
    from playground.ui.linking import Links
    from playground.ui.pickers import Picker


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a tab may use of the page it stands on."""

    playground: Playground
    language: gr.Radio  # its value is "en" or "zh"
    retelling: Retelling  # what has to be said again when the language changes
    opened: Dependency  # `.then(...)` runs once a visitor has opened the page and the language is known
    allow_hub: bool  # a visitor may type the id of a model of the hub
    links: "Links"  # what of each tab a link holds
    pickers: "list[Picker]" = field(default_factory=list)  # those laid out so far, for a tab that makes new models


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A tab: `key` names its label in the string table ("tab.<key>"), `order` its place, `build` lays it out and wires it."""

    key: str
    order: int
    build: Callable[[Page], None]


def discover() -> list[Tab]:
    """Every tab of this package, in the order of the page. ValueError where two share a key or a place."""
    return in_order(__name__, __path__, name="TAB")
