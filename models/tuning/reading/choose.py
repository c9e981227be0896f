"""Which reading suits a model and a task, where nobody says."""

import random
from collections.abc import Sequence
from typing import Literal

from models.errors import Problem
from models.model import Model
from models.tuning import Prepared
from models.tuning.reading.label_words import HEADS, LabelWords
from models.tuning.reading.linear import LinearHead
from models.tuning.reading.text import TextAnswer
from models.tuning.task import Example, Examples, Task

Wish = Literal["auto", "words", "linear", "mean", "text"]


def reading_for(
    model: Model, task: Task, prepared: Prepared, *, wish: Wish, length: int, shown: Sequence[Example] = ()
) -> LabelWords | LinearHead | TextAnswer:
    """Label words where the model has a head for words, else a linear head, of an encoder on the mean; texts where texts are asked.

    `model` is the tuned one, `shown` are examples in front of every question. Problem "reading_does_not_fit" for label words or a linear
    head where a text is wanted, and the other way.
    """
    limit = min(length, model.limit)
    if wish == "auto":
        fills = HEADS.get(model.config.architecture, "") in model.network.heads or not prepared.trainable
        head = "mean" if model.config.architecture == "encoder" else "linear"
        wish = "text" if task.kind == "rewrite" else "words" if fills else head
    if (wish == "text") != (task.kind == "rewrite"):
        raise Problem("reading_does_not_fit", task=task.name)
    if wish == "text":
        return TextAnswer(model, task, limit=limit)
    if wish in ("linear", "mean") and prepared.trainable:
        return LinearHead(model, task, limit=limit, name=wish)
    return LabelWords(model, task, limit=limit, shown=shown, calibrate=prepared.calibrate)


def demonstrations(examples: Examples, shots: int, *, seed: int) -> tuple[Example, ...]:
    """So many of the training examples, drawn by chance, the labels in turn."""
    rng = random.Random(seed)
    by_label = {label: [example for example in examples.train if example.answer == label] for label in examples.task.labels}
    for found in by_label.values():
        rng.shuffle(found)
    turns = [found[index] for index in range(shots) for found in by_label.values() if index < len(found)]
    return tuple(turns[:shots])
