"""A generated text, each token coloured by how sure the model was of it, to be clicked for what else it might have been."""

from collections.abc import Sequence

import gradio as gr

from playground.tasks.generate import Step
from playground.ui.language import text
from playground.ui.reading import escape_html, percent, readable, visible

LEVELS = (0.9, 0.6, 0.3, 0.1)  # of probability: above the first a token is as good as certain, below the last a surprise


def coloured_text() -> gr.HTML:
    """An empty text; `.select` brings the place of the clicked token as `index` in the event's data."""
    return gr.HTML(
        "",
        html_template='<div class="tokens" role="group">${value}</div>',
        js_on_load="window.playground.words(element, (word) => trigger('select', word))",
        elem_classes="coloured-text",
    )


def pickable() -> gr.HTML:
    """An empty place for `alternatives`, announced when it fills; `.select` brings the rank of the clicked one as `index`."""
    return gr.HTML(
        "",
        html_template='<div aria-live="polite">${value}</div>',
        js_on_load="window.playground.words(element, (word) => trigger('select', word))",
        elem_classes="notice-line",
    )


def coloured(steps: Sequence[Step]) -> str:
    """The tokens as buttons. Without anything around them, so that while a text grows only what is new travels."""
    pieces, before = [], ""
    for index, step in enumerate(steps):
        added = step.text[len(before) :] if step.text.startswith(before) else ""
        pieces.append(button(index, step, added))
        before = step.text
    return "".join(pieces)


def button(index: int, step: Step, added: str) -> str:
    """One token; `added` is what it added to the text: nothing where it is part of a character only."""
    shown = "\n".join(visible(line) for line in added.split("\n")) if added.strip() else readable(step.word)
    lines = added.count("\n") if not added.strip() else 0
    return (
        f'<button type="button" class="token level-{level(step.probability)}" data-index="{index}" aria-pressed="false" '
        f'title="{percent(step.probability)}">{escape(shown)}</button>' + "<br>" * lines
    )


def escape(shown: str) -> str:
    """HTML that keeps line breaks."""
    return "<br>".join(escape_html(line) for line in shown.split("\n"))


def level(probability: float) -> int:
    """0 for a token as good as certain, up to 4 for a surprise."""
    return sum(probability < bound for bound in LEVELS)


def legend(language: str) -> str:
    """What the colours mean."""
    bounds = ["> 90 %", "> 60 %", "> 30 %", "> 10 %", "≤ 10 %"]
    swatches = "".join(f'<span class="token level-{place}">{escape_html(bound)}</span>' for place, bound in enumerate(bounds))
    return f'<p class="legend">{escape_html(text("generation.reading", language))} {swatches}</p>'


def options(step: Step) -> list[tuple[str, float, int]]:
    """What might have stood at one place, the chosen token among it, the likeliest first: word, probability, number in the vocabulary."""
    found = [(word, share, step.others[rank] if rank < len(step.others) else -1) for rank, (word, share) in enumerate(step.alternatives)]
    if all((token, word) != (step.token, step.word) for word, _, token in found):
        found.append((step.word, step.probability, step.token))
    return sorted(found, key=lambda option: -option[1])


def alternatives(steps: Sequence[Step], place: int, language: str) -> str:
    """What might have stood at one place, as a table with bars; the token that was chosen is marked, the others are buttons."""
    step = steps[place]
    found = options(step)
    top = found[0][1] or 1.0
    rows = []
    for rank, (word, probability, token) in enumerate(found):
        chosen, shown = token == step.token and word == step.word, escape_html(readable(word))
        if not chosen and token >= 0:
            title = escape_html(text("generation.go_on", language, word=readable(word)))
            shown = f'<button type="button" class="pick" data-index="{rank}" aria-pressed="false" title="{title}">{shown}</button>'
        rows.append(
            f'<tr class="{"chosen" if chosen else ""}"><th scope="row">{shown}</th>'
            f'<td><span class="bar" style="width:{probability / top:.1%}"></span></td><td class="share">{percent(probability)}</td></tr>'
        )
    title = text("generation.alternatives", language, place=place + 1, word=readable(step.word))
    hint = escape_html(text("generation.click_other", language))
    return f'<table class="alternatives"><caption>{escape_html(title)}</caption>{"".join(rows)}</table><p class="hint">{hint}</p>'
