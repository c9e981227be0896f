"""Attention: which words look at which, in any layer and head of any model."""

from typing import Any

import gradio as gr
import plotly.graph_objects as go

from models.errors import Problem
from playground.figures.grid import grid_of_heads, grid_of_layers, grid_of_model
from playground.figures.heatmap import heatmap
from playground.tabs import Page, Tab
from playground.tasks import attend
from playground.ui.about import fetching, find_row
from playground.ui.chart import chart, drawn
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.naming import head_name, site_name
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, kind_of, model_picker, speaking, wire_picker
from playground.ui.progress import reporter

KEY = "attention"
VIEWS = ("one", "heads", "layers", "model")  # one head; every head of the layer; every layer; every head of every layer


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
        with gr.Column(scale=8, min_width=320):
            notice = notice_line(page)
            view = gr.Radio([(phrase(f"attention.view_{name}"), name) for name in VIEWS], value="one", label=phrase("attention.view"))
            with gr.Row():
                site = gr.Dropdown([], label=phrase("attention.layer"), min_width=150)
                head = gr.Dropdown([(head_name(-1, "en"), -1)], value=-1, label=phrase("attention.head"), min_width=130)
            picture = chart(height=480, elem_id="attention-chart")
            gr.Markdown(phrase("attention.reading"), elem_classes="figure-note")
    asked, hint = gr.State(None), gr.State(hint_of(start, picker.model.value))

    # Handlers: what is shown is always `asked`, the last question that was put, whatever stands in the boxes by now.
    @guarded(notice)
    def look(language, model, words, second, target, site, head, view, hint, progress=gr.Progress()):  # noqa: B008 - found as a default
        kind = kind_of(playground, model)
        request = attend.Request(text=words, second=second if kind == "encoder" else "", target=target if kind == "both" else "")
        result = playground.ask(chosen(model), attend.NAME, request, progress=reporter(progress, language))
        cut = text("notice.cut", language, limit=result.limit, cut=result.cut) if result.cut else ""
        if hint and (hint["model"], hint["text"]) == (model, words):
            return remark(cut, hint["look"][language]), (model, request), None, *shown(result, hint["site"], hint["head"], view, language)
        return remark(cut), (model, request), None, *shown(result, site, head, view, language)

    @guarded(notice)
    def show(language, asked, site, head, view):
        if asked is None:
            return gr.skip()
        result = playground.ask(asked[0], attend.NAME, asked[1])
        return shown(result, site, head, view, language)

    @guarded(notice)
    def first(language, model, *inputs):
        row = find_row(playground, model)
        if row is None or not row["ready"]:
            return {notice: remark(fetching(playground, row, language) if row else "")}
        return look(language, model, *inputs)

    @guarded(notice)
    def zoom(language, asked, site, view, event: gr.EventData):
        if asked is None or view == "one" or event.text is None:
            return gr.skip()
        result = playground.ask(asked[0], attend.NAME, asked[1])
        site, head = tile(result, site, view, int(event.text))
        return "one", *shown(result, site, head, "one", language)

    def fields(model):
        kind = kind_of(playground, model)
        return gr.update(visible=kind == "encoder"), gr.update(visible=kind == "both")

    def fill(example, model):
        model = speaking(playground, attend.NAME, model, example["languages"])
        return model, example["text"], example.get("second", ""), example.get("target", ""), hint_of(example, model)

    # Wiring
    question = [picker.model, words, second, target, site, head, view, hint]
    outputs = [notice, asked, hint, site, head, picture]
    asking = {"concurrency_limit": None, "show_progress_on": picture, "api_visibility": "private"}
    runs = [moment(look, [page.language, *question], outputs, **asking) for moment in (run.click, second.submit, target.submit)]
    picked = on_example(row, KEY, fill, [picker.model], [picker.model, words, second, target, hint])
    runs.append(picked.then(look, [page.language, *question], outputs, **asking))
    page.opened.then(first, [page.language, *question], outputs, **asking)
    for moment in (site.input, head.input, view.input, page.language.change):
        moment(show, [page.language, asked, site, head, view], [site, head, picture], **QUIET, trigger_mode="always_last")
    picture.select(zoom, [page.language, asked, site, view], [view, site, head, picture], **QUIET)
    picker.model.change(fields, picker.model, [second, target], **QUIET)
    wire_picker(page, picker, after=runs)


def hint_of(example: dict[str, Any], model: str | None) -> dict[str, Any] | None:
    """Where an example is best seen and what to look at; None with another model, whose layers and heads do other things."""
    fits = example.get("show", {}).get("model") == model
    return example["show"] | {"text": example["text"], "look": example["look"]} if fits else None


def shown(result: attend.Result, site: str | None, head: int, view: str, language: str) -> tuple[dict, dict, dict]:
    """The choices of layer and head that this result has, and its figure."""
    site = site if site in result.sites else result.sites[-1]
    head = head if head < result.heads(site) else -1
    sites = gr.update(
        choices=[(site_name(name, language), name) for name in result.sites], value=site, interactive=view in ("one", "heads")
    )
    heads = [(head_name(number, language), number) for number in range(-1, result.heads(site))]
    figure = pictured(result, site, head, view, language)
    description = text("attention.description", language, site=site_name(site, language), head=head_name(head, language))
    return sites, gr.update(choices=heads, value=head, interactive=view == "one"), drawn(figure, description)


def pictured(result: attend.Result, site: str, head: int, view: str, language: str) -> go.Figure:
    """The figure of one view of a result."""
    common = {"language": language, "window": result.window}
    if view == "one":
        return heatmap(result.weights(site, head), *result.words_at(site), site=site, head=head, causal=site in result.causal, **common)
    if view == "heads":
        return grid_of_heads(result.all_weights(site), *result.words_at(site), site=site, causal=site in result.causal, **common)
    if view == "layers":
        return grid_of_layers(result.sites, result.weights, result.words_at, causal=result.causal, **common)
    if len({result.heads(name) for name in result.sites}) > 1:
        raise Problem("uneven_heads")
    return grid_of_model(result.sites, result.all_weights, result.words_at, causal=result.causal, **common)


def tile(result: attend.Result, site: str | None, view: str, place: int) -> tuple[str, int]:
    """Which site and head a tile of a view shows; `place` is what a click on it brings."""
    if view == "heads":
        return site or result.sites[-1], place
    if view == "layers":
        return result.sites[place], -1
    heads = result.heads(result.sites[0])
    return result.sites[place // heads], place % heads


TAB = Tab(key=KEY, order=1, build=build)
