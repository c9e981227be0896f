"""Generation: a text, token by token, with the probability of each and what else it might have been."""

import time
from contextlib import closing

import gradio as gr

from playground.figures.temperature import temperature_bars
from playground.figures.tokens import generated
from playground.tabs import Page, Tab
from playground.tasks import generate, next_token
from playground.ui.branches import Branch, choices, find, kept, left
from playground.ui.chart import chart, drawn
from playground.ui.coloured import alternatives, coloured, coloured_text, legend, pickable
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, wire_picker
from playground.ui.progress import reporter
from playground.ui.reading import percent, readable
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
            detail = pickable()
            branch = gr.Radio([], label=phrase("branches.label"), info=phrase("branches.info"), visible=False, elem_id="branches")
            picture = chart(height=360, elem_id="generation-chart")
            with gr.Accordion(phrase("temperature.panel"), open=False) as panel:
                gr.Markdown(phrase("temperature.lead"), elem_classes="figure-note")
                cold = notice_line(page)
                warmth = chart(height=320, elem_id="temperature-chart")
    saved, place, looking = gr.State(()), gr.State(None), gr.State(False)  # the branches; the clicked token; whether the panel is open

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
        yield "", "", "", None, (), None, gr.update(choices=[], value=None, visible=False)
        made, listed = [], None
        for update in told(language, chosen(model), question, made, request, progress):
            first = (Branch(number=1, model=model, question=question, steps=tuple(made)),) if made else ()
            listed = gr.skip() if listed else gr.update(choices=choices(first, language), value=1 if first else None)
            yield *update, first, gr.skip(), listed

    @guarded(notice)
    def leave(language, saved, number, place, length, event: gr.EventData, request: gr.Request, progress=gr.Progress()):  # noqa: B008 - as above
        before = find(saved, number)
        way = left(before, place, event.index, room=int(length)) if before and isinstance(place, int) else None
        if way is None:
            return
        question, word = way
        yield "", gr.skip(), "", gr.skip(), gr.skip(), None, gr.skip()
        made, new = [], {"parent": before.number, "place": place, "word": word, "model": before.model, "question": question}
        listed = None  # chosen once: a visitor may choose another while this one grows
        for update in told(language, before.model, question, made, request, progress):
            all_ = kept(saved, Branch(number=saved[-1].number + 1, steps=tuple(made), **new))
            listed = gr.skip() if listed else gr.update(choices=choices(all_, language), value=all_[-1].number, visible=True)
            yield *update, all_, gr.skip(), listed

    def told(language, model, question, made, request, progress):
        """The answer as it grows: notice, text, detail, picture. Its steps are put into `made`."""
        last = 0.0
        with stops.running(request) as cancel:
            report = reporter(progress, language)
            with closing(playground.stream(model, generate.NAME, question, progress=report, cancel=cancel)) as items:
                for step in items:
                    made.append(step)
                    if time.monotonic() - last > REFRESH_SECONDS:
                        last = time.monotonic()
                        yield "", coloured(made), gr.skip(), gr.skip()
            if cancel.unheard:
                return
            cut, ended = (made[-1].cut, made[-1].finished) if made else (0, True)
            ending = "notice.stopped" if cancel.is_set() else "generation.finished" if ended else "generation.length"
            note = remark(
                text("notice.cut_some", language, cut=cut) if cut else "",
                text(ending, language, count=len(made)),
                text("generation.hint", language) if made else "",
            )
            yield note, coloured(made), gr.skip(), pictured(made, language)

    @guarded(notice)
    def inspect(language, saved, number, event: gr.EventData):
        one, place = find(saved, number), event.index
        if one is None or not isinstance(place, int) or not 0 <= place < len(one.steps):
            return gr.skip()
        return alternatives(one.steps, place, language), place

    def back(language, saved, number, request: gr.Request):
        stops.hush(request)  # whoever looks at another branch wants to read it: what is being written ends where it is
        one = find(saved, number)
        return gr.skip() if one is None else (coloured(one.steps), "", pictured(one.steps, language), None)

    def again(language, saved, number):
        one = find(saved, number)
        listed = gr.update(choices=choices(saved, language))
        return legend(language), "", pictured(one.steps, language) if one else gr.skip(), listed

    @guarded(cold)
    def warm(language, looking, saved, number, place, model, prompt, chat, top_k, top_p):
        if not looking:
            return gr.skip()
        one = find(saved, number)
        asked, known = (one.question, one.model) if one else (generate.Request(prompt=prompt, chat=bool(chat)), chosen(model))
        steps = one.steps if one else ()
        place = place if isinstance(place, int) and place < len(steps) else 0
        question = next_token.Request(
            prompt=asked.prompt,
            chat=asked.chat,
            begun=tuple(step.token for step in steps[:place]),
            top_k=int(top_k),
            top_p=float(top_p),
        )
        result = playground.ask(known, next_token.NAME, question)
        return "", warmed(result, steps[place].word if steps else "", language)

    def choose(example, model):
        return speaking(playground, generate.NAME, model, example["languages"]), example["prompt"]

    # Wiring
    question = [page.language, picker.model, prompt, length, temperature, top_k, top_p, seed, chat]
    outputs = [notice, answer, detail, picture, saved, place, branch]
    asking = {"concurrency_limit": None, "show_progress": "minimal", "show_progress_on": answer, "api_visibility": "private"}
    settings = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed, "chat": chat}
    linked = page.links.add(KEY, {"model": picker, "prompt": prompt} | settings)
    runs = [moment(write, question, outputs, **asking) for moment in (run.click, linked)]
    runs.append(on_example(row, KEY, choose, [picker.model], [picker.model, prompt]).then(write, question, outputs, **asking))
    stop.click(stops.stop, None, None, **QUIET)
    left_off = detail.select(leave, [page.language, saved, branch, place, length], outputs, **asking)
    asked = answer.select(inspect, [page.language, saved, branch], [detail, place], **QUIET)
    gone = branch.input(back, [page.language, saved, branch], [answer, detail, picture, place], **QUIET)
    page.retelling.add(again, [saved, branch], [colours, detail, picture, branch])
    warming = [page.language, looking, saved, branch, place, picker.model, prompt, chat, top_k, top_p]
    opened = opening(panel, looking)
    for moment in (opened.then, asked.then, gone.then, left_off.then, *(one.then for one in runs), top_k.release, top_p.release):
        moment(warm, warming, [cold, warmth], concurrency_limit=None, show_progress="hidden", api_visibility="private")
    page.retelling.add(warm, warming[1:], [cold, warmth])
    wire_picker(page, picker, after=runs)


def pictured(steps: tuple[generate.Step, ...], language: str) -> dict[str, str] | None:
    """The columns of all tokens, as the value of their chart; nothing where there are none."""
    return drawn(generated(steps, language=language), text("generation.chart", language, count=len(steps))) if steps else None


def warmed(result: next_token.Result, word: str, language: str) -> dict[str, str]:
    """One distribution at several temperatures, as the value of its chart."""
    low, high = min(result.chances[:, 0]), max(result.chances[:, 0])
    values = {"best": readable(result.words[0]), "low": percent(float(low)), "high": percent(float(high))}
    return drawn(temperature_bars(result, chosen=word, language=language), text("temperature.description", language, **values))


TAB = Tab(key=KEY, order=5, build=build)
