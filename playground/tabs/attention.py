"""Attention: which words look at which, in any layer and head of any model."""

import time

import gradio as gr

from playground.parts import Beside, discover
from playground.tabs import Page, Tab
from playground.tasks import attend
from playground.tasks.measures import MEASURES
from playground.ui.about import find_row
from playground.ui.attention_link import hear, tell
from playground.ui.attention_view import TOKENS, VIEWS, Seen, deeper, hint_of, shown, tile
from playground.ui.chart import chart, follower
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.linking import Shown
from playground.ui.naming import head_name
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, kind_of, model_picker, speaking, wire_picker
from playground.ui.progress import cover, reporter

KEY = "attention"
SECOND = 0.12  # seconds after which a choice that is told twice is answered again: the browser shall be drawing by then


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, start = page.playground, examples(KEY)[0]

    # Layout
    gr.Markdown(phrase("attention.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            picker = model_picker(page, attend.NAME)
            words = gr.Textbox(start["text"], label=phrase("attention.text"), lines=3, max_lines=8)
            pair = kind_of(playground, picker.model.value)
            second = gr.Textbox(
                label=phrase("attention.second"), placeholder=phrase("attention.second_hint"), max_lines=4, visible=pair == "encoder"
            )
            target = gr.Textbox(
                label=phrase("attention.target"), placeholder=phrase("attention.target_hint"), max_lines=4, visible=pair == "both"
            )
            run = gr.Button(phrase("attention.run"), variant="primary")
            notice = notice_line(page)
        with gr.Column(scale=8, min_width=320):
            views = [(phrase(f"attention.view_{name}"), name) for name in VIEWS]
            view = gr.Radio(views, value="one", label=phrase("attention.view"), interactive=False)
            with gr.Row():
                site = gr.Dropdown([], label=phrase("attention.layer"), scale=2, min_width=240, interactive=False)
                head = gr.Dropdown([(head_name(-1, "en"), -1)], value=-1, label=phrase("attention.head"), min_width=130, interactive=False)
                kinds = [(phrase(f"measure.{name}"), name) for name in MEASURES]
                measure = gr.Dropdown(kinds, value="weights", label=phrase("attention.measure"), min_width=190, interactive=False)
            marks = [(phrase(f"tokens.choice.{name}"), name) for name in TOKENS]
            tokens = gr.CheckboxGroup(marks, label=phrase("attention.tokens"), show_label=False, container=False, interactive=False)
            with gr.Column(elem_classes="covered"):
                waiting = cover()
                picture = chart(height=480, elem_id="attention-chart")
            gr.Markdown(phrase("attention.reading"), elem_classes="figure-note")
    turned = gr.State([])  # the view that a control changed last, and into which; a list, which two questions at a time share
    seen, hint = gr.State(None), gr.State(hint_of(start, picker.model.value))

    # Handlers: what is shown is always `seen`, the last question that was put and the view of it, whatever stands in the boxes by now.
    @guarded(notice)
    def look(language, model, words, second, target, site, head, view, measure, tokens, hint, progress=gr.Progress()):  # noqa: B008 - found as a default
        kind = kind_of(playground, model)
        request = attend.Request(text=words, second=second if kind == "encoder" else "", target=target if kind == "both" else "")
        result = playground.ask(chosen(model), attend.NAME, request, progress=reporter(progress, language))
        cut, look = text("notice.cut", language, limit=result.limit, cut=result.cut) if result.cut else "", ""
        if hint and (hint["model"], hint["text"]) == (model, words):
            site, head, look = hint["site"], hint["head"], hint["look"][language]
        seen = Seen(model, request, site, head, view, measure, **chosen_tokens(tokens))
        return remark(cut, look), None, *shown(seen, result, language, deeper(playground, seen))

    @guarded(notice)
    def turn(language, seen, turned, site, head, view, measure, tokens):
        if seen is None:
            return gr.skip()
        asked = seen._replace(site=site, head=head, view=view, measure=measure, **chosen_tokens(tokens))
        # A list tells twice of a choice: once more when it is left, at the same moment, maybe before or just after `seen` is written.
        if asked == seen or (turned and turned[0] is seen and turned[1] == asked):
            time.sleep(SECOND)
            return gr.skip()
        turned[:] = [seen, asked]
        try:
            told = dict(zip(views, draw(language, asked)))
        except BaseException:
            turned.clear()
            raise
        if told[views[0]] == asked == seen._replace(head=head, **chosen_tokens(tokens)):  # no control says anything new
            told = {views[0]: asked, picture: told[picture]}
        return {notice: "", **told}

    @guarded(notice)
    def again(language, seen):
        return gr.skip() if seen is None else draw(language, seen)

    def draw(language, seen):
        return shown(seen, playground.ask(seen.model, attend.NAME, seen.request), language, deeper(playground, seen))

    @guarded(notice)
    def first(language, model, words, second, target, site, head, view, measure, tokens, hint, link, progress=gr.Progress()):  # noqa: B008 - found as a default
        if page.links.asks(link) == KEY:
            return gr.skip()
        row = find_row(playground, model)
        if row is None or not row["ready"]:
            return {notice: remark(text("attention.fetch_first", language))}
        return look(language, model, words, second, target, site, head, view, measure, tokens, hint, progress)

    @guarded(notice)
    def arrive(language, due, progress=gr.Progress()):  # noqa: B008 - found as a default
        seen = due[1]
        result = playground.ask(seen.model, attend.NAME, seen.request, progress=reporter(progress, language))
        cut = text("notice.cut", language, limit=result.limit, cut=result.cut) if result.cut else ""
        return remark(cut), None, *shown(seen, result, language, deeper(playground, seen))

    @guarded(notice)
    def zoom(language, seen, event: gr.EventData):
        if seen is None or seen.view in ("one", "lines") or event.text is None:
            return gr.skip()
        site, head = tile(playground.ask(seen.model, attend.NAME, seen.request), seen, int(event.text))
        return draw(language, seen._replace(site=site, head=head, view="one"))

    def fields(model):
        kind = kind_of(playground, model)
        return gr.update(visible=kind == "encoder"), gr.update(visible=kind == "both")

    def fill(example, model):
        model = speaking(playground, attend.NAME, model, example["languages"])
        return model, example["text"], example.get("second", ""), example.get("target", ""), hint_of(example, model)

    # Wiring
    controls = [site, head, view, measure, tokens]
    question = [page.language, picker.model, words, second, target, *controls, hint]
    views = [seen, *controls, picture]
    asking = {"concurrency_limit": None, "show_progress_on": waiting, "api_visibility": "private"}
    runs = [moment(look, question, [notice, hint, *views], **asking) for moment in (run.click, second.submit, target.submit)]
    picked = on_example(row, KEY, fill, [picker.model], [picker.model, words, second, target, hint])
    runs.append(picked.then(look, question, [notice, hint, *views], **asking))
    fields_of_link = {"model": picker, "text": words, "second": second, "target": target}
    linked = page.links.add(KEY, fields_of_link, options=controls, shown=Shown(seen, tell, hear))
    runs.append(linked(arrive, [page.language, page.links.due(KEY)], [notice, hint, *views], **asking))
    page.opened.then(first, [*question, page.links.given], [notice, hint, *views], **asking)
    slow = QUIET | {"show_progress": "full", "show_progress_on": waiting}  # a gradient has to be computed first
    for control in controls:
        how = slow if control is measure else QUIET
        control.input(turn, [page.language, seen, turned, *controls], [notice, *views], **how, trigger_mode="always_last")
    page.retelling.add(again, seen, views)
    picture.select(zoom, [page.language, seen], views, **QUIET)
    picker.model.change(fields, picker.model, [second, target], **QUIET)
    page.retelling.add(lambda language, model: fields(model), picker.model, [second, target])
    wire_picker(page, picker, after=runs)

    # What opens below
    for part in discover():
        with gr.Accordion(phrase(f"part.{part.key}"), open=False, elem_id=f"part-{part.key}") as frame:
            part.build(page, Beside(seen=seen, picture=picture, moved=follower("attention-chart"), frame=frame, views=views))


def chosen_tokens(names: list[str]) -> dict[str, bool]:
    """What is to be done to tokens, as fields of `Seen`."""
    return {name: name in names for name in TOKENS}


TAB = Tab(key=KEY, order=1, build=build)
