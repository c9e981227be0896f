"""Inside a layer: its boxes with the lengths of what leaves them, the vectors of one box, and the guess after every layer."""

import gradio as gr

from models.errors import Problem
from playground.figures.features import features
from playground.parts import Beside, Part
from playground.tabs import Page
from playground.tasks import attend, inside, logit_lens
from playground.ui.block_picture import layer_name, name_of, picture
from playground.ui.chart import chart, drawn
from playground.ui.guard import guarded
from playground.ui.lens_table import lens_table
from playground.ui.notice import notice_line
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.places import choices

KEY = "inside"
ATTENTION = 1  # the box that is opened at first: behind what comes in, the first part's first


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground, seen = page.playground, beside.seen

    # Layout
    gr.Markdown(phrase("inside.lead"), elem_classes="tab-lead")
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            layer = gr.Dropdown([], label=phrase("inside.layer"), interactive=True)
            block = gr.HTML(
                "",
                html_template="<div>${value}</div>",
                js_on_load="window.playground.boxes(element, (index) => trigger('select', {index}))",
                elem_id="inside-block",
                apply_default_css=False,
            )
        with gr.Column(scale=7, min_width=300):
            tensor = chart(height=420, elem_id="inside-tensor")
    notice = notice_line(page)
    gr.Markdown(phrase("lens.title"), elem_classes="section")
    place = gr.Dropdown([], label=phrase("whatif.place"), interactive=True)
    lens = gr.HTML("", js_on_load=None, elem_id="inside-lens", apply_default_css=False)
    is_open, about, box = gr.State(False), gr.State(None), gr.State(ATTENTION)

    # Handlers
    @guarded(notice)
    def arrive(language, is_open, seen, known, layer_now, box_now, chosen):
        """The part was opened, or the view above is another one: show the layer that is looked at there."""
        if not is_open or seen is None:
            return gr.skip()
        here = (seen.model, seen.request, seen.site)
        if known is None or known[:2] != here[:2]:
            chosen = None
        if known != here:
            layer_now = seen.site.rpartition(".")[0]
        return {about: here} | shown(language, seen, layer_now, box_now) | guessed(language, seen, chosen)

    @guarded(notice)
    def turn(language, seen, layer_now, box_now):
        return gr.skip() if seen is None else shown(language, seen, layer_now, box_now)

    @guarded(notice)
    def open_box(language, seen, layer_now, event: gr.EventData):
        if seen is None:
            return gr.skip()
        found = playground.ask(seen.model, inside.NAME, inside.Request(about=seen.request, layer=layer_now))
        return {box: int(event.index), tensor: opened(found, int(event.index), language), notice: ""}

    @guarded(notice)
    def look(language, seen, chosen):
        return gr.skip() if seen is None else guessed(language, seen, chosen)

    def shown(language, seen, layer_now, box_now):
        found = playground.ask(seen.model, inside.NAME, inside.Request(about=seen.request, layer=layer_now))
        options = [(layer_name(name, language), name) for name in found.layers]
        box_now = min(box_now, len(found.boxes) - 1)
        return {
            layer: gr.update(choices=options, value=layer_now),
            block: picture(found, language, pressed=box_now),
            box: box_now,
            tensor: opened(found, box_now, language),
            notice: "",
        }

    def guessed(language, seen, chosen):
        try:
            found = playground.ask(seen.model, logit_lens.NAME, logit_lens.Request(about=seen.request, place=chosen))
        except Problem as problem:
            if problem.key != "cannot_guess":
                raise
            found = None
        where = choices(playground.ask(seen.model, attend.NAME, seen.request), found)
        return {lens: lens_table(found, language) if found else "", place: where, notice: ""}

    # Wiring
    outputs = [about, layer, block, box, tensor, place, lens, notice]
    view = [page.language, is_open, seen, about, layer, box, place]
    asking = {"concurrency_limit": None, "show_progress_on": [tensor, lens], "api_visibility": "private"}
    opening(beside.frame, is_open).then(arrive, view, outputs, **asking)
    beside.moved.select(arrive, view, outputs, **asking)
    layer.input(turn, [page.language, seen, layer, box], outputs, **asking)
    block.select(open_box, [page.language, seen, layer], outputs, **QUIET)
    place.input(look, [page.language, seen, place], outputs, **asking)
    page.retelling.add(arrive, view[1:], outputs)


def opened(found: inside.Result, place: int, language: str) -> dict[str, str]:
    """The vectors of one box."""
    name = f"{layer_name(found.layer, language)} · {name_of(found, found.boxes[place], language)}"
    return drawn(features(found.boxes[place].values, found.words, title=name, language=language), name)


PART = Part(key=KEY, order=5, build=build)
