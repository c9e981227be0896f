"""Who has a view to share: each tab says once which fields make its view, and one handler opens a link.

In a tab: `linked = page.links.add(KEY, {"model": picker, "text": words})`. `linked` is one more moment, like a button's `click`: it comes
when a link has filled the fields and the question should be asked.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.layouts.form import Form

from models.errors import Problem
from playground.service.long_links import LongLinks
from playground.service.playground import Playground
from playground.ui.about import find_row
from playground.ui.language import text
from playground.ui.link_fields import check
from playground.ui.links import State, decode, link_state
from playground.ui.notice import refusal, remark
from playground.ui.pickers import Picker
from playground.ui.retelling import Updates
from playground.ui.wording import escape_html, sentence

KEPT = "1f."  # what stands before the name of a view that the server keeps
LOCKED = re.compile(r'data-lock="([a-z ]*)"')
TAB = "?tab="  # an address may also name a tab and nothing else


@dataclass(frozen=True)
class Shown:
    """What a tab shows beyond its fields: a state of the page, what of it goes into a link, and a state made from that again."""

    state: gr.State
    tell: Callable[[Any], Mapping[str, Any]]
    hear: Callable[[Mapping[str, Any]], Any]  # Problem link_field where it cannot


@dataclass(frozen=True)
class Linked:
    """One tab's fields by name; `due` is set, to (a number, what `hear` made of the values), when a link's question should be asked."""

    fields: dict[str, Component | Picker]
    shown: Shown | None
    due: gr.State

    def blocks(self) -> dict[str, Component]:
        """The components themselves."""
        return {name: field.model if isinstance(field, Picker) else field for name, field in self.fields.items()}


class Links:
    """The tabs that can be linked to. Made inside the page's Blocks, filled while the tabs are built."""

    def __init__(self, playground: Playground, tabs: Collection[str]):
        """`tabs`: the keys of all tabs."""
        self.playground, self._tabs = playground, frozenset(tabs)
        self.kept = LongLinks(playground.shelf.folder.with_name("links"))
        self._linked: dict[str, Linked] = {}
        # Not inside the tabs: of a state in a tab that nobody has seen yet the browser says that it has changed when it has not.
        self._due = {key: gr.State(None) for key in sorted(self._tabs)}
        self.given = gr.Textbox(visible=False)  # what came behind the # of the address
        self.door = gr.HTML(
            "",
            html_template='<div aria-live="polite">${value}</div>',
            js_on_load="window.playground.door(element, props, watch, () => trigger('select', {}))",
            elem_classes="notice-line",
            elem_id="link-door",
        )  # says what a link brought; `.select` comes when the address of the open page changes

    def add(
        self, key: str, fields: Mapping[str, Component | Picker], *, options: Collection[Component] = (), shown: Shown | None = None
    ) -> Callable:
        """The view of the tab `key` is made of `fields` (and `shown`); returns the moment at which its question should be asked.

        A teacher's link may fix or hide all that is no text, and `options` besides.
        """
        linked = Linked(dict(fields), shown, self._due[key])
        self._linked[key] = linked
        for block in [*linked.blocks().values(), *options]:
            if not isinstance(block, gr.Textbox):
                mark(block, "option")
                holder = block.parent.parent if isinstance(block.parent, Form) else block.parent
                if isinstance(holder, gr.Accordion):
                    mark(holder, "settings")
        return linked.due.change

    def due(self, key: str) -> gr.State:
        """The state that holds (a number, what `hear` made of the link) when the moment comes."""
        return self._linked[key].due

    @property
    def inputs(self) -> list[Block]:
        """What `state` has to be given, in this order."""
        found = [block for linked in self._linked.values() for block in linked.blocks().values()]
        return list(dict.fromkeys([*found, *(linked.shown.state for linked in self._linked.values() if linked.shown)]))

    @property
    def outputs(self) -> list[Block]:
        """What `open` may change, apart from the tabs."""
        fields = [block for linked in self._linked.values() for block in linked.blocks().values()]
        return list(dict.fromkeys([self.door, *fields]))

    @property
    def dues(self) -> list[gr.State]:
        """What `ask` may set."""
        return [linked.due for linked in self._linked.values()]

    def state(self, tab: str, given: Mapping[Block, Any], lock: tuple[str, ...] = ()) -> State:
        """The view of a tab as a link holds it: what it shows where it has asked already, else what stands in its fields."""
        linked = self._linked.get(tab)
        if linked is None:
            return link_state(tab, lock=lock)
        values = {name: usual(block) if given[block] is None else given[block] for name, block in linked.blocks().items()}
        if linked.shown and given[linked.shown.state] is not None:
            values |= linked.shown.tell(given[linked.shown.state])
        return link_state(tab, lock=lock, **values)

    def read(self, given: str) -> tuple[State, Any]:
        """The state of a link with every value checked, and what its tab wants to know beyond the fields. Problem where it cannot be."""
        if given.startswith(TAB):
            state = link_state(given.removeprefix(TAB)) | {"lock": []}
        else:
            state = decode(self.kept.get(given.removeprefix(KEPT)) if given.startswith(KEPT) else given)
        tab, values = state["tab"], state["values"]
        if tab not in self._tabs:
            raise Problem("link_tab", tab=tab)
        linked = self._linked.get(tab)
        if linked is None or not values:
            return state | {"values": {}}, None
        for name, field in linked.fields.items():
            if name in values:
                check(self.playground, name, field, values[name])
        complete = {name: usual(block) for name, block in linked.blocks().items()} | values
        return state | {"values": complete}, linked.shown.hear(complete) if linked.shown else None

    def asks(self, given: str | None) -> str | None:
        """The tab whose question a link asks; None where it asks none, or cannot be opened."""
        try:
            state, _ = self.read(given) if given else (None, None)
        except Problem:
            return None
        return state["tab"] if state and state["values"] else None

    def open(self, given: str | None, language: str, tabs: gr.Tabs) -> Updates:
        """What has to change so that the page shows the view of a link; one sentence where that cannot be."""
        if not given:
            return {}
        try:
            state, _ = self.read(given)
        except Problem as problem:
            return {self.door: refusal(sentence(problem, language))}
        tab, values = state["tab"], state["values"]
        updates: Updates = {self.door: teachers_line(state["lock"], language), tabs: gr.update(selected=tab)}
        if not values:
            return updates
        linked = self._linked[tab]
        for name, block in linked.blocks().items():
            updates[block] = gr.update(value=values[name])
        if not self._ready(values):
            updates[self.door] += remark(text("attention.fetch_first", language))
        return updates

    def ask(self, given: str | None) -> dict:
        """Let the moment come for the tab of a link that `open` has opened, if its model is on this machine."""
        tab = self.asks(given)
        if tab not in self._linked:
            return gr.skip()
        state, heard = self.read(given)
        return {self._linked[tab].due: (time.monotonic_ns(), heard)} if self._ready(state["values"]) else gr.skip()

    def _ready(self, values: Mapping[str, Any]) -> bool:
        """Whether asking needs no download that nobody has asked for."""
        model = find_row(self.playground, values.get("model"))
        return model is None or model["ready"]


def mark(block: Block, name: str) -> None:
    """Give a component one more class, once."""
    block.elem_classes = list(dict.fromkeys([*(block.elem_classes or []), name]))


def usual(block: Component) -> Any:
    """What stands in a field before anybody touches it."""
    return "" if isinstance(block, gr.Textbox) and block.value is None else block.value


def again(language: str, said: str | None) -> str:
    """The line about a teacher in another language; what else was said is forgotten, as it was in the other one."""
    found = LOCKED.search(said or "")
    return teachers_line(found[1].split(), language) if found else ""


def teachers_line(lock: list[str], language: str) -> str:
    """That a teacher has prepared the view, and how to leave it; empty where nothing is locked."""
    if not lock:
        return ""
    said, leave = escape_html(text("link.prepared", language)), escape_html(text("link.leave", language))
    return f'<p class="notice" data-lock="{" ".join(lock)}">{said} <button type="button" class="leave">{leave}</button></p>'
