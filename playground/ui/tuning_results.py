"""The lower part of the tuning tab: the results that are kept, one of them looked at closely, tried on a text, taken home."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from models.errors import Problem
from playground.figures.curves import drifts
from playground.figures.squares import confusion, cosine_map
from playground.service.kept import Kept, Shelf
from playground.tabs import Page
from playground.ui.chart import chart, drawn
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.pickers import choices as models
from playground.ui.tuning_words import label_name, mistakes, nearest_words, share, tried
from playground.ui.wording import sentence

EXPORTS = "transformer-playground-exports"  # in the folder for temporary files, from where a browser may download


@dataclass(frozen=True, kw_only=True)
class Results:
    """The list of kept results; a new value of `result` shows it."""

    result: gr.Dropdown
    table: list[gr.components.Component]


def results_part(page: Page, visitor: gr.Textbox, teacher: gr.Dropdown) -> Results:
    """Lay it out and wire it. `teacher` offers the results too."""
    playground = page.playground
    gr.Markdown(phrase("tuning.results_heading"), elem_classes="section")
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            result = gr.Dropdown([], value=None, label=phrase("tuning.result"), info=phrase("tuning.result_info"), elem_id="tuning-result")
            words = gr.Textbox(label=phrase("tuning.try"), placeholder=phrase("tuning.try_hint"), lines=2, max_lines=4, max_length=2000)
            with gr.Row():
                run = gr.Button(phrase("tuning.try_run"), scale=2)
                pack = gr.Button(phrase("tuning.export"), scale=2)
                erase = gr.Button(phrase("tuning.delete"), scale=1, min_width=90)
            with gr.Row(visible=False) as sure:
                gr.Markdown(phrase("tuning.delete_sure"))
                yes = gr.Button(phrase("tuning.delete_yes"), variant="stop", size="sm", min_width=90)
                no = gr.Button(phrase("tuning.delete_no"), size="sm", min_width=90)
            notice = notice_line(page)
            answer = gr.HTML("", js_on_load=None, elem_classes="notice-line", elem_id="tuning-tried")
            file = gr.File(label=phrase("tuning.file"), visible=False, interactive=False)
        with gr.Column(scale=7, min_width=320, visible=False) as closely:
            square = chart(height=200, elem_id="tuning-confusion")
            wrong = gr.HTML("", js_on_load=None, elem_classes="notice-line")
            with gr.Column(visible=False) as learnt:
                near = gr.HTML("", js_on_load=None)
                between = chart(height=240, elem_id="tuning-cosines")
                moved = chart(height=240, elem_id="tuning-drift")

    @guarded(notice)
    def look(language, name):
        hidden = {file: gr.update(value=None, visible=False), answer: "", sure: gr.update(visible=False)}
        if not name:  # what was said of a deleted one stays
            return hidden | {closely: gr.update(visible=False)}
        kept = playground.shelf.get(name)
        return hidden | {notice: ""} | {closely: gr.update(visible=bool(kept.confusion or kept.prompt))} | pictured(kept, language)

    def pictured(kept, language):
        updates = {
            square: None,
            wrong: mistakes(kept, language),
            learnt: gr.update(visible=bool(kept.prompt)),
            near: nearest_words(kept, language),
        }
        updates[square] = gr.update(value=confusion_of(kept, language), visible=bool(kept.confusion))
        if kept.prompt:
            updates[between] = drawn(cosine_map(kept.prompt["cosines"], language=language), text("tuning.figure.cosines", language))
            updates[moved] = drawn(drifts(kept.prompt["drift"], language=language), text("tuning.figure.drift", language))
        return updates

    @guarded(notice)
    def try_out(language, name, words):
        kept = playground.shelf.get(named(name))
        return "", tried(playground.try_out(kept.name, words), kept, language)

    @guarded(notice)
    def take_home(language, name):
        kept = playground.shelf.get(named(name))
        said = sentence(Problem(kept.note.key, **kept.note.values), language) if kept.note else text("tuning.exported", language)
        return remark(said), gr.update(value=str(archive(playground.shelf, kept)), visible=True)

    @guarded(notice)
    def ask_first(language, name):
        named(name)
        return "", gr.update(visible=True)

    @guarded(notice)
    def forget(language, visitor, name, asked):
        playground.forget(visitor or "", named(name))
        listed = {result: gr.update(choices=choices(playground.shelf, visitor, language), value=None)}
        left = teachers(playground.shelf, visitor, language)
        listed |= {teacher: gr.update(choices=left, value="" if asked == name else asked)}
        gone = {notice: remark(text("tuning.deleted", language, name=name)), sure: gr.update(visible=False)}
        return gone | listed | offered(page, language)

    @guarded(notice)
    def again(language, visitor, name):
        kept = playground.shelf.find(name) if name else None
        listed = gr.update(choices=choices(playground.shelf, visitor, language))
        asked = gr.update(choices=teachers(playground.shelf, visitor, language))
        return {result: listed, teacher: asked, answer: ""} | (pictured(kept, language) if kept else {})

    shown = [notice, answer, file, sure, closely, square, wrong, learnt, near, between, moved]
    result.change(look, [page.language, result], shown, **QUIET)
    asking = {"concurrency_limit": None, "show_progress_on": answer, "api_visibility": "private"}
    for moment in (run.click, words.submit):
        moment(try_out, [page.language, result, words], [notice, answer], **asking)
    pack.click(take_home, [page.language, result], [notice, file], **asking)
    erase.click(ask_first, [page.language, result], [notice, sure], **QUIET)
    no.click(lambda: gr.update(visible=False), [], sure, **QUIET)
    pickers = [picker.model for picker in page.pickers]
    yes.click(forget, [page.language, visitor, result, teacher], [notice, sure, result, teacher, *pickers], **QUIET)
    page.retelling.add(again, [visitor, result], [result, teacher, answer, square, wrong, learnt, near, between, moved])
    return Results(result=result, table=[result])


def named(name: str | None) -> str:
    """The chosen result; Problem no_result_chosen where there is none."""
    if not name:
        raise Problem("no_result_chosen")
    return name


def offered(page: Page, language: str) -> dict[gr.Dropdown, dict]:
    """The models that each tab offers, when results have come or gone."""
    return {
        picker.model: gr.update(choices=models(page.playground, picker.task, language, nobody=picker.nobody)) for picker in page.pickers
    }


def choices(shelf: Shelf, visitor: str, language: str) -> list[tuple[str, str]]:
    """The visitor's results, the newest first, each with its accuracy."""
    return [choice(kept, language) for kept in shelf.of(visitor or "")]


def teachers(shelf: Shelf, visitor: str, language: str) -> list[tuple[str, str]]:
    """Nobody, and those of the visitor's results that tell labels apart."""
    able = [kept for kept in shelf.of(visitor or "") if kept.kind == "classify"]
    return [(text("tuning.teacher_none", language), ""), *(choice(kept, language) for kept in able)]


def choice(kept: Kept, language: str) -> tuple[str, str]:
    """A result as a list offers it, and its name."""
    return text("tuning.result_choice", language, name=kept.name, test=share(kept.test)), kept.name


def confusion_of(kept: Kept, language: str) -> dict[str, str] | None:
    """The figure of which label was taken for which."""
    if not kept.confusion:
        return None
    labels = list(kept.confusion)
    counts = [[kept.confusion[true].get(guess, 0) for guess in labels] for true in labels]
    names = [label_name(kept, label, language) for label in labels]
    return drawn(confusion(counts, names, language=language), text("tuning.figure.confusion", language))


def archive(shelf: Shelf, kept: Kept) -> Path:
    """A zip of a result, in a folder that the browser may download from."""
    folder = Path(tempfile.gettempdir()) / EXPORTS / kept.id
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in kept.name)
    return shelf.pack(kept.name, folder / f"{name}.zip")
