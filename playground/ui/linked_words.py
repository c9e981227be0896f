"""A sentence and its translation, word by word: pointing at a word lights up those that it is linked with (assets/js/linked_words.js)."""

from collections.abc import Sequence

import gradio as gr
import numpy as np

from playground.tasks.translate import Sentence
from playground.ui.language import text
from playground.ui.reading import escape_html, percent, readable

FAINT = 0.05  # a weaker link is not shown
SAID = 3  # links that the title of a word tells


def linked_words() -> gr.HTML:
    """An empty place; `.select` brings `side` ("s" source, "t" translation) and `index` of the clicked word in the event's data."""
    return gr.HTML(
        "",
        html_template='<div class="linked-words">${value}</div>',
        js_on_load="window.playground.linked(element, (word) => trigger('select', word))",
        elem_id="linked-words",
    )


def linked(sentence: Sentence, language: str) -> str:
    """Both texts as buttons. The link of two words is the attention that the translated word paid to the source word."""
    weights = sentence.alignment
    rows = (
        ("s", "linked.source", sentence.source_words, weights.T, sentence.target_words),
        ("t", "linked.target", sentence.target_words, weights, sentence.source_words),
    )
    made = []
    for side, name, words, lines, others in rows:
        title = escape_html(text(name, language))
        buttons = [
            button(side, index, word, lines[index], others, given=side == "t" and index < sentence.given, language=language)
            for index, word in enumerate(words)
        ]
        made.append(f'<p role="group" aria-label="{title}"><small>{title}</small> {"".join(buttons)}</p>')
    head = f"<h3>{escape_html(text('linked.title', language))}</h3>" + "".join(made)
    return head + f'<p class="hint">{escape_html(text("linked.help", language))}</p>'


def button(side: str, index: int, word: str, line: np.ndarray, others: Sequence[str], *, given: bool, language: str) -> str:
    """One word; only the first of each side is reached with Tab. `line`: its weights with the words of the other side."""
    strong = [int(place) for place in np.argsort(-line, kind="stable") if line[place] >= FAINT]
    pairs = " ".join(f"{place}:{line[place]:.2f}" for place in strong)
    said = text("list.comma", language).join(f"{readable(others[place])} {percent(float(line[place]))}" for place in strong[:SAID])
    title = text("linked.says", language, word=readable(word), links=said or "–")
    title += f" ({text('linked.given', language)})" if given else ""
    space = " " if word.startswith("▁") and index else ""
    return (
        f'{space}<button type="button" class="linked{" given" if given else ""}" data-side="{side}" data-index="{index}" '
        f'data-links="{pairs}" tabindex="{-1 if index else 0}" title="{escape_html(title)}">{escape_html(readable(word))}</button>'
    )


def until(sentence: Sentence, index: int) -> str:
    """The translation up to one of its words, that word included."""
    return "".join(sentence.target_words[: index + 1]).replace("▁", " ").strip()


def glossary(language: str) -> str:
    """What each colour of the tab means."""
    kinds = ("linked", "given", "map_low", "map_high", "best", "kept", "pruned", "chosen")
    items = "".join(
        f'<li><span class="swatch {kind}" aria-hidden="true"></span>{escape_html(text(f"glossary.{kind}", language))}</li>'
        for kind in kinds
    )
    return f'<ul class="glossary">{items}</ul>'
