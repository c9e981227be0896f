"""Translation: what the model writes, what else it considered, and which source word each target word looked at."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr

from models.errors import Problem
from playground.figures.alignment import alignment
from playground.figures.tokens import word_probabilities
from playground.service.playground import Playground
from playground.tabs import Page, Tab
from playground.tasks import beam_tree, translate
from playground.ui.about import find_row
from playground.ui.beam_tree import drawn as drawn_tree
from playground.ui.chart import chart, drawn
from playground.ui.direction import wrong_way
from playground.ui.examples import example_row, examples, on_example
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.linked_words import glossary, linked, linked_words, until
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, starting, wire_picker
from playground.ui.progress import reporter
from playground.ui.reading import escape_html, shorten
from playground.ui.stops import Stops
from playground.ui.training import training_panel

KEY = "translation"
BEAMS = 8
LONG = 400  # characters: a few sentences, which are done before anybody asks for the first of them
RESULT = '<section class="result" aria-live="polite"><small>${label}</small><p>${value}</p></section>'


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, stops = page.playground, Stops()
    start = starting(playground, translate.NAME, examples(KEY))

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
            prefix = gr.Textbox(label=phrase("translation.prefix"), info=phrase("translation.prefix_info"), lines=1, max_lines=3)
            prefix_at = gr.State(0)
            with gr.Row():
                run = gr.Button(phrase("translation.run"), variant="primary", scale=3)
                stop = gr.Button(phrase("stop.label"), scale=1, min_width=90)
            notice = notice_line(page)
            training_panel(page, picker)
        with gr.Column(scale=8, min_width=320):
            translated = gr.HTML("", label=phrase("translation.result"), html_template=RESULT, js_on_load=None)
            considered = gr.HTML("", elem_classes="considered", js_on_load=None)
            sentence = gr.Dropdown([], label=phrase("translation.sentence"), visible=False)
            words_linked = linked_words()
            picture = chart(height=420, elem_id="translation-chart")
            gr.Markdown(phrase("translation.reading"), elem_classes="figure-note")
            sure = chart(height=280, elem_id="translation-probabilities")
            with gr.Accordion(phrase("tree.panel"), open=False) as frame:
                gr.Markdown(phrase("tree.lead"), elem_classes="figure-note")
                no_tree = notice_line(page)
                tree = gr.HTML("", elem_id="beam-tree", js_on_load=None)
            with gr.Accordion(phrase("glossary.panel"), open=False):
                colours = gr.HTML(glossary("en"), js_on_load=None)
    done, climbed = gr.State(None), gr.State(False)  # (model, question, result); whether the tree is open

    # Handlers
    @guarded(notice)
    def render(language, model, words, beams, others, prefix, prefix_at, request: gr.Request, progress=gr.Progress()):  # noqa: B008 - found as a default
        question = translate.Request(text=words, beams=int(beams), alternatives=int(others), prefix=prefix, prefix_at=prefix_at)
        result = None
        with stops.running(request) as cancel:
            waiting = {"progress": reporter(progress, language), "cancel": cancel}
            for result in answers(playground, chosen(model), question, waiting):
                place = prefix_at if prefix.strip() else 0
                yield "", (model, question, result), written(result.translation), *shown(result, place, language)
        if result is None:
            raise Problem("cancelled")
        notes = [
            wrong_way(find_row(playground, model), words, language),
            text("notice.stopped", language) if cancel.is_set() else "",
            text("notice.cut_some", language, cut=result.cut) if result.cut else "",
            "" if all(sentence.finished for sentence in result.sentences) else text("translation.unfinished", language),
        ]
        yield remark(*notes), *[gr.skip()] * 7

    @guarded(notice)
    def again(language, done, sentence):
        return gr.skip() if done is None else shown(done[2], sentence or 0, language)

    @guarded(no_tree)
    def climb(language, done, sentence):
        if done is None:
            return remark(text("tree.wait", language)), ""
        model, question, result = done
        wide = min(question.width, BEAMS)
        asked = beam_tree.Request(text=question.text, place=min(sentence or 0, len(result.sentences) - 1), beams=wide)
        asked = replace(asked, prefix=question.prefix if asked.place == question.prefix_at else "")
        return "", drawn_tree(playground.ask(model, beam_tree.NAME, asked), language)

    def climb_again(language, done, sentence, climbed):
        return climb(language, done, sentence) if climbed else gr.skip()

    @guarded(notice)
    def begin(language, done, sentence, event: gr.EventData):
        if done is None or event.side != "t":
            return gr.skip()
        place = min(sentence or 0, len(done[2].sentences) - 1)
        several = len(done[2].sentences) > 1
        said = remark(text("translation.prefix_at", language, number=place + 1)) if several else ""
        return said, until(done[2].sentences[place], event.index), place

    def choose(example, model):
        return speaking(playground, translate.NAME, model, example["languages"]), example["text"], "", 0

    # Wiring
    question = [page.language, picker.model, words, beams, others, prefix, prefix_at]
    views = [considered, sentence, words_linked, picture, sure]
    outputs = [notice, done, translated, *views]
    asking = {"concurrency_limit": None, "show_progress_on": [translated, picture], "api_visibility": "private"}
    fields_of_link = {"model": picker, "text": words, "beams": beams, "others": others, "prefix": prefix}
    linked = page.links.add(KEY, fields_of_link)
    runs = [moment(render, question, outputs, **asking) for moment in (run.click, prefix.submit, linked)]
    filled = [picker.model, words, prefix, prefix_at]
    runs.append(on_example(row, KEY, choose, [picker.model], filled).then(render, question, outputs, **asking))
    stop.click(stops.stop, None, None, **QUIET)
    sentence.input(again, [page.language, done, sentence], views, **QUIET)
    page.retelling.add(again, [done, sentence], views)
    page.retelling.add(glossary, [], colours)
    words_linked.select(begin, [page.language, done, sentence], [notice, prefix, prefix_at], **QUIET)
    seen, climbing = [page.language, done, sentence], {"concurrency_limit": None, "api_visibility": "private"}
    frame.expand(climb, seen, [no_tree, tree], **climbing).then(lambda: True, None, climbed, **QUIET)
    frame.collapse(lambda: False, None, climbed, **QUIET)
    for moment in (*(run.then for run in runs), sentence.input):
        moment(climb_again, [*seen, climbed], [no_tree, tree], show_progress="hidden", **climbing)
    page.retelling.add(climb_again, [done, sentence, climbed], [no_tree, tree])
    wire_picker(page, picker, after=runs)


def answers(playground: Playground, model: str, question: translate.Request, waiting: dict[str, Any]) -> Iterator[translate.Result]:
    """The answer; of a long text first its beginning. A short one may be known already, as the whole class asks for it."""
    if len(question.text) <= LONG:
        yield playground.ask(model, translate.NAME, question, **waiting)
        return
    with closing(playground.stream(model, translate.NAME, question, **waiting)) as results:
        yield from results


def shown(result: translate.Result, place: int, language: str) -> tuple[str, dict, str, dict[str, str], dict[str, str]]:
    """The other translations, the choice of sentence, and of the sentence at `place` its linked words and two figures."""
    sentences = result.sentences
    place = min(place, len(sentences) - 1)
    names = [(f"{number}: {shorten(one.text, 70)}", number - 1) for number, one in enumerate(sentences, 1)]
    if not sentences:
        return "", gr.update(visible=False), "", None, None
    one = sentences[place]
    looked = alignment(sentences, sentence=place, language=language)
    described = text("translation.description", language, source=" ".join(one.source_words), target=one.text)
    probabilities = word_probabilities(one.target_words, one.probabilities, language=language)
    return (
        listed(result.alternatives, language),
        gr.update(choices=names, value=place, visible=len(sentences) > 1),
        linked(one, language),
        drawn(looked, described),
        drawn(probabilities, text("translation.confidence", language)),
    )


def listed(others: tuple[translate.Alternative, ...], language: str) -> str:
    """Other translations as an HTML list, best first."""
    items = "".join(
        f"<li>{written(other.text)} <small>{escape_html(text('translation.score', language, score=f'{other.score:.2f}'))}</small></li>"
        for other in others
    )
    return f"<p>{escape_html(text('translation.others', language))}</p><ol>{items}</ol>" if items else ""


def written(words: str) -> str:
    """A text as HTML, line breaks kept."""
    return "<br>".join(map(escape_html, words.split("\n")))


TAB = Tab(key=KEY, order=4, build=build)
