"""What if: parts of the model fall silent, or a word is another one, and attention and guess are seen to move."""

from typing import Any

import gradio as gr

from models.errors import Problem
from playground.figures.difference import head_effects
from playground.parts import Beside, Part
from playground.tabs import Page
from playground.tasks import attend, which_head
from playground.ui.about import find_row
from playground.ui.chart import chart, drawn
from playground.ui.experiment import guessed, maps, set_up, told
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.naming import site_name
from playground.ui.notice import notice_line, remark
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.places import choices
from playground.ui.reading import percent, readable
from playground.ui.silence_grid import grid, silence_grid

KEY = "whatif"


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground, seen = page.playground, beside.seen

    # Layout
    gr.Markdown(phrase("whatif.lead"), elem_classes="tab-lead")
    with gr.Row():
        with gr.Column(scale=6, min_width=300):
            parts = silence_grid()
            with gr.Row():
                which = gr.Button(phrase("whatif.which"), size="sm", min_width=160)
                clear = gr.Button(phrase("whatif.clear"), size="sm", min_width=120)
        with gr.Column(scale=5, min_width=300):
            words = gr.Textbox(label=phrase("whatif.text"), lines=2, max_lines=6)
            place = gr.Dropdown([], label=phrase("whatif.place"), interactive=True)
            run = gr.Button(phrase("whatif.run"), size="sm")
            notice = notice_line(page)
    said = gr.HTML("", js_on_load=None, elem_classes="figure-note")
    with gr.Row():
        with gr.Column(min_width=300):
            guess = chart(height=300, elem_id="whatif-guess")
        with gr.Column(min_width=300):
            effects = chart(height=120, elem_id="whatif-heads")
    with gr.Row():
        with gr.Column(min_width=300):
            after = chart(height=300, elem_id="whatif-after")
        with gr.Column(min_width=300):
            change = chart(height=300, elem_id="whatif-difference")
    # What is shown: `about` is the model and request that the fields belong to, `tried` the question about single heads.
    is_open, about, silent, tried = gr.State(False), gr.State(None), gr.State(()), gr.State(None)

    # Handlers
    @guarded(notice)
    def arrive(language, is_open, seen, known, silent_now, now, chosen, asked):
        """The part was opened, or the view above is another one."""
        if not is_open or seen is None:
            return gr.skip()
        fresh = known != (seen.model, seen.request)
        if fresh:
            silent_now, now, chosen = (), seen.request.text, None
        result = playground.ask(seen.model, attend.NAME, seen.request)
        updates = {about: (seen.model, seen.request), silent: silent_now, parts: grid(result, silent_now, language)}
        if fresh:
            updates |= {words: now, effects: None, tried: None}
        elif asked is not None:
            updates |= {effects: pictured(language, playground.ask(seen.model, which_head.NAME, asked))}
        return updates | shown(language, seen, silent_now, now, chosen)

    @guarded(notice)
    def press(language, seen, now, chosen, event: gr.EventData):
        if seen is None:
            return gr.skip()
        pressed = tuple(str(part) for part in event.parts)
        return {silent: pressed} | shown(language, seen, pressed, now, chosen)

    @guarded(notice)
    def apply(language, seen, silent_now, now, chosen):
        return gr.skip() if seen is None else shown(language, seen, silent_now, now, chosen)

    @guarded(notice)
    def release(language, seen, now, chosen):
        return gr.skip() if seen is None else set_silent(language, seen, (), now, chosen)

    @guarded(notice)
    def try_heads(language, seen, now, chosen):
        if seen is None:
            return gr.skip()
        request = which_head.Request(about=set_up(playground, seen, (), now, chosen).after, place=chosen)
        note = ""
        try:
            found = playground.ask(seen.model, which_head.NAME, request)
        except Problem as problem:
            if problem.key != "too_many_heads":
                raise
            request = which_head.Request(about=request.about, place=chosen, sites=(seen.site,))
            found, note = playground.ask(seen.model, which_head.NAME, request), text("whatif.one_layer", language)
        return {effects: pictured(language, found), tried: request, notice: remark(most(found, language), note)}

    @guarded(notice)
    def take(language, seen, asked, silent_now, now, chosen, event: gr.EventData):
        """A click on the map of single heads silences that head, or lets it speak again."""
        if seen is None or asked is None:
            return gr.skip()
        found = playground.ask(seen.model, which_head.NAME, asked)
        name = f"{found.sites[int(event.y)]}:{int(event.x)}"
        left = tuple(part for part in silent_now if part != name)
        return set_silent(language, seen, left if name in silent_now else (*silent_now, name), now, chosen)

    def set_silent(language, seen, names, now, chosen):
        result = playground.ask(seen.model, attend.NAME, seen.request)
        return {silent: names, parts: grid(result, names, language)} | shown(language, seen, names, now, chosen)

    def shown(language, seen, silent_now, now, chosen):
        experiment = set_up(playground, seen, silent_now, now, chosen)
        row = find_row(playground, seen.model)
        pictures = maps(playground, experiment, seen, language)
        figure, found = guessed(playground, experiment, language)
        note = text("whatif.nothing_yet", language) if experiment.nothing else ""
        where = choices(playground.ask(seen.model, attend.NAME, experiment.before), found)
        return {
            after: pictures[0],
            change: pictures[1],
            guess: figure,
            place: where,
            said: told(playground, experiment, row["tasks"] if row else [], language),
            notice: remark(note, "" if found else text("whatif.no_guess", language)),
        }

    # Wiring
    outputs = [about, silent, tried, parts, words, place, after, change, guess, said, effects, notice]
    view = [page.language, is_open, seen, about, silent, words, place, tried]
    asking = {"concurrency_limit": None, "show_progress_on": [guess, after, change], "api_visibility": "private"}
    opening(beside.frame, is_open).then(arrive, view, outputs, **asking)
    beside.moved.select(arrive, view, outputs, **asking)
    parts.select(press, [page.language, seen, words, place], outputs, **asking, trigger_mode="always_last")
    for moment in (run.click, words.submit, place.input):
        moment(apply, [page.language, seen, silent, words, place], outputs, **asking)
    clear.click(release, [page.language, seen, words, place], outputs, **asking)
    which.click(try_heads, [page.language, seen, words, place], outputs, **(asking | {"show_progress_on": effects}))
    effects.select(take, [page.language, seen, tried, silent, words, place], outputs, **asking)
    page.retelling.add(arrive, view[1:], outputs)


def pictured(language: str, found: which_head.Result) -> dict[str, Any]:
    """What the silence of each head does, as the value of a chart."""
    picture = head_effects(found.changes, found.sites, word=found.word, probability=found.probability, language=language)
    return drawn(picture, most(found, language))


def most(found: which_head.Result, language: str) -> str:
    """The head without which the guess loses most, in a sentence."""
    row, head = divmod(int(found.changes.argmin()), found.changes.shape[1])
    fall, word = float(found.changes[row, head]), readable(found.word)
    if fall > -0.005:
        return text("whatif.which.none", language, word=word, before=percent(found.probability + min(fall, 0.0)))
    site = site_name(found.sites[row], language)
    after = percent(max(found.probability + fall, 0.0))
    return text("whatif.which.most", language, word=word, site=site, head=head + 1, before=percent(found.probability), after=after)


PART = Part(key=KEY, order=3, build=build)
