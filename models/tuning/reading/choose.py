"""Which reading suits a model and a task, where nobody says."""

from typing import Literal

from models.errors import Problem
from models.model import Model
from models.tuning import Prepared
from models.tuning.reading import Reading
from models.tuning.reading.label_words import LabelWords
from models.tuning.reading.linear import LinearHead
from models.tuning.reading.text import TextAnswer
from models.tuning.task import Examples

Wish = Literal["auto", "words", "linear", "text"]


def reading_for(model: Model, examples: Examples, prepared: Prepared, *, wish: Wish, length: int, seed: int) -> Reading:
    """Label words where the model has a head for words, else a linear head; texts for tasks that ask for texts.

    `model` is the tuned one. Problem "reading_does_not_fit" for label words or a linear head where a text is wanted, and the other way.
    """
    task, limit = examples.task, min(length, model.limit)
    if wish == "auto":
        head = {"encoder": "mlm", "decoder": "lm"}.get(model.config.architecture, "")
        wish = "text" if task.kind == "rewrite" else "words" if head in model.network.heads or not prepared.trainable else "linear"
    if (wish == "text") != (task.kind == "rewrite"):
        raise Problem("reading_does_not_fit", task=task.name)
    if wish == "text":
        return TextAnswer(model, task, limit=limit)
    if wish == "linear" and prepared.trainable:
        return LinearHead(model, task, limit=limit)
    return LabelWords(model, task, limit=limit, shown=examples.train, shots=prepared.shots, calibrate=prepared.calibrate, seed=seed)
