"""What a visitor is told when something went wrong: one sentence, in their language, without a traceback."""

from models.errors import Problem
from playground.ui.language import table, text
from playground.ui.reading import escape_html, isolate, shorten, visible

__all__ = ["escape_html", "sentence"]

LONGEST = 300  # columns of one value inside a sentence: a list of models is still whole, a pasted text is not


def sentence(error: BaseException, language: str) -> str:
    """What to tell the visitor about `error`, as plain text (escape it before it becomes HTML).

    A `Problem` has its own sentence; of everything else the visitor learns only that it was not their fault and what may help.
    """
    if isinstance(error, Problem) and f"problem.{error.key}" in table():
        values = {name: spoken(value, language) for name, value in error.values.items()}
        try:
            return text(f"problem.{error.key}", language, **values)
        except (KeyError, ValueError, IndexError):  # a value that the sentence wants is missing: our mistake, not something to show
            return text("error.unexpected", language)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's own class, without importing torch
        return text("error.memory", language)
    if isinstance(error, TimeoutError):
        return text("error.timeout", language)
    return text("error.unexpected", language)


def spoken(value: object, language: str) -> str:
    """A value as it stands in a sentence: numbers as they are, lists with the language's comma, texts shortened, nothing hidden."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return text("list.comma", language).join(spoken(item, language) for item in value)
    return isolate(shorten(visible(str(value)), LONGEST))
