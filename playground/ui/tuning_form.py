"""The left side of the tuning tab: what is to be learnt, in which ways, for how long."""

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from models.errors import Problem
from models.tuning import methods
from models.tuning.examples import read_task, shipped
from models.tuning.task import Task
from models.tuning.worded import reworded
from playground.service.offers import TUNE
from playground.service.runs import Plan
from playground.tabs import Page
from playground.ui.language import text
from playground.ui.method_pictures import pictures
from playground.ui.own_data import OwnData, examples_of, own_data_form
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, Picker, chosen, model_picker
from playground.ui.task_words import TaskWords, task_words_form, wire_task_words, words_of
from playground.ui.tuning_settings import Settings

OWN = "own"
FIRST = "reviews_en"
USUAL = ("cloze", "prompt", "prefix")  # ticked at first


@dataclass(frozen=True, kw_only=True)
class Form:
    """What is to be learnt, and in which ways."""

    picker: Picker
    task: gr.Dropdown
    methods: gr.CheckboxGroup
    own: OwnData
    words: TaskWords


def values(form: Form, settings: Settings) -> list[gr.components.Component]:
    """Everything in the order in which `plan_of` takes it."""
    first = [form.picker.model, form.task, form.methods]
    return [*first, *settings.values, form.words.template, form.words.words, *form.own.values]


def linked_fields(form: Form, settings: Settings) -> dict[str, gr.components.Component | Picker]:
    """What of the form a link holds, by name; one's own data and results stay at home."""
    return {"model": form.picker, "task": form.task, "methods": form.methods} | {
        one.name: getattr(settings, one.name) for one in fields(settings) if one.name != "teacher"
    }


def tuning_form(page: Page) -> Form:
    """Lay out the questions that everybody answers, and what may be changed about the task."""
    picker = model_picker(page, TUNE)
    task = gr.Dropdown(task_choices("en"), value=FIRST, label=phrase("tuning.task"))
    own = own_data_form(page)
    words = task_words_form(page, read_task(FIRST))
    ways = gr.CheckboxGroup(
        [(phrase(f"tuning.method.{name}"), name) for name in methods()],
        value=list(USUAL),
        label=phrase("tuning.methods"),
        info=phrase("tuning.methods_info"),
    )
    page.retelling.add(lambda language: gr.update(choices=task_choices(language)), [], task)
    task.change(lambda task: gr.update(visible=task == OWN), task, own.group, **QUIET)
    wire_task_words(page, words, model=picker.model, task=task, own=own.values, read=task_of)
    return Form(picker=picker, task=task, methods=ways, own=own, words=words)


def method_pictures(page: Page) -> None:
    """Lay out what each method is."""
    with gr.Accordion(phrase("tuning.pictures"), open=False):
        shown = gr.HTML(pictures("en"), js_on_load=None)
    page.retelling.add(pictures, [], shown)


def task_choices(language: str) -> list[tuple[str, str]]:
    """The sets that ship, and one's own."""
    return [*((read_task(name).title.get(language, name), name) for name in shipped()), (text("tuning.own", language), OWN)]


def task_of(name: str | None, *own: Any) -> Task:
    """The chosen task, in its own words. Problem where there is none."""
    if not name:
        raise Problem("no_task_chosen")
    return examples_of(*own).task if name == OWN else read_task(name)


def plan_of(
    model,
    task,
    ways,
    budget,
    amount,
    length,
    rank,
    rate,
    seed,
    seeds,
    place,
    start,
    start_text,
    shots,
    reading,
    head_rate,
    soup,
    adversarial,
    teacher,
    variants,
    template,
    words,
    *own: Any,
) -> Plan:
    """What the form asks for. Problem where something is missing or cannot be used."""
    if not task:
        raise Problem("no_task_chosen")
    known = list(methods())
    examples = examples_of(*own) if task == OWN else None
    pairs = words_of(words)
    reworded(examples.task if examples else read_task(task), template=template or "", words=dict(pairs))
    return Plan(
        model=chosen(model),
        methods=tuple(name for name in known if name in ways),
        task="" if task == OWN else read_task(task).name,
        examples=examples,
        budget=budget,
        amount=float(amount or 0),
        rate=float(rate) if rate else None,
        length=int(length),
        rank=int(rank),
        seed=int(seed or 0) % 2**31,
        seeds=int(seeds or 1),
        place=place,
        start=start,
        text=start_text or "",
        shots=int(shots or 0),
        template=template or "",
        words=pairs,
        reading=reading,
        head_rate=float(head_rate) if head_rate else None,
        soup=int(soup or 1),
        adversarial=float(adversarial or 0),
        teacher=teacher or "",
        variants=int(variants or 0) if teacher else 0,
    )
