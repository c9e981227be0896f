"""One's own labelled sentences: pasted or uploaded, their columns guessed and to be changed, what is wrong told line by line."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from models.errors import Problem
from models.tuning.own_data import MOST_BYTES, Columns, Issue, Table, guess_columns, own_examples, read_table
from models.tuning.task import Examples
from playground.tabs import Page
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, refusal, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.reading import escape_html
from playground.ui.wording import sentence

KINDS = [".csv", ".tsv", ".jsonl", ".json", ".txt"]
MOST_ISSUES = 12  # that are told; who has more does not read them
PASTED = 2_000_000  # characters


@dataclass(frozen=True, kw_only=True)
class OwnData:
    """The parts of the form. `values` are those that say what the data are."""

    group: gr.Group
    pasted: gr.Textbox
    file: gr.File
    columns: tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown]

    @property
    def values(self) -> list[gr.components.Component]:
        return [self.pasted, self.file, *self.columns]


def own_data_form(page: Page) -> OwnData:
    """Lay the form out, hidden at first, and wire it."""
    with gr.Group(visible=False) as group:
        pasted = gr.Textbox(
            label=phrase("tuning.data"), info=phrase("tuning.data_info"), placeholder=phrase("tuning.data_hint"), lines=5, max_lines=10
        )
        file = gr.File(label=phrase("tuning.upload"), file_types=KINDS, height=110)
        with gr.Row(visible=page.allow_hub):
            hub = gr.Textbox(label=phrase("tuning.hub_data"), info=phrase("tuning.hub_data_info"), max_length=120, scale=3)
            fetch = gr.Button(phrase("tuning.hub_fetch"), size="sm", scale=1, min_width=90)
        read = gr.Button(phrase("tuning.read"), size="sm")
        with gr.Row():
            names = ("column_text", "column_answer", "column_split")
            columns = tuple(gr.Dropdown([], label=phrase(f"tuning.{name}"), visible=False, min_width=130) for name in names)
        said = notice_line(page)
    form = OwnData(group=group, pasted=pasted, file=file, columns=columns)

    def guessed(language, table):
        """What a table holds, and its columns to choose from."""
        found = guess_columns(table)
        updates = [gr.update(choices=list(table.columns), value=value, visible=True) for value in (found.text, found.answer)]
        choices = [(text("tuning.no_column", language), ""), *((name, name) for name in table.columns)]
        try:
            summary = told(table, found, language)
        except Problem as problem:  # the columns are shown all the same: others may suit better
            summary = refusal(sentence(problem, language))
        return (summary, *updates, gr.update(choices=choices, value=found.split, visible=True))

    @guarded(said)
    def guess(language, pasted, file):
        return guessed(language, read_table(content(pasted, file)))

    @guarded(said)
    def fetch_rows(language, name):
        rows = page.playground.hub_rows(name or "")
        return *guessed(language, read_table(rows)), rows, None

    @guarded(said)
    def choose(language, pasted, file, *columns):
        table = read_table(content(pasted, file))
        return told(table, chosen_columns(table, *columns), language)

    for moment in (read.click, file.upload):
        moment(guess, [page.language, pasted, file], [said, *columns], **QUIET)
    waiting = {"concurrency_limit": None, "show_progress_on": said, "api_visibility": "private"}
    for moment in (fetch.click, hub.submit):
        moment(fetch_rows, [page.language, hub], [said, *columns, pasted, file], **waiting)
    for column in columns:
        column.input(choose, [page.language, *form.values], said, **QUIET)
    return form


def examples_of(pasted: str, file: str | None, *columns: str | None) -> Examples:
    """The examples that the form holds; where no columns are chosen yet, they are guessed. Problem where they cannot be used."""
    table = read_table(content(pasted, file))
    return own_examples(table, chosen_columns(table, *columns))[0]


def chosen_columns(table: Table, text_column: str | None, answer: str | None, split: str | None) -> Columns:
    """The visitor's choice of columns as far as there is one and these data have them."""
    found = guess_columns(table)
    if text_column not in table.columns or answer not in table.columns:
        return found
    kind = guess_columns(only(table, text_column, answer)).kind
    return Columns(text=text_column, answer=answer, split=split if split in table.columns else "", kind=kind)


def only(table: Table, text_column: str, answer: str) -> Table:
    """The table with two of its columns, under names that leave nothing to guess but the kind of the answers."""
    places = [table.columns.index(name) for name in (text_column, answer)]
    return Table(columns=("text", "label"), rows=tuple((line, tuple(cells[place] for place in places)) for line, cells in table.rows))


def content(pasted: str, file: str | None) -> str:
    """The uploaded file, else what was pasted. Problem data_too_large, not_utf8."""
    if not file:
        return (pasted or "")[:PASTED]
    path = Path(file)
    if path.stat().st_size > MOST_BYTES:
        raise Problem("data_too_large", megabytes=MOST_BYTES / 1e6)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("not_utf8") from None


def told(table: Table, columns: Columns, language: str) -> str:
    """What was found, and what is wrong with it."""
    examples, issues = own_examples(table, columns)
    parts = {part: len(getattr(examples, part)) for part in ("train", "dev", "test")}
    comma = text("list.comma", language)
    answers = comma.join(examples.task.labels) if examples.task.labels else text("tuning.data_texts", language)
    summary = text("tuning.data_read", language, rows=sum(parts.values()), answers=answers, **parts)
    return remark(summary) + listed(issues, language)


def listed(issues: tuple[Issue, ...], language: str) -> str:
    """The first of the issues, a line each."""
    lines = []
    for issue in issues[:MOST_ISSUES]:
        problem = sentence(issue.problem, language)
        lines.append(text("tuning.data_line", language, line=issue.line, problem=problem) if issue.line else problem)
    if len(issues) > MOST_ISSUES:
        lines.append(text("tuning.data_more", language, count=len(issues) - MOST_ISSUES))
    return f'<ul class="issues">{"".join(f"<li>{escape_html(line)}</li>" for line in lines)}</ul>' if lines else ""
