"""A task in one's own words: another template, other words for the labels, and how a model reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.errors import Problem
from models.model import Model
from models.tuning.reading.label_words import HEADS
from models.tuning.task import Task
from models.tuning.template import LONGEST, ask, parts
from models.tuning.words import label_words, spell


@dataclass(frozen=True, kw_only=True)
class Spelt:
    """A label's word as pieces of a model's vocabulary; so many of them, from the first on, are compared with those of other labels."""

    label: str
    word: str
    pieces: tuple[str, ...]
    compared: int


def reworded(task: Task, *, template: str = "", words: Mapping[str, str] | None = None) -> Task:
    """The task with these instead of its own; what is empty stays. Problem "no_text_in_template", "unknown_label"."""
    template = template.strip() or task.template
    if template.count("{text}") != 1:
        raise Problem("no_text_in_template", text="{text}")
    words = words or {}
    for label in words:
        if label not in task.labels:
            raise Problem("unknown_label", label=label, known=list(task.labels))
    labels = {name: replace(label, word=words.get(name) or label.word) for name, label in task.labels.items()}
    return replace(task, template=template, labels=labels)


def spelt(model: Model, task: Task) -> tuple[Spelt, ...]:
    """How the model reads the label words; () where the answers are texts. Problem where it can use the template or the words in no way."""
    if task.kind == "rewrite":
        parts(model, task)
        return ()
    if HEADS.get(model.config.architecture) not in model.network.heads:
        raise Problem("no_word_head", model=model.name)
    ask(model, task, "", limit=min(LONGEST, model.limit))
    found = []
    for (label, named), compared in zip(task.labels.items(), label_words(model, task)):
        pieces = model.tokenizer.words(spell(model, task, named.word))
        found.append(Spelt(label=label, word=named.word, pieces=pieces, compared=len(compared)))
    return tuple(found)
