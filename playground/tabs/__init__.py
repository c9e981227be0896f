"""One file a tab. Each defines `TAB`; the page finds them, so that a new tab is a new file and nothing else."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gradio as gr
from gradio.events import Dependency

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
    tabs = [importlib.import_module(f"{__name__}.{module.name}").TAB for module in pkgutil.iter_modules(__path__)]
    for values in ([tab.key for tab in tabs], [tab.order for tab in tabs]):
        if len(set(values)) < len(values):
            raise ValueError(f"two tabs share a key or a place: {values}")
    return sorted(tabs, key=lambda tab: tab.order)
