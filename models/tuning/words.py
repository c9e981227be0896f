"""The words that stand for labels, as pieces of the model's vocabulary."""

from models.errors import Problem
from models.model import Model
from models.tuning.task import Task
from models.tuning.template import parts


def label_words(model: Model, task: Task) -> list[tuple[int, ...]]:
    """The pieces of each label's word as they would stand in the gap. Problem where a word cannot be spelt, or two cannot be told apart."""
    pieces = [spell(model, task, word) for word in task.words]
    if model.config.architecture != "encoder":
        pieces = [found[:1] for found in pieces]  # the next word is the answer, and one step says no more of it than its first piece
    for word, found in zip(task.words, pieces):
        if not found or model.tokenizer.unk_id in found:
            raise Problem("unknown_label_word", word=word)
        if pieces.count(found) > 1:
            raise Problem("same_label_words", words=[other for other, same in zip(task.words, pieces) if same == found])
    return pieces


def spell(model: Model, task: Task, word: str) -> tuple[int, ...]:
    """The pieces of a word that follows others. A text and its continuation differ only in what was added."""
    if model.config.architecture == "encoder":
        return model.tokenizer.encode(word, special=False).ids
    opening = "".join(parts(model, task)).strip() or "a"
    between = " " if task.language == "en" else ""
    short = model.tokenizer.encode(opening, special=False).ids
    long = model.tokenizer.encode(opening + between + word, special=False).ids
    return long[len(short) :] if long[: len(short)] == short else model.tokenizer.encode(word, special=False).ids
