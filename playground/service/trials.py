"""A kept result at work on a text, and beside it the model that it was made from."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from models.card import Card
from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.loop import Tuning
from models.tuning.lora import Settings as Change
from models.tuning.results import Outcome, load_outcome
from models.tuning.task import Example, Examples
from playground.service.kept import Shelf
from playground.tasks.refusals import some_text

REMEMBERED = 4  # results in memory: a small one costs little, but one that learnt everything is a model of its own
LONGEST = 2000  # characters


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Each label's probability, or the text that was written; `before` None where the base cannot answer without having learnt."""

    after: dict[str, float] | str = field(hash=False)
    before: dict[str, float] | str | None = field(default=None, hash=False)


class Trials:
    """Asks kept results, from any thread. `lend(name)` lends their base, `inference` opens inference mode."""

    def __init__(self, shelf: Shelf, lend: Callable[[str], AbstractContextManager[Model]], *, inference: Callable):
        self._shelf, self._lend, self._inference = shelf, lend, inference
        self._ready: OrderedDict[str, tuple[Outcome, Outcome | None]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, name: str, text: str) -> Tried:
        """Problem: unknown_result, empty_text, and those of loading the base."""
        kept = self._shelf.get(name)
        some_text(text)
        text = text[:LONGEST]
        with self._lend(kept.base) as base, self._lock:
            if name not in self._ready:
                self._ready[name] = both(self._shelf.place(kept), base)
            self._ready.move_to_end(name)
            while len(self._ready) > REMEMBERED:
                self._ready.popitem(last=False)
            after, before = self._ready[name]
            with self._inference():
                return Tried(after=said(after, text), before=None if before is None else said(before, text))


def both(folder: Path, base: Model) -> tuple[Outcome, Outcome | None]:
    """A result, and what its base says to the same question."""
    outcome = load_outcome(folder, base)
    task = outcome.task
    anything = Example(text="…", answer=next(iter(task.labels), "…"))
    examples = Examples(task=task, train=(anything,), dev=(), test=())
    name, settings = ("cloze", None) if task.kind == "classify" else ("lora", Change(rank=1))  # which changes nothing before it learns
    try:
        return outcome, Outcome.of(Tuning(base, methods()[name], examples, settings=settings))
    except Problem:  # a model that has no words for a label before it has learnt some
        return outcome, None


def said(outcome: Outcome, text: str) -> dict[str, float] | str:
    return outcome.classify([text])[0] if outcome.task.kind == "classify" else outcome.write([text])[0]


def as_model(folder: Path, base: Model, card: Card) -> Model:
    """A kept result as one more model for every task that its base can do."""
    return dataclasses.replace(load_outcome(folder, base).model, card=card, name=card.name)
