"""Masked word: what the model would put where the text has a gap."""

import re

import gradio as gr

from models.errors import Problem
from playground.figures.bars import bar_places, mask_bars
from playground.figures.beside import beside, ranked
from playground.service.playground import Playground
from playground.tabs import Page, Tab
from playground.tasks import fill_mask, fill_mask_decoder, fill_masks
from playground.ui.chart import chart, drawn
from playground.ui.examples import example_row, examples, on_example
from playground.ui.fillings import chip, chips, together
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET, chosen, model_picker, speaking, wire_picker
from playground.ui.progress import reporter
from playground.ui.training import training_panel
from playground.ui.wording import escape_html, sentence

KEY = "masked_word"
SEPARATOR = re.compile(r"[,，、;；\n]")
MOST = 50  # candidates that a figure can show


def build(page: Page) -> None:
    """Lay the tab out, define what it does, wire it."""
    playground, start = page.playground, examples(KEY)[0]

    # Layout
    gr.Markdown(phrase("masked_word.lead"), elem_classes="tab-lead")
    row = example_row(page, KEY)
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            picker = model_picker(page, fill_mask.NAME)
            words = gr.Textbox(start["text"], label=phrase("masked_word.text"), lines=3, max_lines=8)
            insert = gr.Button(phrase("masked_word.insert"), size="sm")
            compare = gr.Textbox(
                label=phrase("masked_word.candidates"),
                info=phrase("masked_word.candidates_info"),
                placeholder=phrase("masked_word.candidates_hint"),
            )
            top_k = gr.Slider(1, MOST, 10, step=1, label=phrase("masked_word.top_k"))
            decoder = model_picker(page, fill_mask_decoder.NAME, label="masked_word.decoder", nobody="masked_word.no_decoder")
            run = gr.Button(phrase("masked_word.run"), variant="primary")
            notice = notice_line(page)
            training_panel(page, picker)
        with gr.Column(scale=8, min_width=320):
            picture = chart(height=420, elem_id="masked-word-chart")
            gr.Markdown(phrase("masked_word.reading"), elem_classes="figure-note")
            offered = gr.HTML(
                "", js_on_load="window.playground.words(element, (word) => trigger('select', word))", elem_classes="to-put-in"
            )
            joint = gr.HTML("", elem_classes="together", js_on_load=None)
    asked = gr.State(None)

    # Handlers
    @guarded(notice)
    def fill(language, model, other, words, compare, top_k, progress=gr.Progress()):  # noqa: B008 - found as a default
        candidates = tuple(dict.fromkeys(word.strip() for word in SEPARATOR.split(compare) if word.strip()))
        request = fill_mask.Request(text=words, top_k=int(top_k), candidates=candidates)
        result = playground.ask(chosen(model), fill_mask.NAME, request, progress=reporter(progress, language))
        pieces = {found.word: found.pieces for mask in result.masks for found in mask.candidates if found.pieces > 1}
        notes = [
            text("notice.cut_some", language, cut=result.cut) if result.cut else "",
            text("masked_word.pieces", language, words=text("list.comma", language).join(pieces)) if pieces else "",
        ]
        shown, offers, joined = pictured(result, language), chips(result, language), ""
        yield remark(*notes), ((model, request), None), shown, offers, joined
        if len(result.masks) > 1:
            # Known answers follow at once, and the browser may keep the last of two updates only: each one is whole.
            joined = filled_together(playground, model, words, language)
            yield remark(*notes), ((model, request), None), shown, offers, joined
        if not other:
            return
        question = fill_mask_decoder.Request(text=words, candidates=candidates)
        told = playground.ask(other, fill_mask_decoder.NAME, question, progress=reporter(progress, language))
        notes += [text("notice.cut_some", language, cut=told.cut) if told.cut else "", worth(told, other, language)]
        shown = compared(result, told, request.top_k, language)
        yield remark(*notes), ((model, request), (other, question)), shown, offers, joined

    @guarded(notice)
    def again(language, asked):
        if asked is None:
            return gr.skip()
        (model, request), further = asked
        result = playground.ask(model, fill_mask.NAME, request)
        told = playground.ask(further[0], fill_mask_decoder.NAME, further[1]) if further else None
        shown = compared(result, told, request.top_k, language) if told else pictured(result, language)
        ways = filled_together(playground, model, request.text, language) if len(result.masks) > 1 else ""
        return shown, chips(result, language), ways

    @guarded(notice)
    def put(language, asked, model, other, words, compare, top_k, event: gr.EventData, progress=gr.Progress()):  # noqa: B008 - as above
        if asked is None:
            return
        (known, request), further = asked
        result = playground.ask(known, fill_mask.NAME, request)
        found = chip(result, event.index) if hasattr(event, "index") else None if further else at_bar(result, event.y)
        if found is None:
            return
        if words != request.text:
            raise Problem("no_gap")
        mask, candidate = found
        words = "".join(piece for piece, _ in fill_masks.put_in(words, [mask.span], [candidate.word]))
        if len(result.masks) == 1:
            yield remark(text("masked_word.all_filled", language)), None, gr.skip(), "", "", words
            return
        for update in fill(language, model, other, words, compare, top_k, progress):
            yield update if isinstance(update, dict) else (*update, words)

    def choose(example, model):
        return speaking(playground, fill_mask.NAME, model, example["languages"]), example["text"], example.get("candidates", "")

    # Wiring
    question = [page.language, picker.model, decoder.model, words, compare, top_k]
    outputs = [notice, asked, picture, offered, joint]
    asking = {"concurrency_limit": None, "show_progress_on": picture, "api_visibility": "private"}
    view = {"model": picker, "text": words, "candidates": compare, "top_k": top_k, "decoder": decoder}
    linked = page.links.add(KEY, view)
    runs = [moment(fill, question, outputs, **asking) for moment in (run.click, compare.submit, linked)]
    runs.append(on_example(row, KEY, choose, [picker.model], [picker.model, words, compare]).then(fill, question, outputs, **asking))
    insert.click(lambda words: f"{words.rstrip()} [MASK]".lstrip(), words, words, **QUIET)
    for clicked in (offered, picture):
        clicked.select(put, [page.language, asked, *question[1:]], [*outputs, words], **asking)
    page.retelling.add(again, asked, [picture, offered, joint])
    for one in (picker, decoder):
        wire_picker(page, one, after=runs)


def pictured(result: fill_mask.Result, language: str) -> dict[str, str]:
    """The bars of a result, as the value of its chart."""
    best = [mask.candidates[0].word for mask in result.masks if mask.candidates]
    return drawn(
        mask_bars(result, language=language), text("masked_word.description", language, best=text("list.comma", language).join(best))
    )


def filled_together(playground: Playground, model: str, words: str, language: str) -> str:
    """The three ways to fill all gaps, or why they cannot be shown: the gaps by themselves are answered all the same."""
    try:
        return together(playground.ask(model, fill_masks.NAME, fill_masks.Request(text=words)), language)
    except Problem as problem:
        return f'<p class="hint">{escape_html(sentence(problem, language))}</p>'


def at_bar(result: fill_mask.Result, y: float) -> tuple[fill_mask.Mask, fill_mask.Candidate] | None:
    """The gap and the word of the bar at `y` of the figure."""
    places = [(abs(place - y), number, rank) for place, number, rank in bar_places(result)]
    _, number, rank = min(places)
    return result.masks[number], result.masks[number].candidates[rank]


def compared(result: fill_mask.Result, told: fill_mask_decoder.Result, top: int, language: str) -> dict[str, str]:
    """Encoder and decoder side by side, as the value of their chart."""
    best = {"encoder": result.masks[0].candidates[0].word} | {share: ranked(told, share)[0][0] for share in ("left", "both")}
    return drawn(beside(result, told, top=top, language=language), text("masked_word.beside", language, **best))


def worth(told: fill_mask_decoder.Result, model: str, language: str) -> str:
    """In a sentence: what the right side changes for a decoder."""
    left = [word for word, _ in ranked(told, "left")]
    best = told.candidates[0].word
    values = {"model": model, "best": best, "count": len(left)}
    ended = sum(not one.estimated for one in told.candidates)
    halved = text("masked_word.halved", language, ended=ended) if ended < len(left) else ""
    if left[0] == best:
        return text("masked_word.left_is_enough", language, **values) + halved
    return text("masked_word.worth", language, first=left[0], place=left.index(best) + 1, **values) + halved


TAB = Tab(key=KEY, order=2, build=build)
