"""The page: a header, one tab for each question, a footer, and the API beside it."""

from typing import Any

import gradio as gr

from playground.api import register
from playground.service.playground import Playground
from playground.tabs import Page, discover
from playground.ui.chart import PLOTLY_JS
from playground.ui.language import LANGUAGES
from playground.ui.linking import Links, again
from playground.ui.phrases import Labelled, labelled, phrase
from playground.ui.pickers import QUIET
from playground.ui.retelling import Retelling, Updates
from playground.ui.share import share_panel, wire_sharing

TITLE = "Transformer Playground"


def build_page(playground: Playground, *, allow_hub: bool = False) -> gr.Blocks:
    """The whole page around a service. `allow_hub`: visitors may type the id of a model of the hub (never a path)."""
    gr.set_static_paths([PLOTLY_JS])
    with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
        with gr.Row(elem_classes="page-head"):
            gr.Markdown(phrase("page.head"), elem_classes="page-title")
            language = gr.Radio(
                [("English", "en"), ("中文", "zh")],
                value="en",
                label="Language · 语言",
                show_label=False,
                container=False,
                scale=0,
                min_width=180,
                elem_id="language",
                elem_classes="language-switch",
            )
            share = gr.Button(phrase("share.button"), size="sm", scale=0, min_width=90, elem_id="share")
        found = discover()
        links = Links(playground, [tab.key for tab in found])
        remembered = "() => [window.playground.remember(window.playground.language()), window.playground.given()]"
        opened = blocks.load(_known, [language, links.given], [language, links.given], js=remembered, **QUIET)
        page = Page(playground=playground, language=language, retelling=Retelling(), opened=opened, allow_hub=allow_hub, links=links)
        page.retelling.add(again, links.door, links.door)
        sharing = share_panel(page)
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            for tab in found:
                with gr.Tab(phrase(f"tab.{tab.key}"), id=tab.key, elem_id=f"tab-{tab.key}"):
                    tab.build(page)
        gr.Markdown(phrase("page.foot"), elem_classes="page-foot")
        register(playground)
        wire_sharing(page, share, sharing)
        _wire_language(page, tabs, labelled(blocks))
    _spare(blocks, links.given)
    return blocks


def _spare(blocks: gr.Blocks, nobody: gr.Textbox) -> None:
    """Let the browser tell `nobody` about the progress of events that show none.

    Gradio tells each component that an event may change how far the event is, and keeps a list: from then on every component on it is told
    about every other event too, several times. At opening all labels may change, so that each click would redraw hundreds of components.
    """
    for function in blocks.fns.values():
        if function.show_progress == "hidden":
            function.show_progress_on = [nobody]


def _known(language: str, given: str | None) -> tuple[str, str]:
    """The browser has chosen the language and read the address; what follows has to know them."""
    return language if language in LANGUAGES else "en", given or ""


def _wire_language(page: Page, tabs: gr.Tabs, labels: list[Labelled]) -> None:
    """Say everything in the visitor's language: at opening what is not in English already, and at a change all of it.

    What a link brings is filled in at the same moment, so that everything said about it is true.
    """

    def open_(language: str, given: str) -> Updates:
        after = page.links.open(given, language, tabs)
        return page.retelling.all(language, page.retelling.untouched(), labels if language != "en" else (), after=after)

    def jump(language: str, given: str, *values: Any) -> Updates:
        return page.retelling.all(language, values, (), after=page.links.open(given, language, tabs), parts=False) or gr.skip()

    def change(language: str, *values: Any) -> Updates:
        return page.retelling.all(language, values, labels, lines=True)

    inputs = [page.language, *page.retelling.inputs]
    outputs = list(dict.fromkeys([*(item.block for item in labels), *page.retelling.outputs]))
    opening = [page.language, page.links.given]  # nobody has touched the rest, and of what is asked for Gradio keeps a list as well
    openable = list(dict.fromkeys([*outputs, tabs, *page.links.outputs]))
    given = "(language, given, ...rest) => [language, window.playground.given(), ...rest]"
    following = page.links.door.select(jump, [*opening, *page.retelling.inputs], openable, js=given, **QUIET)
    for moment in (page.opened.then(open_, opening, openable, **QUIET), following):
        # Through the queue: the browser hears of changed states from queued events only.
        asked = {
            "js": "() => [window.playground.given()]",
            "concurrency_limit": None,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        moment.then(page.links.ask, page.links.given, page.links.dues, **asked)
    page.language.input(change, inputs, outputs, **QUIET)
    page.language.input(None, page.language, None, js="window.playground.remember")
