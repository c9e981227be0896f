"""Sentences to start from, in English and Chinese, one click each."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import gradio as gr
from gradio.events import Dependency

from playground.tabs import Page
from playground.ui.look import ASSETS
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET


@cache
def examples(tab: str) -> tuple[dict[str, Any], ...]:
    """The examples of one tab: a title in both languages, the languages that a model has to know, and the fields to fill."""
    return tuple(json.loads((ASSETS / "examples.json").read_text(encoding="utf-8"))[tab])


def titles(tab: str, language: str) -> list[list[str]]:
    """What the buttons say, as the samples of a `gr.Dataset`."""
    return [[example["title"][language]] for example in examples(tab)]


def example_row(page: Page, tab: str) -> gr.Dataset:
    """A row of buttons, one an example, in the language of the page."""
    row = gr.Dataset(
        label=phrase("examples.label"),
        components=[gr.Textbox(visible=False)],
        samples=titles(tab, "en"),
        type="index",
        samples_per_page=12,
        elem_classes="examples",
    )
    page.retelling.add(lambda language: gr.update(samples=titles(tab, language)), [], row)
    return row


def on_example(
    row: gr.Dataset, tab: str, fill: Callable[..., Any], inputs: Sequence[gr.components.Component], outputs: Sequence
) -> Dependency:
    """When an example is clicked, `fill(example, *inputs)` gives the values of `outputs`; `.then(...)` may run the model with them."""
    return row.click(lambda index, *values: fill(examples(tab)[index], *values), [row, *inputs], list(outputs), **QUIET)
