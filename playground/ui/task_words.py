"""How a task is put into words: its template and the words of its labels, to be changed, and to be checked against the chosen model."""

from dataclasses import dataclass

import gradio as gr

from models.errors import Problem
from models.tuning.task import Task
from models.tuning.worded import Spelt, reworded
from playground.tabs import Page
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen
from playground.ui.reading import escape_html

SIGN = "="  # between a label and its word


@dataclass(frozen=True, kw_only=True)
class TaskWords:
    """The parts of the form."""

    template: gr.Textbox
    words: gr.Textbox
    check: gr.Button
    said: gr.HTML


def task_words_form(page: Page, task: Task) -> TaskWords:
    """Lay it out, filled in for a task; closed, since every set that ships has words that suit."""
    with gr.Accordion(phrase("tuning.wording"), open=False):
        template = gr.Textbox(task.template, label=phrase("tuning.template"), info=phrase("tuning.template_info"), max_length=500)
        words = gr.Textbox(lines_of(task), label=phrase("tuning.label_words"), info=phrase("tuning.label_words_info"), lines=2, max_lines=8)
        check = gr.Button(phrase("tuning.wording_check"), size="sm")
        said = notice_line(page)
    return TaskWords(template=template, words=words, check=check, said=said)


def wire_task_words(
    page: Page, form: TaskWords, *, model: gr.Dropdown, task: gr.Dropdown, own: list[gr.components.Component], read
) -> None:
    """Fill the form when another task is chosen, and check it. `read(task, *own)` gives the chosen task as it is without the form."""
    playground = page.playground

    def fill(name, *own):
        try:
            found = read(name, *own)
        except Problem:  # one's own data before there are any
            return "", "", ""
        return found.template, lines_of(found), ""

    @guarded(form.said)
    def look(language, model, name, template, words, *own):
        found = reworded(read(name, *own), template=template or "", words=dict(words_of(words)))
        return spoken(playground.spell(chosen(model), found), language)

    task.change(fill, [task, *own], [form.template, form.words, form.said], **QUIET)
    asking = {"concurrency_limit": None, "show_progress_on": form.said, "api_visibility": "private"}
    form.check.click(look, [page.language, model, task, form.template, form.words, *own], form.said, **asking)


def lines_of(task: Task) -> str:
    """A line for each label."""
    return "\n".join(f"{name} {SIGN} {label.word}" for name, label in task.labels.items())


def words_of(lines: str | None) -> tuple[tuple[str, str], ...]:
    """Labels and their words; Problem "bad_label_line" for a line that is neither empty nor such a pair."""
    found = []
    for line in (lines or "").splitlines():
        label, sign, word = line.partition(SIGN)
        if line.strip() and not (sign and label.strip() and word.strip()):
            raise Problem("bad_label_line", line=line.strip()[:80])
        if line.strip():
            found.append((label.strip(), word.strip()))
    return tuple(found)


def spoken(words: tuple[Spelt, ...], language: str) -> str:
    """What the model makes of the words, a line each."""
    if not words:
        return remark(text("tuning.wording_texts", language))
    lines = "".join(f"<li>{escape_html(told(one, language))}</li>" for one in words)
    return remark(text("tuning.wording_good", language)) + f'<ul class="issues">{lines}</ul>'


def told(one: Spelt, language: str) -> str:
    """One word."""
    if len(one.pieces) == 1:
        return text("tuning.word_single", language, label=one.label, word=one.word)
    values = {"label": one.label, "word": one.word, "count": len(one.pieces), "pieces": text("list.comma", language).join(one.pieces)}
    if one.compared == 1:
        return text("tuning.word_first", language, **values)
    return text("tuning.word_mean", language, **values)
