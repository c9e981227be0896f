"""Choose a model: only those that can do the tab's task, with what each one is and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from models.errors import Problem
from playground.service.playground import Playground
from playground.tabs import Page
from playground.ui.about import Row, about_model, download_mark, find_row
from playground.ui.language import text
from playground.ui.phrases import phrase

NOBODY = ""  # the value of the option that chooses no model
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}  # for handlers that only say things again


@dataclass(frozen=True, kw_only=True)
class Picker:
    """The dropdown with the models of one task, and the lines below it that tell about the chosen one."""

    task: str
    model: gr.Dropdown
    about: gr.HTML
    nobody: str = ""  # key of the option that chooses no model; "": one has to be chosen


def model_picker(page: Page, task: str, *, label: str = "picker.label", nobody: str = "") -> Picker:
    """Lay out the picker; `wire_picker` brings it to life. `nobody` is the key of an option for no model, and then the first choice."""
    chosen = NOBODY if nobody else default_model(page.playground, task)
    model = gr.Dropdown(
        choices(page.playground, task, "en", nobody=nobody),
        value=chosen,
        label=phrase(label),
        info=phrase("picker.hub") if page.allow_hub else None,
        allow_custom_value=page.allow_hub,
    )
    told = "" if nobody else about_model(page.playground, "en", chosen)
    about = gr.HTML(told, elem_classes="about-model", js_on_load=None)
    page.pickers.append(Picker(task=task, model=model, about=about, nobody=nobody))
    return page.pickers[-1]


def wire_picker(page: Page, picker: Picker, *, after: Sequence[Dependency] = ()) -> None:
    """Keep the picker true: at opening, at a change of model or language, and `after` events that may have fetched a model."""
    playground = page.playground

    def describe(language: str, name: str | None) -> str:
        return "" if picker.nobody and not name else about_model(playground, language, name)

    def refresh(language: str, name: str | None) -> tuple[dict, str]:
        return gr.update(choices=choices(playground, picker.task, language, nobody=picker.nobody)), describe(language, name)

    inputs = [page.language, picker.model]
    picker.model.change(describe, inputs, picker.about, **QUIET)
    page.retelling.add(refresh, picker.model, [picker.model, picker.about])
    for event in after:
        event.then(refresh, inputs, [picker.model, picker.about], **QUIET)


def kind_of(playground: Playground, name: str | None) -> str:
    """Which assembly a model is, told by what it can do: "both" translates, a "decoder" generates, an "encoder" reads pairs of texts."""
    row = find_row(playground, name)
    if row and "translate" in row["tasks"]:
        return "both"
    return "decoder" if row and "generate" in row["tasks"] else "encoder"


def rows_for(playground: Playground, task: str) -> list[Row]:
    """The models that can do `task`, in the order of the catalogue, and those of which only loading can tell."""
    return [row for row in playground.models() if task in row["tasks"] or not row["tasks"]]


def chosen(name: str | None) -> str:
    """The model that the visitor chose; Problem no_model_chosen where there is none."""
    if not name:
        raise Problem("no_model_chosen")
    return name


def default_model(playground: Playground, task: str) -> str | None:
    """The model that a tab starts with: on this machine rather than not, then the operator's own, then the catalogue's choice."""

    def rank(row: Row) -> tuple[bool, bool, bool]:
        card = playground.catalogue.find(row["name"])
        return not row["ready"], bool(card.tasks), task not in card.default_for  # only the operator's own say nothing of their tasks

    return min(rows_for(playground, task), key=rank, default={"name": None})["name"]


def starting(playground: Playground, task: str, examples: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first example in the languages of the model that the tab starts with, or the first of all."""
    row = find_row(playground, default_model(playground, task))
    return next((example for example in examples if row and _knows(row, example["languages"])), examples[0])


def choices(playground: Playground, task: str, language: str, *, nobody: str = "") -> list[tuple[str, str]]:
    """The options of the dropdown; a model that is not on this machine shows how much it would download."""
    first = [(text(nobody, language), NOBODY)] if nobody else []
    return first + [(row["name"] + download_mark(row, language), row["name"]) for row in rows_for(playground, task)]


def speaking(playground: Playground, task: str, current: str | None, languages: Sequence[str]) -> str | None:
    """The `current` model where it knows `languages` (two: from the first into the second), else one of the task that does."""
    rows = [row for row in rows_for(playground, task) if _knows(row, languages)]
    if not rows or any(row["name"] == current for row in rows):
        return current
    return next((row["name"] for row in rows if row["ready"]), rows[0]["name"])


def _knows(row: Row, languages: Sequence[str]) -> bool:
    """A pair of languages has a direction; one language has to be among those of the model. A model that lists none may know any."""
    known = list(row["languages"])
    return not known or known == list(languages) or (len(languages) == 1 and languages[0] in known and "translate" not in row["tasks"])
