"""What is to be learnt: texts with labels, or texts to be rewritten."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["classify", "rewrite"]


@dataclass(frozen=True, kw_only=True)
class Label:
    """A class: its names for people, and the word that stands for it in a sentence of the task's language."""

    word: str
    en: str = ""
    zh: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A question that every example asks. `template` holds {text} and, for label words, [MASK] where the word belongs.

    A model that reads from left to right gets the part before [MASK], and its next word is the answer.
    """

    name: str
    kind: Kind
    language: Literal["en", "zh"] = "en"
    labels: dict[str, Label] = field(default_factory=dict, hash=False)
    template: str = "{text}"
    title: dict[str, str] = field(default_factory=dict, hash=False)
    about: dict[str, str] = field(default_factory=dict, hash=False)
    licence: str = ""

    def __post_init__(self) -> None:
        if self.template.count("{text}") != 1:
            raise ValueError(f"a template holds {{text}} once, got {self.template!r}")

    @property
    def words(self) -> tuple[str, ...]:
        """The labels' words, in the order of the labels."""
        return tuple(label.word for label in self.labels.values())


@dataclass(frozen=True, kw_only=True)
class Example:
    """A text and its answer: the name of a label, or the text it becomes. `line` is where it stood.

    `chances`: how likely each label is, in the order of the task, where a teacher was asked (`distil.py`); that is learnt then.
    """

    text: str
    answer: str
    line: int = 0
    chances: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Examples:
    """A task with its examples, split once for all methods. `more` is learnt from beside `train`; nobody but a teacher labelled it."""

    task: Task
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    more: tuple[Example, ...] = ()
