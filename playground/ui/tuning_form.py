"""The left side of the tuning tab: what is to be learnt, in which ways, for how long."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from models.errors import Problem
from models.tuning import methods
from models.tuning.examples import read_task, shipped
from playground.service.offers import TUNE
from playground.service.runs import MOST_STEPS, Plan
from playground.tabs import Page
from playground.ui.language import text
from playground.ui.method_pictures import pictures
from playground.ui.own_data import OwnData, examples_of, own_data_form
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, Picker, chosen, model_picker

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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """For how long, and how."""

    budget: gr.Radio
    amount: gr.Number
    length: gr.Slider
    rank: gr.Slider
    rate: gr.Number
    seed: gr.Number
    seeds: gr.Radio


def values(form: Form, settings: Settings) -> list[gr.components.Component]:
    """Everything in the order in which `plan_of` takes it."""
    first = [form.picker.model, form.task, form.methods]
    return [
        *first,
        settings.budget,
        settings.amount,
        settings.length,
        settings.rank,
        settings.rate,
        settings.seed,
        settings.seeds,
        *form.own.values,
    ]


def tuning_form(page: Page) -> Form:
    """Lay out the questions that everybody answers."""
    picker = model_picker(page, TUNE)
    task = gr.Dropdown(task_choices("en"), value=FIRST, label=phrase("tuning.task"))
    own = own_data_form(page)
    ways = gr.CheckboxGroup(
        [(phrase(f"tuning.method.{name}"), name) for name in methods()],
        value=list(USUAL),
        label=phrase("tuning.methods"),
        info=phrase("tuning.methods_info"),
    )
    page.retelling.add(lambda language: gr.update(choices=task_choices(language)), [], task)
    task.change(lambda task: gr.update(visible=task == OWN), task, own.group, **QUIET)
    return Form(picker=picker, task=task, methods=ways, own=own)


def settings_form() -> Settings:
    """Lay out what may stay as it is."""
    with gr.Accordion(phrase("tuning.settings"), open=False):
        budgets = [(phrase(f"tuning.budget_{name}"), name) for name in ("steps", "epochs", "seconds")]
        budget = gr.Radio(budgets, value="steps", label=phrase("tuning.budget"))
        amount = gr.Number(100, minimum=1, maximum=MOST_STEPS, label=phrase("tuning.amount"))
        length = gr.Slider(1, 64, 16, step=1, label=phrase("tuning.length"))
        rank = gr.Slider(1, 32, 8, step=1, label=phrase("tuning.rank"))
        rate = gr.Number(0, minimum=0, maximum=10, step=1e-4, label=phrase("tuning.rate"), info=phrase("tuning.rate_info"))
        seed = gr.Number(1, minimum=0, precision=0, label=phrase("tuning.seed"))
        seeds = gr.Radio([1, 2, 3], value=1, label=phrase("tuning.seeds"), info=phrase("tuning.seeds_info"))
    return Settings(budget=budget, amount=amount, length=length, rank=rank, rate=rate, seed=seed, seeds=seeds)


def method_pictures(page: Page) -> None:
    """Lay out what each method is."""
    with gr.Accordion(phrase("tuning.pictures"), open=False):
        shown = gr.HTML(pictures("en"), js_on_load=None)
    page.retelling.add(pictures, [], shown)


def task_choices(language: str) -> list[tuple[str, str]]:
    """The sets that ship, and one's own."""
    return [*((read_task(name).title.get(language, name), name) for name in shipped()), (text("tuning.own", language), OWN)]


def plan_of(model, task, ways, budget, amount, length, rank, rate, seed, seeds, *own: Any) -> Plan:
    """What the form asks for. Problem where something is missing or cannot be used."""
    if not task:
        raise Problem("no_task_chosen")
    known = list(methods())
    return Plan(
        model=chosen(model),
        methods=tuple(name for name in known if name in ways),
        task="" if task == OWN else read_task(task).name,
        examples=examples_of(*own) if task == OWN else None,
        budget=budget,
        amount=float(amount or 0),
        rate=float(rate) if rate else None,
        length=int(length),
        rank=int(rank),
        seed=int(seed or 0) % 2**31,
        seeds=int(seeds or 1),
    )
