"""Compare: the current view beside that of another text, another model, or the model before or after it was tuned."""

from dataclasses import replace
from functools import partial

import gradio as gr

from playground.parts import Beside, Part
from playground.service.playground import Playground
from playground.tabs import Page
from playground.tasks import attend
from playground.ui.attention_view import sites_of
from playground.ui.chart import chart
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.notice import notice_line, remark
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import choices as options
from playground.ui.pickers import chosen, kind_of, rows_for
from playground.ui.progress import reporter
from playground.ui.reading import escape_plotly
from playground.ui.side_by_side import answer
from playground.ui.side_by_side import beside as side_by_side

KEY = "compare"


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground, seen = page.playground, beside.seen

    # Layout
    gr.Markdown(phrase("compare.lead"), elem_classes="tab-lead")
    with gr.Row(equal_height=False):
        words = gr.Textbox(label=phrase("compare.text"), lines=2, max_lines=6, scale=6, min_width=280)
        model = gr.Dropdown([], label=phrase("compare.model"), interactive=True, scale=4, min_width=220)
        run = gr.Button(phrase("compare.run"), scale=1, min_width=120)
    notice = notice_line(page)
    with gr.Row():
        with gr.Column(min_width=300):
            other = chart(height=300, elem_id="compare-other")
        with gr.Column(min_width=300):
            change = chart(height=300, elem_id="compare-difference")
    is_open, about = gr.State(False), gr.State(None)

    # Handlers
    @guarded(notice)
    def arrive(language, is_open, seen, known, now, name):
        """The part was opened, or the view above is another one."""
        if not is_open or seen is None:
            return gr.skip()
        found = relatives(playground, seen.model, language)
        if known != (seen.model, seen.request):
            now, name = seen.request.text, found[0][1]  # what was tuned from it, or itself: nothing has to be fetched
        fields = {about: (seen.model, seen.request), words: now, model: gr.update(choices=found, value=name)}
        return fields | shown(language, seen, now, name)

    @guarded(notice)
    def compare(language, seen, now, name, progress=gr.Progress()):  # noqa: B008 - found as a default
        return gr.skip() if seen is None else shown(language, seen, now, name, reporter(progress, language))

    def shown(language, seen, now, name, progress=None):
        request = replace(seen.request, text=now)
        mine = answer(partial(playground.ask, seen.model), seen.request, seen)
        theirs = answer(partial(playground.ask, chosen(name), progress=progress), request, seen)
        there = sites_of(theirs[0], seen)
        site = seen.site if seen.site in there else there[-1]
        head = seen.head if seen.head < theirs[0].heads(site) else -1
        titles = (escape_plotly(name), text("compare.difference", language))
        pictures = side_by_side(mine, theirs, seen, (site, head), titles=titles, language=language)
        place = f"{site_name(site, language)} · {head_name(head, language)}"
        notes = [
            text("compare.elsewhere", language, model=name, place=place) if pictures[1] is None else "",
            text("compare.same", language) if (name, request) == (seen.model, seen.request) else "",
        ]
        return {other: pictures[0], change: pictures[1], notice: remark(*notes)}

    # Wiring
    outputs = [about, words, model, other, change, notice]
    view = [page.language, is_open, seen, about, words, model]
    asking = {"concurrency_limit": None, "show_progress_on": [other, change], "api_visibility": "private"}
    opening(beside.frame, is_open).then(arrive, view, outputs, **asking)
    beside.moved.select(arrive, view, outputs, **asking)
    for moment in (run.click, words.submit, model.input):
        moment(compare, [page.language, seen, words, model], outputs, **asking)
    page.retelling.add(arrive, view[1:], outputs)


def relatives(playground: Playground, name: str, language: str) -> list[tuple[str, str]]:
    """The models of the same kind as options: what was tuned from this one or what it was tuned from first, then itself and the others."""
    kind, card = kind_of(playground, name), playground.catalogue.find(name)
    alike = {row["name"] for row in rows_for(playground, attend.NAME) if kind_of(playground, row["name"]) == kind} | {name}

    def far(option: tuple[str, str]) -> int:
        other = option[1]
        return 0 if other == card.tuned_from or playground.catalogue.find(other).tuned_from == name else 1 if other == name else 2

    return sorted((option for option in options(playground, attend.NAME, language) if option[1] in alike), key=far)


PART = Part(key=KEY, order=4, build=build)
