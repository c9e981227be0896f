"""Ways to teach a finished model a new task: one file a method, found by itself.

A method says what moves. Reading answers off the model (`readings.py`), data (`examples.py`) and the loop (`loop.py`) are the same for all.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from torch import Tensor, nn

from models.model import Model
from models.tuning.task import Task
from models.tuning.tuned import Tuned


@dataclass(kw_only=True, eq=False)
class Prepared:
    """A base made ready for a method: the network to run, and all that may move.

    `settings` give this again when they are prepared again. `folded()` is what to keep, where that is less than what was trained.
    `shots` and `calibrate` are wishes about how the answer is read: examples shown with each question, and scores compared with those of
    a question without a text.
    """

    network: Tuned
    trainable: dict[str, nn.Parameter]
    settings: Any
    shots: int = 0
    calibrate: bool = False
    fold: Callable[[], "Prepared"] | None = None

    def folded(self) -> "Prepared":
        return self if self.fold is None else self.fold()


@dataclass(frozen=True, kw_only=True)
class Peft:
    """How a method is written in the format of the library PEFT. `kind` is its `peft_type`.

    `write(model, prepared)` gives settings and numbers, or raises Problem "not_for_peft". `read(model, settings, numbers, task)` makes a
    `Prepared` of what PEFT wrote, or raises Problem "foreign_adapter".
    """

    kind: str
    write: Callable[[Model, Prepared], tuple[dict[str, Any], dict[str, Tensor]]]
    read: Callable[[Model, dict[str, Any], dict[str, Tensor], Task], Prepared]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to tune. `settings` is a frozen dataclass whose defaults work; `rate` is the learning rate that
    suits the method on models that `rates.py` does not know.

    `prepare(model, settings, task, seed)` never changes the model; Problem where the model or the settings do not suit. `fits` names the
    architectures it can work on; `order` is its place in a list. `moves` names the parts of a Transformer that learn: "input" (vectors
    among the words), "keys" (in front of them), "attention", "feedforward", "rest".
    """

    name: str
    settings: type
    rate: float
    prepare: Callable[[Model, Any, Task, int], Prepared]
    fits: frozenset[str] = field(default=frozenset({"encoder", "decoder", "encoder_decoder"}))
    order: int = 0
    moves: tuple[str, ...] = ()
    peft: Peft | None = None


@cache
def methods() -> dict[str, Method]:
    """Every method by name, in the order in which to show them. ValueError where two share a name."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found = sorted((module.METHOD for module in modules if hasattr(module, "METHOD")), key=lambda method: (method.order, method.name))
    if len({method.name for method in found}) < len(found):
        raise ValueError(f"two methods share a name: {sorted(method.name for method in found)}")
    return {method.name: method for method in found}
