"""What the page can offer: the models of the catalogue, with what is known about them by now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from models.errors import Problem
from models.sources import is_local

if TYPE_CHECKING:
    from models.card import Card
    from models.catalogue import Catalogue
    from models.model import Model

TUNE = "tune"  # the task of learning another task


class Row(TypedDict):
    """One model. `ready`: it is in memory or its files are on this machine; `size_mb`: what fetching it downloads otherwise."""

    name: str
    family: str
    tasks: list[str]
    languages: list[str]
    parameters: int | None
    licence: str
    size_mb: int
    ready: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a card may leave open, and its model knows once it was loaded."""

    family: str
    tasks: tuple[str, ...]
    parameters: int | None


class Offers:
    """The rows of the catalogue. What a model turned out to be, once it was in memory, counts more than what its card says."""

    def __init__(self, catalogue: "Catalogue", *, loaded: Callable[[], dict[str, "Model"]]):
        self._catalogue, self._loaded = catalogue, loaded
        self._learnt: dict[str, Facts] = {}

    def rows(self) -> list[Row]:
        """Every model of the catalogue, in its order, then those in memory that visitors named."""
        loaded = self._loaded()
        for model in loaded.values():
            self.learn(model)
        cards = self._catalogue.entries()
        named = {card.name for card in cards}
        cards += [model.card for name, model in loaded.items() if name not in named]
        return [self._row(card, ready=card.name in loaded or is_local(card)) for card in cards]

    def check(self, card: "Card", task: str) -> None:
        """Raises Problem task_not_possible (with the models that can), or task_nobody, where the model is known not to do the task."""
        tasks = self._row(card, ready=False)["tasks"]
        if task in tasks or not tasks:  # none: a card that leaves it open
            return
        able = [row["name"] for row in self.rows() if task in row["tasks"]]
        raise Problem("task_not_possible", model=card.name, task=task, able=able) if able else Problem("task_nobody", task=task)

    def learn(self, model: "Model") -> None:
        """Remember what a model turned out to be, also for when it has left the memory."""
        if model.name not in self._learnt:
            told = [task for task in model.card.tasks if task in model.tasks]
            tasks = (*told, *sorted(model.tasks.difference(told)))
            self._learnt[model.name] = Facts(family=model.family, tasks=tasks, parameters=model.n_parameters)

    def _facts(self, card: "Card") -> Facts:
        return self._learnt.get(card.name) or Facts(family=card.family, tasks=card.tasks, parameters=card.parameters)

    def _row(self, card: "Card", *, ready: bool) -> Row:
        facts = self._facts(card)
        return Row(
            name=card.name,
            family=facts.family,
            tasks=[*facts.tasks, *([TUNE] if learns(card, facts) else [])],
            languages=list(card.languages),
            parameters=facts.parameters,
            licence=card.licence,
            size_mb=card.size_mb,
            ready=ready,
        )


def learns(card: "Card", facts: Facts) -> bool:
    """Whether a model can be taught a task by example: it answers with words or through a new layer, and is no tuning itself."""
    return not card.tuned_from and not {"attend", "fill_mask", "generate", "translate"}.isdisjoint(facts.tasks)
