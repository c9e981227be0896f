"""Generation: a text, token by token, with the probability of each and what else it might have been."""

import time
from contextlib import closing

import gradio as gr

from playground.figures.tokens import generated
from playground.tabs import Page, Tab
from playground.tasks import generate
from playground.ui.chart import chart, drawn
from playground.ui.coloured import alternatives, coloured, coloured_text, legend
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, wire_picker
from playground.ui.progress import reporter
from playground.ui.stops import Stops

KEY = "generation"
REFRESH_SECONDS = 0.1  # a fast model makes more tokens than anybody can read
LONGEST = 512


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, start, stops = page.playground, examples(KEY)[0], Stops()

    # Layout
    gr.Markdown(phrase("generation.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            picker = model_picker(page, generate.NAME)
            prompt = gr.Textbox(start["prompt"], label=phrase("generation.prompt"), lines=4, max_lines=12)
            with gr.Row():
                run = gr.Button(phrase("generation.run"), variant="primary", scale=3)
                stop = gr.Button(phrase("stop.label"), scale=1, min_width=90)
            notice = notice_line(page)
            with gr.Accordion(phrase("generation.settings"), open=False):
                length = gr.Slider(1, LONGEST, 64, step=1, label=phrase("generation.max_new_tokens"))
                temperature = gr.Slider(
                    0, 2, 0.7, step=0.05, label=phrase("generation.temperature"), info=phrase("generation.temperature_info")
                )
                top_k = gr.Slider(0, 200, 50, step=1, label=phrase("generation.top_k"), info=phrase("generation.top_k_info"))
                top_p = gr.Slider(0.05, 1, 0.9, step=0.05, label=phrase("generation.top_p"), info=phrase("generation.top_p_info"))
                seed = gr.Number(0, label=phrase("generation.seed"), info=phrase("generation.seed_info"), precision=0, minimum=0)
                chat = gr.Checkbox(True, label=phrase("generation.chat"))
        with gr.Column(scale=8, min_width=320):
            answer = coloured_text()
            colours = gr.HTML(legend("en"), js_on_load=None)
            detail = notice_line(page)
            picture = chart(height=360, elem_id="generation-chart")
    steps = gr.State(())

    # Handlers
    @guarded(notice)
    def write(language, model, prompt, length, temperature, top_k, top_p, seed, chat, request: gr.Request, progress=gr.Progress()):  # noqa: B008 - found as a default
        question = generate.Request(
            prompt=prompt,
            max_new_tokens=int(length),
            temperature=float(temperature),
            top_k=int(top_k),
            top_p=float(top_p),
            seed=int(seed or 0),
            chat=bool(chat),
        )
        made, last = [], 0.0
        yield "", (), "", "", None
        with stops.running(request) as cancel:
            report = reporter(progress, language)
            with closing(playground.stream(chosen(model), generate.NAME, question, progress=report, cancel=cancel)) as items:
                for step in items:
                    made.append(step)
                    if time.monotonic() - last > REFRESH_SECONDS:
                        last = time.monotonic()
                        yield "", tuple(made), coloured(made), gr.skip(), gr.skip()
        cut, ended = (made[-1].cut, made[-1].finished) if made else (0, True)
        ending = "notice.stopped" if cancel.is_set() else "generation.finished" if ended else "generation.length"
        note = remark(
            text("notice.cut_some", language, cut=cut) if cut else "",
            text(ending, language, count=len(made)),
            text("generation.hint", language) if made else "",
        )
        yield note, tuple(made), coloured(made), gr.skip(), pictured(made, language)

    @guarded(notice)
    def inspect(language, steps, event: gr.EventData):
        place = event.index
        if not isinstance(place, int) or not 0 <= place < len(steps):
            return gr.skip()
        return alternatives(steps, place, language)

    def again(language, steps):
        return legend(language), "", pictured(steps, language) if steps else gr.skip()

    def choose(example, model):
        return speaking(playground, generate.NAME, model, example["languages"]), example["prompt"]

    # Wiring
    question = [page.language, picker.model, prompt, length, temperature, top_k, top_p, seed, chat]
    outputs = [notice, steps, answer, detail, picture]
    asking = {"concurrency_limit": None, "show_progress": "minimal", "show_progress_on": answer, "api_visibility": "private"}
    runs = [run.click(write, question, outputs, **asking)]
    runs.append(on_example(row, KEY, choose, [picker.model], [picker.model, prompt]).then(write, question, outputs, **asking))
    stop.click(stops.stop, None, None, **QUIET)
    answer.select(inspect, [page.language, steps], detail, **QUIET)
    page.retelling.add(again, steps, [colours, detail, picture])
    wire_picker(page, picker, after=runs)


def pictured(steps: tuple[generate.Step, ...], language: str) -> dict[str, str] | None:
    """The columns of all tokens, as the value of their chart; nothing where there are none."""
    return drawn(generated(steps, language=language), text("generation.chart", language, count=len(steps))) if steps else None


TAB = Tab(key=KEY, order=5, build=build)
