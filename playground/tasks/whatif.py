"""Any other question, put to the model with parts of it silent."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.ablation import Ablated, Ablation
from models.errors import Problem
from models.model import Model
from playground import tasks
from playground.tasks import attend

NAME = "whatif"
NEEDS = attend.NAME  # what the question itself needs is told when it is put


@dataclass(frozen=True, kw_only=True)
class Request:
    """`task` and its `question`, and what is silent while it is answered."""

    task: str
    question: Hashable
    ablation: Ablation


def size(model: Model, request: Request) -> int:
    """Tokens of the question; Problem where the model has no such part, or cannot answer."""
    if unknown := request.ablation.unknown(model.config):
        raise Problem("no_such_part", parts=unknown, model=model.name)
    return tasks.find(request.task).size(model, request.question)


def run(model: Model, requests: Sequence[Request]) -> list[Any]:
    """The Results of the questions' own tasks; those with the same parts silent together."""
    alike: dict[tuple[str, Ablation], list[int]] = {}
    for place, request in enumerate(requests):
        alike.setdefault((request.task, request.ablation), []).append(place)
    found: dict[int, Any] = {}
    for (task, ablation), places in alike.items():
        answers = tasks.find(task).run(silenced(model, ablation), [requests[place].question for place in places])
        found.update(zip(places, answers))
    return [found[place] for place in range(len(requests))]


def silenced(model: Model, *ablations: Ablation) -> Model:
    """The model with parts silent; nothing is copied, and the model itself stays as it is."""
    return replace(model, network=Ablated(model.network, *ablations)) if any(ablations) else model
