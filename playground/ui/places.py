"""The words of a text as the options of a dropdown, for whoever wants one of them guessed."""

from typing import Any

import gradio as gr

from playground.tasks import attend, predict
from playground.ui.reading import readable, shorten

WORD = 24  # columns of an option


def choices(result: attend.Result, found: predict.Result | None) -> dict[str, Any]:
    """The places at which the model can guess, with the place of `found` chosen; hidden where it cannot guess at all."""
    if found is None:
        return gr.update(choices=[], value=None, visible=False)
    stack = "decoder" if "decoder" in result.words else "encoder"
    words, special = result.words[stack], result.special[stack]
    every = stack == "decoder"  # a decoder may be asked after any word, an encoder only for a word that could be another
    options = [
        (f"{place + 1} · {shorten(readable(word), WORD)}", place)
        for place, (word, frame) in enumerate(zip(words, special))
        if every or not frame or place == found.place
    ]
    return gr.update(choices=options, value=found.place, visible=True)
