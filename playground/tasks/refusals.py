"""What every task refuses, in a sentence for the visitor."""

from models.errors import Problem
from models.model import Model
from models.tokens import Row


def able(model: Model, task: str) -> None:
    """Problem task_impossible where the model cannot do the task."""
    if task not in model.tasks:
        raise Problem("task_impossible", model=model.name, task=task)


def some_text(*texts: str) -> None:
    """Problem empty_text where one of the texts is empty or blank."""
    if not all(text.strip() for text in texts):
        raise Problem("empty_text")


def some_words(row: Row) -> Row:
    """The row; Problem nothing_to_read where it has only special tokens, because the text was made of what tokenizers drop."""
    if all(row.special):
        raise Problem("nothing_to_read")
    return row


def some_count(count: int, *, most: int) -> None:
    """Problem bad_top_k unless 1 to `most` words are asked for."""
    if not 1 <= count <= most:
        raise Problem("bad_top_k", top_k=count, most=most)
