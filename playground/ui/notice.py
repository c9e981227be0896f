"""The line under a tab's button that tells the visitor what happened."""

import gradio as gr

from playground.ui.wording import escape_html


def notice_line() -> gr.HTML:
    """An empty line that screen readers announce when it fills."""
    return gr.HTML(
        "", html_template='<div aria-live="polite" aria-atomic="true">${value}</div>', elem_classes="notice-line", js_on_load=None
    )


def refusal(sentence: str) -> str:
    """What went wrong and what to do, as the value of a notice line."""
    return f'<p class="notice problem">{escape_html(sentence)}</p>'


def remark(*sentences: str) -> str:
    """Something worth knowing about a result (a text that was cut, for one); empty where there is nothing to say."""
    said = " ".join(escape_html(sentence) for sentence in sentences if sentence)
    return f'<p class="notice">{said}</p>' if said else ""
