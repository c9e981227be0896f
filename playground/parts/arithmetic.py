"""The arithmetic of one weight: opens below the map when a cell of it is clicked."""

from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from playground.parts import Beside, Part
from playground.service.playground import Playground
from playground.tabs import Page
from playground.tasks import attend, weigh
from playground.ui.arithmetic import heads_of_cell, told
from playground.ui.attention_view import Seen, deeper, shown, tokens_at
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.reading import isolate, readable

KEY = "arithmetic"


class Cell(NamedTuple):
    """A cell of the maps of one question: the same pair of words in every head, and in every layer of the same stack."""

    model: str
    request: attend.Request
    query: int
    key: int


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground = page.playground

    # Layout
    gr.Markdown(phrase("arithmetic.how"), elem_classes="figure-note")
    with gr.Row():
        query = gr.Dropdown([], label=phrase("arithmetic.query"), min_width=160, elem_id="arithmetic-query")
        key = gr.Dropdown([], label=phrase("arithmetic.key"), min_width=160, elem_id="arithmetic-key")
    notice = notice_line(page)
    panel = gr.HTML(
        "",
        html_template="${value}",
        js_on_load="window.playground.arithmetic(element, watch, (point) => trigger('select', point))",
        elem_id="arithmetic-panel",
        apply_default_css=False,
    )
    cell, is_open = gr.State(None), gr.State(False)

    # Handlers
    @guarded(notice)
    def follow(language, seen, cell, is_open):
        return explained(playground, seen, cell, language) if is_open and seen is not None else gr.skip()

    def clicked(seen, event: gr.EventData):
        if seen is None or seen.view != "one" or event.text is not None:  # a small map was clicked, or nothing is there yet
            return gr.skip()
        pair = behind(playground.ask(seen.model, attend.NAME, seen.request), seen, int(event.y), int(event.x))
        return gr.update(open=True), True, Cell(seen.model, seen.request, *pair)

    @guarded(notice)
    def chosen(language, seen, query, key):
        if seen is None or query is None or key is None:
            return gr.skip()
        return explained(playground, seen, Cell(seen.model, seen.request, query, key), language)

    @guarded(notice)
    def other_head(language, seen, event: gr.EventData):
        if seen is None:
            return gr.skip()
        result = playground.ask(seen.model, attend.NAME, seen.request)
        return *shown(seen._replace(head=int(event.index), view="one"), result, language, deeper(playground, seen)), ""

    # Wiring
    told_ = [cell, query, key, panel, notice]
    watching = [page.language, beside.seen, cell, is_open]
    latest = QUIET | {"trigger_mode": "always_last"}
    opening(beside.frame, is_open).then(follow, watching, told_, **QUIET)
    beside.picture.select(clicked, beside.seen, [beside.frame, is_open, cell], **latest).then(follow, watching, told_, **QUIET)
    beside.moved.select(follow, watching, told_, **latest)
    for choice in (query, key):
        choice.input(chosen, [page.language, beside.seen, query, key], told_, **latest)
    panel.select(other_head, [page.language, beside.seen], [*beside.views, notice], **QUIET)
    page.retelling.add(follow, [beside.seen, cell, is_open], told_)


def explained(playground: Playground, seen: Seen, cell: Cell | None, language: str) -> tuple[Cell, dict, dict, str, str]:
    """The cell that this view has, the choices of its two words, its arithmetic as HTML, and an empty notice."""
    result = playground.ask(seen.model, attend.NAME, seen.request)
    words_query, words_key = result.words_at(seen.site)
    if cell is None or cell[:2] != (seen.model, seen.request) or cell.query >= len(words_query) or cell.key >= len(words_key):
        cell = Cell(seen.model, seen.request, *striking(result, seen))
    if seen.head < 0:
        weights = result.all_weights(seen.site)[:, cell.query, cell.key]
        story = heads_of_cell(weights, words_query[cell.query], words_key[cell.key], seen.site, language)
    else:
        request = weigh.Request(question=seen.request, site=seen.site, head=seen.head, query=cell.query, key=cell.key)
        story = told(playground.ask(seen.model, weigh.NAME, request), language)
    return cell, options(words_query, cell.query, language), options(words_key, cell.key, language), story, ""


def behind(result: attend.Result, seen: Seen, row: int, column: int) -> tuple[int, int]:
    """The two tokens behind a cell of the map; where a word has several pieces, the pair with the largest weight."""
    rows, columns = (list(members) for members in tokens_at(result, seen, row, column))
    between = result.weights(seen.site, seen.head)[np.ix_(rows, columns)]
    query, key = np.unravel_index(between.argmax(), between.shape)
    return rows[query], columns[key]


def striking(result: attend.Result, seen: Seen) -> tuple[int, int]:
    """Row and column of the strongest weight between two words that have letters; anything counts where there are no such two."""
    weights = result.weights(seen.site, seen.head)
    rows, columns = (np.array([lettered(word) for word in words]) for words in result.words_at(seen.site))
    between = np.where(rows[:, None] & columns[None, :], weights, weights - 2)
    row, column = np.unravel_index(between.argmax(), between.shape)
    return int(row), int(column)


def lettered(word: str) -> bool:
    """Whether it is a word rather than a sign: "tea" and "##ing", not "," or "[CLS]" or "<s>"."""
    bare = word.removeprefix("##")
    return any(map(str.isalpha, bare)) and bare[0] not in "[<‹"


def options(words: tuple[str, ...], chosen: int, language: str) -> dict[str, Any]:
    """A dropdown of words, each with its place: the same word may stand there twice."""
    labels = [text("arithmetic.place", language, place=place + 1, word=isolate(readable(word))) for place, word in enumerate(words)]
    return gr.update(choices=[(label, place) for place, label in enumerate(labels)], value=chosen)


PART = Part(key=KEY, order=1, build=build)
