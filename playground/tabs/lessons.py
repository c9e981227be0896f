"""Lessons: one idea a step, something to predict, and the model's own answer to it."""

from typing import Any

import gradio as gr

from models.errors import Problem
from playground.lessons.content import Question
from playground.lessons.content import lessons as read_lessons
from playground.lessons.kinds import Shown
from playground.lessons.stage import Stage, watched
from playground.lessons.walk import Walk
from playground.tabs import Page, Tab
from playground.ui.chart import chart
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.lesson_parts import TO_THE_TOP, chooser, onward, steps, steps_bar
from playground.ui.notice import notice_line, refusal, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.progress import reporter
from playground.ui.reading import escape_html
from playground.ui.wording import sentence

KEY = "lessons"
REFRESH_SECONDS = 0.4
# Runs are kept by visitor, as in the tab for tuning: the same run is found there.
STORED = "(language) => [language, window.playground.visitor()]"


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    lessons = read_lessons()
    if not lessons:
        gr.Markdown(phrase("lessons.none"))
        return
    stage, start = Stage(playground=page.playground, lessons=lessons), Walk(lesson=next(iter(lessons)))

    # Layout
    gr.Markdown(phrase("lessons.lead"), elem_classes="tab-lead")
    lesson = gr.Dropdown(chooser(lessons, "en"), value=start.lesson, label=phrase("lessons.lesson"), filterable=False)
    bar = steps_bar()
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            body = gr.Markdown("", elem_id="lesson-text", elem_classes="lesson-text")
            question = gr.Radio(
                choices_of(start.step(lessons).question, "en"),
                label=phrase("lessons.question"),
                visible=False,
                elem_id="lesson-question",
                elem_classes="lesson-question",
            )
            said = gr.HTML("", html_template='<div aria-live="polite">${value}</div>', js_on_load=None, elem_id="lesson-verdict")
        with gr.Column(scale=7, min_width=320):
            hint = notice_line(page)
            first = gr.Textbox("", label=phrase("attention.text"), visible=False, lines=2, max_lines=6)
            second = gr.Textbox("", label=phrase("attention.second"), visible=False, lines=2, max_lines=6)
            run = gr.Button(phrase("lessons.again"), visible=False, elem_id="lesson-run")
            notice = notice_line(page)
            told = gr.HTML("", js_on_load=None, elem_classes="lesson-told")
            picture = chart(height=340, elem_id="lesson-chart")
            found = gr.HTML("", js_on_load=None, elem_classes="figure-note")
    with gr.Row():
        back = gr.Button(phrase("lessons.back"), elem_id="lesson-back")
        forth = gr.Button(phrase("lessons.next"), variant="primary", elem_id="lesson-next")
    walk, visitor, timer = gr.State(start), gr.Textbox(visible=False), gr.Timer(REFRESH_SECONDS, active=False)

    # Handlers: each makes a new Walk; `tell` says what is known at once, `reveal` what a model has to be asked for.
    def tell(language: str, way: Walk) -> dict[Any, Any]:
        step, asked = way.step(lessons), way.step(lessons).question
        shows, free = step.view is not None, stage.predicted(way)
        label, onwards = onward(lessons, way, language)
        texts = [*stage.boxes(way), None, None][:2]
        return {
            walk: way,
            lesson: gr.update(choices=chooser(lessons, language), value=way.lesson),
            bar: steps(lessons, way, language),
            body: f"### {step.title[language]}\n\n{step.text[language]}",
            question: asked_of(asked, way, language),
            said: "",
            hint: remark(stage.hint(way, language)),
            first: boxed(texts[0], language, free),
            second: boxed(texts[1], language, free),
            run: gr.update(
                value=text(deed(way), language) if shows else "", visible=shows and free and (stage.ready(way) or stage.fetchable(way))
            ),
            notice: "",
            told: "",
            picture: gr.update(value=None, visible=shows and step.view["show"] != "generation"),
            found: "",
            back: gr.update(interactive=way.index > 0),
            forth: gr.update(value=label, interactive=onwards),
        }

    def deed(way, visitor=""):
        if not stage.ready(way):
            return "lessons.fetch"
        if stage.view(way)["show"] != "tuning":
            return "lessons.again"
        return "lessons.stop" if stage.busy(visitor) else "lessons.start"

    def seen(shown: Shown) -> dict[Any, Any]:
        return {picture: shown.figure, told: shown.html}

    def below(language: str, way: Walk, note: str, address: str) -> str:
        name = text(f"tab.{stage.view(way)['show']}", language) if address else ""
        onwards = f'<p><a href="{address}">{escape_html(text("lessons.in_tab", language, tab=name))}</a></p>' if address else ""
        return (f"<p>{escape_html(note)}</p>" if note else "") + onwards

    def reveal(language, way, visitor, report=None):
        running = stage.run(way, visitor)
        revealed = stage.reveal(way, language, report)
        shown = watched(running, language) if running else revealed.shown
        told_below = below(language, way, shown.note, revealed.address)
        return seen(shown) | {said: revealed.verdict, found: told_below} | clock(language, way, visitor)

    def clock(language, way, visitor):
        """While something is training the page looks again and again, and the button stops it."""
        if stage.view(way) is None or stage.view(way)["show"] != "tuning":
            return {timer: gr.Timer(active=False)}
        return {timer: gr.Timer(active=stage.busy(visitor)), run: gr.update(value=text(deed(way, visitor), language))}

    @guarded(notice)
    def ask(language, way, visitor, progress=gr.Progress()):  # noqa: B008 - found as a default
        if stage.predicted(way) and stage.ready(way):
            return reveal(language, way, visitor, reporter(progress, language)) | {hint: remark(stage.hint(way, language)), notice: ""}
        return reveal(language, way, visitor)

    @guarded(notice)
    def again(language, way, visitor):
        try:
            return tell(language, way) | reveal(language, way, visitor)
        except Problem as problem:  # what the visitor typed is refused in either language; the step is told all the same
            return tell(language, way) | {notice: refusal(sentence(problem, language))}

    @guarded(notice)
    def open_(language, way, key):
        return tell(language, way.open(lessons, key))

    @guarded(notice)
    def jump(language, way, event: gr.EventData):
        return tell(language, way.go(lessons, event.index)) if isinstance(event.index, int) else gr.skip()

    @guarded(notice)
    def backwards(language, way):
        return tell(language, way.go(lessons, way.index - 1))

    @guarded(notice)
    def forwards(language, way):
        if way.index + 1 < len(lessons[way.lesson].steps):
            return tell(language, way.go(lessons, way.index + 1))
        return tell(language, way.open(lessons, way.after(lessons)))

    @guarded(notice)
    def predict(language, way, choice):
        return tell(language, way.answer(way.step(lessons).question, choice))

    @guarded(notice)
    def press(language, way, visitor, *texts):
        if not stage.predicted(way):
            return gr.skip()
        if stage.view(way)["show"] == "tuning" and stage.ready(way):
            if stage.busy(visitor):
                page.playground.runs.stop(visitor)
            else:
                page.playground.tune(visitor, stage.plan(way))
            return {notice: ""} | clock(language, way, visitor)
        way = way.type(*texts[: len(stage.boxes(way))]) if stage.ready(way) else way.fetch()
        return {walk: way, notice: "", run: gr.update(value=text(deed(way), language))}

    @guarded(notice)
    def watch(language, way, visitor):
        running = stage.run(way, visitor)
        return (seen(watched(running, language)) if running else {}) | clock(language, way, visitor)

    # Wiring
    outputs = [walk, lesson, bar, body, question, said, hint, first, second, run, notice, told, picture, found, back, forth]
    page.opened.then(lambda language, key: key, [page.language, visitor], visitor, js=STORED, **QUIET)
    asking = {"concurrency_limit": None, "show_progress_on": picture, "api_visibility": "private", "trigger_mode": "multiple"}
    place, asked = [page.language, walk], [page.language, walk, visitor]
    moves = [
        (lesson.input, open_, [*place, lesson]),
        (bar.select, jump, place),
        (back.click, backwards, place),
        (forth.click, forwards, place),
        (question.input, predict, [*place, question]),
        (run.click, press, [*asked, first, second]),
    ]
    pending = []
    for moment, handler, inputs in moves:
        moved = moment(handler, inputs, [*outputs, timer], **QUIET)
        pending.append(moved.then(ask, asked, [said, picture, told, found, timer, run, hint, notice], **asking))
    for moment, _, _ in moves:  # whoever goes on does not wait for what the step before had to show
        moment(None, None, None, cancels=pending, **QUIET)
    for moment in (bar.select, back.click, forth.click):
        moment(None, None, None, js=TO_THE_TOP, **QUIET)
    timer.tick(watch, asked, [picture, told, timer, run, notice], **QUIET, trigger_mode="once")
    page.retelling.add(again, [walk, visitor], [*outputs, timer])


def asked_of(question: Question | None, walk: Walk, language: str) -> dict[str, Any]:
    """The question of a step as the update of its radio; what was chosen before cannot be chosen again."""
    if question is None:
        return gr.update(visible=False, choices=[], value=None)
    value = walk.answers.get(walk.place)
    return gr.update(
        visible=True, label=question.ask[language], choices=choices_of(question, language), value=value, interactive=value is None
    )


def choices_of(question: Question | None, language: str) -> list[tuple[str, int]]:
    """The answers as options, each with its place as its value."""
    return [(choice.text[language], index) for index, choice in enumerate(question.choices)] if question else []


def boxed(box: tuple[str, str] | None, language: str, free: bool) -> dict[str, Any]:
    """A text that the visitor may change, once they have predicted what it gives."""
    if box is None:
        return gr.update(visible=False, value="")
    return gr.update(visible=True, label=text(box[0], language), value=box[1], interactive=free)


TAB = Tab(key=KEY, order=7, build=build)
