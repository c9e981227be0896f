"""Which words the model's own prediction hangs on: gradient times input, as coloured words."""

import gradio as gr
import numpy as np

from playground.parts import Beside, Part
from playground.tabs import Page
from playground.tasks import attend, attribute
from playground.tasks.words import side, summed
from playground.ui.attention_view import Seen
from playground.ui.guard import guarded
from playground.ui.language import text
from playground.ui.notice import notice_line
from playground.ui.opening import opening
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.reading import escape_html, readable

KEY = "saliency"
SIGNS = ("absolute", "signed")
TINT = 55  # percent of colour behind the strongest word: more would hide it


def build(page: Page, beside: Beside) -> None:
    """Lay the part out, define what it does, wire it."""
    playground = page.playground

    # Layout
    gr.Markdown(phrase("saliency.how"), elem_classes="figure-note")
    notice = notice_line(page)
    sign = gr.Radio([(phrase(f"saliency.{name}"), name) for name in SIGNS], value="absolute", label=phrase("saliency.sign"))
    strip = gr.HTML("", elem_id="saliency-strip", elem_classes="saliency-part", js_on_load=None)
    is_open = gr.State(False)

    # Handlers
    @guarded(notice)
    def fill(language, seen, sign, is_open):
        if not is_open or seen is None:
            return gr.skip()
        seeing = playground.ask(seen.model, attend.NAME, seen.request)
        return "", strips(seen, seeing, playground.ask(seen.model, attribute.NAME, seen.request), sign, language)

    # Wiring
    given, told = [page.language, beside.seen, sign, is_open], [notice, strip]
    asking = QUIET | {"show_progress": "full", "show_progress_on": strip}  # the first answer to a text takes a moment
    opening(beside.frame, is_open).then(fill, given, told, **asking)
    beside.moved.select(fill, given, told, **asking, trigger_mode="always_last")
    sign.input(fill, given, told, **asking, trigger_mode="always_last")
    page.retelling.add(fill, given[1:], told)


def strips(seen: Seen, seeing: attend.Result, found: attribute.Result, sign: str, language: str) -> str:
    """The words of each stack as HTML, and what was predicted."""
    aim = text(f"saliency.aim.{found.aim}", language, **({"word": readable(found.word)} if found.word else {}))
    parts = [f'<p class="aim">{escape_html(aim)}</p>']
    for stack, values in found.saliency.items():
        words = seeing.words[stack]
        shown = side(words, seeing.starts.get(stack, (True,) * len(words)), seeing.special[stack], whole=seen.whole, hide=seen.hide)
        head = f"<h4>{escape_html(text(f'saliency.stack.{stack}', language))}</h4>" if len(found.saliency) > 1 else ""
        parts.append(f'{head}<p class="saliency">{coloured(shown.words, summed(values, shown), signed=sign == "signed")}</p>')
    return "".join(parts)


def coloured(words: tuple[str, ...], values: np.ndarray, *, signed: bool) -> str:
    """Words with a ground as strong as their value; `signed`: those below 0 in another colour and with a dashed line."""
    top = max(float(np.abs(values).max()), 1e-12)
    pieces = []
    for word, value in zip(words, map(float, values)):
        share = abs(value) / top
        kind = "against" if signed and value < 0 else "for"
        said = f"{value:.3g}" if signed else f"{abs(value):.3g}"
        style = f"--tint:{share * TINT:.0f}%;--line:{share * 100:.0f}%"
        pieces.append(f'<span class="{kind}" style="{style}" title="{said}">{escape_html(readable(word))}</span>')
    return " ".join(pieces)


PART = Part(key=KEY, order=6, build=build)
