"""Tuning: one model learns one task in several ways, while one watches."""

import re
import secrets

import gradio as gr

from models.errors import Problem
from models.tuning.examples import read_task
from playground.figures.curves import curves
from playground.service.offers import TUNE
from playground.service.runs import Look
from playground.tabs import Page, Tab
from playground.ui.chart import chart, drawn
from playground.ui.examples import example_row, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, speaking, wire_picker
from playground.ui.tuning_form import linked_fields, method_pictures, plan_of, tuning_form, values
from playground.ui.tuning_results import choices, offered, results_part, teachers
from playground.ui.tuning_settings import settings_form
from playground.ui.tuning_words import comparison, method_name, status

KEY = "tuning"
REFRESH_SECONDS = 0.2
VISITOR = re.compile(r"[\w-]{16,64}")
# Gradio's own store of the browser is read when its tab is first seen, which may be long after the page opened.
STORED = "(language) => [language, window.playground.visitor()]"


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, runs = page.playground, page.playground.runs

    # Layout
    gr.Markdown(phrase("tuning.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    visitor, shown_last = gr.Textbox(visible=False), gr.State(None)
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            form = tuning_form(page)
            start = gr.Button(phrase("tuning.start"), variant="primary")
            with gr.Row():
                pause = gr.Button(phrase("tuning.pause"), min_width=80, interactive=False)
                resume = gr.Button(phrase("tuning.resume"), min_width=80, visible=False)
                one = gr.Button(phrase("tuning.one_step"), min_width=80, interactive=False)
                stop = gr.Button(phrase("stop.label"), min_width=80, interactive=False)
            notice = notice_line(page)
            settings = settings_form()
        with gr.Column(scale=8, min_width=320):
            said = gr.HTML("", js_on_load=None, elem_classes="notice-line", elem_id="tuning-status")
            axes = [(phrase(f"tuning.axis_{name}"), name) for name in ("step", "seconds")]
            axis = gr.Radio(axes, value="step", label=phrase("tuning.axis"), show_label=False, container=False)
            picture = chart(height=430, elem_id="tuning-chart")
            table = gr.HTML(comparison((), "en"), js_on_load=None, elem_id="tuning-table")
    method_pictures(page)
    results = results_part(page, visitor, settings.teacher)

    # Handlers: they start and stop; what is to be seen comes from `look` alone, which only reads.
    @guarded(notice)
    def begin(language, visitor, *asked):
        playground.tune(known(visitor), plan_of(*asked))
        return "", gr.Timer(active=True), None

    @guarded(notice)
    def tell(language, visitor, deed):
        deed(known(visitor))
        return "", gr.Timer(active=True)

    @guarded(notice)
    def look(language, visitor, axis, seen):
        found = runs.look(known(visitor))
        if found is None or found.version == seen:
            return gr.skip()
        return shown(found, language, axis) | buttons(found) | finished(found, language, visitor, seen) | {shown_last: found.version}

    @guarded(notice)
    def redraw(language, visitor, axis):
        found = runs.look(known(visitor))
        return gr.skip() if found is None else shown(found, language, axis)

    def shown(found, language, axis):
        return {said: status(found, language), picture: pictured(found, axis, language), table: comparison(found.outcomes, language)}

    def buttons(found):
        going = not found.over
        return {
            start: gr.update(interactive=not going),
            pause: gr.update(interactive=going, visible=not (going and found.held)),
            resume: gr.update(visible=going and found.held),
            one: gr.update(interactive=going),
            stop: gr.update(interactive=going),
            timer: gr.Timer(active=going),
        }

    def finished(found, language, visitor, seen):
        """When another method has come to its end: the list of results, and the models that every tab offers."""
        ended = [outcome.kept.name for outcome in found.outcomes if outcome.kept and outcome.kept.name]
        listed = choices(playground.shelf, visitor, language)
        there = [name for name in ended if name in {name for _, name in listed}]
        if not there or (seen and seen[-1] == found.version[-1] and not found.over):
            return {}
        best = max(there, key=lambda name: playground.shelf.get(name).test or 0)
        return offered(page, language) | {
            results.result: gr.update(choices=listed, value=best) if found.over else gr.update(choices=listed),
            settings.teacher: gr.update(choices=teachers(playground.shelf, visitor, language)),
        }

    def arrive(language, key):
        """Whoever comes back finds their run and their results."""
        key = key if isinstance(key, str) and VISITOR.fullmatch(key) else secrets.token_urlsafe(24)
        listed = (gr.update(choices=offer(playground.shelf, key, language)) for offer in (choices, teachers))
        return key, gr.Timer(active=runs.look(key) is not None), *listed

    def choose(example, language, model):
        fields = [example[name] for name in ("task", "methods", "budget", "amount", "rate")]
        kind = "generate" if read_task(example["task"]).kind == "rewrite" else TUNE  # texts need a model that writes
        return speaking(playground, kind, model, example["languages"]), *fields, remark(example["look"][language])

    def again(language, visitor, axis):
        found = runs.look(visitor) if visitor else None
        if found is None:
            return {table: comparison((), language)}
        return shown(found, language, axis)

    # Wiring
    outputs = [
        shown_last,
        said,
        picture,
        table,
        start,
        pause,
        resume,
        one,
        stop,
        timer,
        results.result,
        settings.teacher,
        notice,
        *(picker.model for picker in page.pickers),
    ]
    page.opened.then(arrive, [page.language, visitor], [visitor, timer, results.result, settings.teacher], js=STORED, **QUIET)
    start.click(begin, [page.language, visitor, *values(form, settings)], [notice, timer, shown_last], **QUIET)
    deeds = [
        (pause, runs.hold),
        (resume, runs.release),
        (one, lambda visitor: runs.hold(visitor, allow=1)),
        (stop, runs.stop),
    ]
    for button, deed in deeds:
        button.click(lambda language, visitor, deed=deed: tell(language, visitor, deed), [page.language, visitor], [notice, timer], **QUIET)
    timer.tick(look, [page.language, visitor, axis, shown_last], outputs, **QUIET, trigger_mode="once")
    axis.input(redraw, [page.language, visitor, axis], [said, picture, table, notice], **QUIET)
    filled = [form.picker.model, form.task, form.methods, settings.budget, settings.amount, settings.rate, notice]
    on_example(row, KEY, choose, [page.language, form.picker.model], filled)
    page.retelling.add(again, [visitor, axis], [said, picture, table])
    page.links.add(KEY, linked_fields(form, settings))  # the settings only: a link starts no training
    wire_picker(page, form.picker)


def known(visitor: str) -> str:
    """The visitor's key; a browser without one has not finished opening the page."""
    if not isinstance(visitor, str) or not VISITOR.fullmatch(visitor):
        raise Problem("no_visitor")
    return visitor


def pictured(found: Look, axis: str, language: str) -> dict[str, str] | None:
    """The curves so far, as the value of their chart."""
    if not found.points:
        return None
    names = text("list.comma", language).join(method_name(name, language) for name in found.plan.methods)
    figure = curves(found.points, methods=found.plan.methods, by=axis, language=language)
    return drawn(figure, text("tuning.figure.described", language, methods=names))


TAB = Tab(key=KEY, order=6, build=build)
