"""The line under a tab's button that tells the visitor what happened."""

import gradio as gr

from playground.tabs import Page
from playground.ui.wording import escape_html


def notice_line(page: Page) -> gr.HTML:
    """An empty line that screen readers announce when it fills. It empties when the language changes: what it said was in the other one."""
    live = '<div aria-live="polite" aria-atomic="true">${value}</div>'
    line = gr.HTML("", html_template=live, elem_classes="notice-line", js_on_load=None)
    page.retelling.empty(line)
    return line


def refusal(sentence: str) -> str:
    """What went wrong and what to do, as the value of a notice line."""
    return f'<p class="notice problem">{escape_html(sentence)}</p>'


def remark(*sentences: str) -> str:
    """Something worth knowing about a result (a text that was cut, for one); empty where there is nothing to say."""
    said = " ".join(escape_html(sentence) for sentence in sentences if sentence)
    return f'<p class="notice">{said}</p>' if said else ""
