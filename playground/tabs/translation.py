"""Translation: what the model writes, what else it considered, and which source word each target word looked at."""

import gradio as gr

from playground.figures.alignment import alignment
from playground.figures.tokens import word_probabilities
from playground.tabs import Page, Tab
from playground.tasks import translate
from playground.ui.chart import chart, drawn
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, wire_picker
from playground.ui.progress import reporter
from playground.ui.stops import Stops
from playground.ui.wording import escape_html

KEY = "translation"
BEAMS = 8
RESULT = '<section class="result" aria-live="polite"><h3>${label}</h3><p>${value}</p></section>'


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, start, stops = page.playground, examples(KEY)[0], Stops()

    # Layout
    gr.Markdown(phrase("translation.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            picker = model_picker(page, translate.NAME)
            words = gr.Textbox(start["text"], label=phrase("translation.text"), lines=4, max_lines=12)
            beams = gr.Slider(1, BEAMS, 4, step=1, label=phrase("translation.beams"), info=phrase("translation.beams_info"))
            others = gr.Slider(
                0, BEAMS - 1, 3, step=1, label=phrase("translation.alternatives"), info=phrase("translation.alternatives_info")
            )
            with gr.Row():
                run = gr.Button(phrase("translation.run"), variant="primary", scale=3)
                stop = gr.Button(phrase("stop.label"), scale=1, min_width=90)
            notice = notice_line(page)
        with gr.Column(scale=8, min_width=320):
            translated = gr.HTML("", label=phrase("translation.result"), html_template=RESULT, js_on_load=None)
            considered = gr.HTML("", elem_classes="considered", js_on_load=None)
            sentence = gr.Dropdown([], label=phrase("translation.sentence"), visible=False)
            picture = chart(height=420, elem_id="translation-chart")
            gr.Markdown(phrase("translation.reading"), elem_classes="figure-note")
            sure = chart(height=280, elem_id="translation-probabilities")
    asked = gr.State(None)

    # Handlers
    @guarded(notice)
    def render(language, model, words, beams, others, request: gr.Request, progress=gr.Progress()):  # noqa: B008 - found as a default
        question = translate.Request(text=words, beams=int(beams), alternatives=min(int(others), int(beams) - 1))
        with stops.running(request) as cancel:
            result = playground.ask(chosen(model), translate.NAME, question, progress=reporter(progress, language), cancel=cancel)
        cut = remark(text("notice.cut_some", language, cut=result.cut) if result.cut else "")
        return cut, (model, question), "<br>".join(map(escape_html, result.translation.split("\n"))), *shown(result, 0, language)

    @guarded(notice)
    def again(language, asked, sentence):
        if asked is None:
            return gr.skip()
        return shown(playground.ask(asked[0], translate.NAME, asked[1]), sentence or 0, language)

    def choose(example, model):
        return speaking(playground, translate.NAME, model, example["languages"]), example["text"]

    # Wiring
    question = [page.language, picker.model, words, beams, others]
    views = [considered, sentence, picture, sure]
    outputs = [notice, asked, translated, *views]
    asking = {"concurrency_limit": None, "show_progress_on": [translated, picture], "api_visibility": "private"}
    runs = [run.click(render, question, outputs, **asking)]
    runs.append(on_example(row, KEY, choose, [picker.model], [picker.model, words]).then(render, question, outputs, **asking))
    stop.click(stops.stop, None, None, **QUIET)
    sentence.input(again, [page.language, asked, sentence], views, **QUIET)
    page.retelling.add(again, [asked, sentence], views)
    wire_picker(page, picker, after=runs)


def shown(result: translate.Result, place: int, language: str) -> tuple[str, dict, dict[str, str], dict[str, str]]:
    """The other translations, the choice of sentence, and the two figures of the sentence at `place`."""
    sentences = result.sentences
    place = min(place, len(sentences) - 1)
    names = [(f"{number}: {one.text}", number - 1) for number, one in enumerate(sentences, 1)]
    if not sentences:
        return "", gr.update(visible=False), None, None
    one = sentences[place]
    looked = alignment(sentences, sentence=place, language=language)
    described = text("translation.description", language, source=" ".join(one.source_words), target=one.text)
    probabilities = word_probabilities(one.target_words, one.probabilities, language=language)
    return (
        listed(result.alternatives, language),
        gr.update(choices=names, value=place, visible=len(sentences) > 1),
        drawn(looked, described),
        drawn(probabilities, text("translation.confidence", language)),
    )


def listed(others: tuple[translate.Alternative, ...], language: str) -> str:
    """Other translations as an HTML list, best first."""
    items = "".join(
        f"<li>{escape_html(other.text)} <small>{escape_html(text('translation.score', language, score=f'{other.score:.2f}'))}</small></li>"
        for other in others
    )
    return f"<p>{escape_html(text('translation.others', language))}</p><ol>{items}</ol>" if items else ""


TAB = Tab(key=KEY, order=4, build=build)
