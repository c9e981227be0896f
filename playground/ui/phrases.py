"""The words on the page, and how they change language while it is open.

A label is written as `phrase("key")`. It is an ordinary English string that remembers its key, so that the page can find every label it
shows and put the other language in its place; nothing has to be registered.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block

from playground.ui.language import text


class Phrase(str):
    """A text of the string table that knows its key."""

    key: str


def phrase(key: str) -> Phrase:
    """The text of `key`, in English until the visitor changes the language."""
    made = Phrase(text(key, "en"))
    made.key = key
    return made


@dataclass(frozen=True)
class Labelled:
    """One component and the phrases it was built with: `options` is what it was given, phrases and choices only."""

    block: Block
    options: dict[str, Any]

    def update(self, language: str) -> dict[str, Any]:
        """The update that puts this component into `language`."""
        return gr.update(**{name: _spoken(value, language) for name, value in self.options.items()})


def labelled(blocks: gr.Blocks) -> list[Labelled]:
    """Every component of the page that shows a phrase, in the order of the page."""
    found = []
    for block in blocks.blocks.values():
        options = {name: value for name, value in block.constructor_args.items() if _shows_phrase(value)}
        if options:
            found.append(Labelled(block, options))
    return found


def _shows_phrase(value: Any) -> bool:
    if isinstance(value, list):
        return any(_shows_phrase(item) for item in value)
    return isinstance(value, Phrase) or (isinstance(value, tuple) and any(isinstance(item, Phrase) for item in value))


def _spoken(value: Any, language: str) -> Any:
    if isinstance(value, Phrase):
        return text(value.key, language)
    if isinstance(value, list | tuple):
        return type(value)(_spoken(item, language) for item in value)
    return value
