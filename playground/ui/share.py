"""The panel behind "Share": the link of the view, its QR code, a teacher's locks, and the view as Python."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import segno

from models.errors import Problem
from playground.tabs import Page
from playground.ui.as_python import as_python
from playground.ui.language import text
from playground.ui.linking import KEPT
from playground.ui.links import LOCKS, LONGEST, MARK, State, encode
from playground.ui.notice import refusal, remark
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET
from playground.ui.reading import escape_html
from playground.ui.wording import sentence

# The address of the page and its open tab are known to the browser only.
WHERE = "(language, address, tab, ...rest) => [language, ...window.playground.where(), ...rest]"
COPY = "async (language, words) => [language, await window.playground.copy(words)]"


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """The parts of the panel."""

    panel: gr.Column
    link: gr.Textbox
    copy: gr.Button
    said: gr.HTML
    picture: gr.HTML
    lock: gr.CheckboxGroup
    python: gr.Textbox
    code: gr.Accordion
    copy_code: gr.Button
    page_file: gr.Button
    close: gr.Button


def share_panel(page: Page) -> Sharing:
    """Lay the panel out; it is closed at first."""
    with gr.Column(visible=False, elem_id="share-panel") as panel:
        with gr.Row():
            with gr.Column(scale=5, min_width=260):
                link = gr.Textbox(label=phrase("share.link"), info=phrase("share.link_info"), max_lines=1, elem_id="share-link")
                with gr.Row():
                    copy = gr.Button(phrase("share.copy"), variant="primary", size="sm", min_width=110)
                    page_file = gr.Button(phrase("share.page_file"), size="sm", min_width=110, elem_id="share-file")
                    close = gr.Button(phrase("share.close"), size="sm", min_width=80)
                said = gr.HTML("", html_template='<div aria-live="polite">${value}</div>', elem_classes="notice-line", js_on_load=None)
                locks = [(phrase(f"share.lock_{name}"), name) for name in LOCKS]
                lock = gr.CheckboxGroup(locks, value=[], label=phrase("share.lock"), info=phrase("share.lock_info"))
            with gr.Column(scale=2, min_width=200):
                picture = gr.HTML("", elem_id="share-qr", js_on_load=None)
        with gr.Accordion(phrase("share.python"), open=False) as code:
            python = gr.Textbox(
                show_label=False, label=phrase("share.python"), lines=6, max_lines=14, elem_classes="code", elem_id="share-python"
            )
            copy_code = gr.Button(phrase("share.copy_code"), size="sm")
    page.retelling.empty(said)
    return Sharing(
        panel=panel, link=link, copy=copy, said=said, picture=picture, lock=lock, python=python, code=code, copy_code=copy_code,
        page_file=page_file, close=close,
    )  # fmt: skip


def wire_sharing(page: Page, button: gr.Button, parts: Sharing) -> None:
    """Bring the panel to life, once all tabs are built."""
    links = page.links
    address, tab = gr.Textbox(visible=False), gr.Textbox(visible=False)

    def share(language: str, address: str, tab: str, lock: list[str], *values: Any) -> dict:
        state = links.state(tab, dict(zip(links.inputs, values, strict=True)), tuple(lock))
        try:
            link, kept = address_of(page, address, language, state)
        except Problem as problem:
            return {
                parts.panel: gr.update(visible=True),
                parts.said: refusal(sentence(problem, language)),
                parts.link: "",
                parts.picture: "",
            }
        code = as_python(state)
        return {
            parts.panel: gr.update(visible=True),
            parts.link: link,
            parts.picture: qr_code(link, text("share.qr", language)),
            parts.said: remark(text("share.kept", language, most=LONGEST) if kept else ""),
            parts.python: code,
            parts.code: gr.update(visible=bool(code)),
        }

    def copied(language: str, done: str) -> str:
        return remark(text("share.copied" if done == "yes" else "share.not_copied", language))

    inputs = [page.language, address, tab, parts.lock, *links.inputs]
    outputs = [parts.panel, parts.link, parts.picture, parts.said, parts.python, parts.code]
    for moment in (button.click, parts.lock.input):
        moment(share, inputs, outputs, js=WHERE, **QUIET)
    parts.close.click(lambda: gr.update(visible=False), None, parts.panel, **QUIET)
    for one, words in ((parts.copy, parts.link), (parts.copy_code, parts.python)):
        one.click(copied, [page.language, words], parts.said, js=COPY, **QUIET)
    parts.page_file.click(None, None, None, js="() => window.playground.takePage()")


def address_of(page: Page, address: str, language: str, state: State) -> tuple[str, bool]:
    """The link, and whether it needs this server because the view is too long for a link that works everywhere."""
    start, data = f"{address}?lang={language}{MARK}", encode(state)
    if len(start) + len(data) <= LONGEST:
        return start + data, False
    return start + KEPT + page.links.kept.keep(data), True


def qr_code(link: str, described: str) -> str:
    """The link as a picture that a telephone reads: an SVG on white, whatever the theme."""
    code = segno.make(link, error="l", boost_error=False, micro=False)
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, title=None)
    return f'<div class="qr" role="img" aria-label="{escape_html(described)}">{drawn}</div>'
