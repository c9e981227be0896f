"""Texts in the sentence of a task: where the text stands, where its word is missing, and what is cut where it is too long."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import Problem
from models.model import Model
from models.tokenizers.text import clean
from models.tokens import Row
from models.tuning.task import Example, Task

MASK = "[MASK]"
LONGEST = 128  # tokens of a question, unless the model has room for fewer
TRIES = 8  # to cut a text so that the rest fits: cut elsewhere, a word can have other pieces


@dataclass(frozen=True, kw_only=True)
class Question:
    """A text in its template as the model reads it, and the column of the missing word (for a decoder: of the word that comes next)."""

    row: Row
    column: int


def parts(model: Model, task: Task) -> tuple[str, str]:
    """What stands before and behind the text. A decoder reads as far as the missing word, and fills it in."""
    before, after = task.template.split("{text}")
    if model.config.architecture == "encoder":
        return before, after
    if MASK in before:
        raise Problem("mask_before_text")
    return before, after.split(MASK)[0].rstrip()


def ask(model: Model, task: Task, text: str, *, limit: int, shown: Sequence[Example] = ()) -> Question:
    """`text` in the task's template, with as many of the examples `shown` in front of it as fit; the text is cut before the template is.

    Problem "no_mask_in_template" where an encoder has no word to fill in, and "template_too_long" where not even an empty text fits.
    """
    before, after = parts(model, task)
    if model.config.architecture == "encoder" and (before + after).count(MASK) != 1:
        raise Problem("no_mask_in_template", mask=MASK)
    text = shortened(model, clean(text), before, after, limit=limit)
    opening = ""
    for example in reversed(shown):
        longer = demonstration(task, example) + opening
        if model.tokenizer.encode(longer + before + text + after, limit=limit).cut:
            break
        opening = longer
    row = model.tokenizer.encode(opening + before + text + after, limit=limit)
    if model.config.architecture != "encoder":
        return Question(row=row, column=len(row))
    # The template's own mask: the text may hold others.
    place = len(opening) + (before.index(MASK) if MASK in before else len(before) + len(text) + after.index(MASK))
    found = [column for column, span in enumerate(row.spans) if span is not None and span[0] == place]
    if not found or row.ids[found[0]] != model.tokenizer.mask_id:
        raise Problem("template_too_long", limit=limit)
    return Question(row=row, column=found[0])


def shortened(model: Model, text: str, before: str, after: str, *, limit: int) -> str:
    """The beginning of `text` that fits between its template."""
    room = limit - len(model.tokenizer.encode(before + after))
    content = model.tokenizer.encode(text, special=False, limit=limit)
    if room < 0:
        raise Problem("template_too_long", limit=limit)
    most = min(room, len(content))
    for keep in range(most, max(0, most - TRIES), -1):
        end = content.spans[keep - 1][1] if keep < len(content) or content.cut else len(text)
        if not model.tokenizer.encode(before + text[:end] + after, limit=limit).cut:
            return text[:end]
    return ""


def demonstration(task: Task, example: Example) -> str:
    """An example with its answer in the gap."""
    between = " " if task.language == "en" else ""
    filled = task.template.replace(MASK, task.labels[example.answer].word).replace("{text}", clean(example.text).replace(MASK, ""))
    return filled + between


def tail(model: Model, task: Task) -> tuple[int, ...]:
    """The ids that follow the text when a question has been asked; () where none do, or where the template is not for this model."""
    before, after = parts(model, task)
    if not after.strip():
        return ()
    filler = "a" if task.language == "en" else "好"
    row = model.tokenizer.encode(before + filler + after)
    start = len(before) + len(filler)
    first = next((column for column, span in enumerate(row.spans) if span is not None and span[1] > start), len(row))
    return row.ids[first:]


def closing(model: Model) -> int:
    """Special tokens at the end of every row."""
    special = model.tokenizer.encode("a").special
    return next(count for count in range(len(special)) if not special[-1 - count])
