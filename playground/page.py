"""The page: a header, one tab for each question, a footer, and the API beside it."""

from typing import Any

import gradio as gr

from playground.api import register
from playground.service.playground import Playground
from playground.tabs import Page, discover
from playground.ui.chart import PLOTLY_JS
from playground.ui.language import LANGUAGES
from playground.ui.phrases import Labelled, labelled, phrase
from playground.ui.pickers import QUIET
from playground.ui.retelling import Retelling, Updates

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
        remembered = "() => [window.playground.remember(window.playground.language())]"
        opened = blocks.load(_known, language, language, js=remembered, **QUIET)
        page = Page(playground=playground, language=language, retelling=Retelling(), opened=opened, allow_hub=allow_hub)
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            for tab in discover():
                with gr.Tab(phrase(f"tab.{tab.key}"), id=tab.key, elem_id=f"tab-{tab.key}"):
                    tab.build(page)
        gr.Markdown(phrase("page.foot"), elem_classes="page-foot")
        register(playground)
        _wire_language(page, labelled(blocks))
    return blocks


def _known(language: str) -> str:
    """The browser has chosen the language; what follows has to know it."""
    return language if language in LANGUAGES else "en"


def _wire_language(page: Page, labels: list[Labelled]) -> None:
    """Say everything in the visitor's language: at opening what is not in English already, and at a change all of it."""

    def open_(language: str, *values: Any) -> Updates:
        return page.retelling.all(language, values, labels if language != "en" else ())

    def change(language: str, *values: Any) -> Updates:
        return page.retelling.all(language, values, labels)

    inputs = [page.language, *page.retelling.inputs]
    outputs = list(dict.fromkeys([*(item.block for item in labels), *page.retelling.outputs]))
    page.opened.then(open_, inputs, outputs, **QUIET)
    page.language.input(change, inputs, outputs, **QUIET)
    page.language.input(None, page.language, None, js="window.playground.remember")
