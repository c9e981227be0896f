"""Next sentence: which of several sentences follows the first."""

import gradio as gr

from models.errors import Problem
from playground.figures.bars import ranking_bars
from playground.tabs import Page, Tab
from playground.tasks import next_sentence
from playground.ui.chart import chart, drawn
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.minimal_pairs import questions, table
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, wire_picker
from playground.ui.progress import reporter
from playground.ui.reading import percent
from playground.ui.training import record_of, training_panel
from playground.ui.wording import escape_html

KEY = "next_sentence"


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, start = page.playground, examples(KEY)[0]

    def honest(language, model):
        return measured(record_of(playground, model).quality, model, language)

    # Layout
    gr.Markdown(phrase("next_sentence.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            picker = model_picker(page, next_sentence.NAME)
            first = gr.Textbox(start["first"], label=phrase("next_sentence.first"), lines=2, max_lines=6)
            seconds = gr.Textbox("\n".join(start["seconds"]), label=phrase("next_sentence.seconds"), lines=4, max_lines=12)
            run = gr.Button(phrase("next_sentence.run"), variant="primary")
            notice = notice_line(page)
            training_panel(page, picker)
        with gr.Column(scale=8, min_width=320):
            picture = chart(height=360, elem_id="next-sentence-chart")
            gr.Markdown(phrase("next_sentence.reading"), elem_classes="figure-note")
            known = gr.HTML(honest("en", picker.model.value), elem_classes="figure-note", js_on_load=None)
            with gr.Accordion(phrase("pairs.panel"), open=False) as panel:
                gr.Markdown(phrase("pairs.lead"), elem_classes="figure-note")
                failing = notice_line(page)
                judged = gr.HTML("", js_on_load=None)
    asked, measured_model = gr.State(None), gr.State(None)

    # Handlers
    @guarded(notice)
    def compare(language, model, first, seconds, progress=gr.Progress()):  # noqa: B008 - found as a default
        candidates = [line.strip() for line in seconds.splitlines() if line.strip()]
        if not candidates:
            raise Problem("no_candidates")
        requests = tuple(next_sentence.Request(first=first, second=candidate) for candidate in candidates)
        results = playground.ask_all(chosen(model), next_sentence.NAME, requests, progress=reporter(progress, language))
        cut = max(result.cut for result in results)
        notes = remark(text("notice.cut_some", language, cut=cut) if cut else "")
        return notes, (model, requests), pictured(requests, results, language)

    @guarded(notice)
    def again(language, asked):
        if asked is None:
            return gr.skip()
        return pictured(asked[1], playground.ask_all(asked[0], next_sentence.NAME, asked[1]), language)

    @guarded(failing)
    def judge(language, model, progress=gr.Progress()):  # noqa: B008 - found as a default
        results = playground.ask_all(chosen(model), next_sentence.NAME, questions(), progress=reporter(progress, language))
        return "", model, table(results, language)

    @guarded(failing)
    def judge_again(language, model):
        return table(playground.ask_all(model, next_sentence.NAME, questions()), language) if model else gr.skip()

    def choose(example, model):
        return speaking(playground, next_sentence.NAME, model, example["languages"]), example["first"], "\n".join(example["seconds"])

    # Wiring
    question = [page.language, picker.model, first, seconds]
    outputs = [notice, asked, picture]
    asking = {"concurrency_limit": None, "show_progress_on": picture, "api_visibility": "private"}
    linked = page.links.add(KEY, {"model": picker, "first": first, "seconds": seconds})
    runs = [moment(compare, question, outputs, **asking) for moment in (run.click, linked)]
    runs.append(on_example(row, KEY, choose, [picker.model], [picker.model, first, seconds]).then(compare, question, outputs, **asking))
    page.retelling.add(again, asked, picture)
    panel.expand(judge, [page.language, picker.model], [failing, measured_model, judged], concurrency_limit=None, api_visibility="private")
    page.retelling.add(judge_again, measured_model, judged)
    picker.model.change(lambda: ("", None, ""), None, [failing, measured_model, judged], **QUIET)
    picker.model.change(honest, [page.language, picker.model], known, **QUIET)
    page.retelling.add(honest, picker.model, known)
    wire_picker(page, picker, after=runs)


def pictured(requests: tuple[next_sentence.Request, ...], results: list[next_sentence.Result], language: str) -> dict[str, str]:
    """The ranking, as the value of its chart."""
    sentences = [request.second for request in requests]
    probabilities = [result.probability for result in results]
    best = sentences[probabilities.index(max(probabilities))]
    figure = ranking_bars(sentences, probabilities, first=requests[0].first, language=language)
    return drawn(figure, text("next_sentence.description", language, best=best))


def measured(quality: dict, model: str | None, language: str) -> str:
    """How often the model is right, and how much less often where both sentences are from one document; empty where nobody measured."""
    if not {"nsp", "nsp_same_document"} <= set(quality):
        return ""
    shares = {"nsp": percent(quality["nsp"]), "same": percent(quality["nsp_same_document"])}
    return f"<p>{escape_html(text('next_sentence.measured', language, model=model, **shares))}</p>"


TAB = Tab(key=KEY, order=3, build=build)
