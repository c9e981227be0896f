"""One question a file: a frozen `Request`, a frozen `Result`, and `run(model, requests)`, which answers a batch.

A task module also has `size(model, request)`, the tokens of a request, and perhaps `stream(model, request)`. Both raise `Problem` for what
the model cannot answer, so that the service can tell one visitor before it puts their request into a batch with others. A task that looks
closer at the answer to another says with `NEEDS` that a model which can do that one can do this one too.
"""

import importlib
import pkgutil
from functools import cache
from types import ModuleType


def names() -> tuple[str, ...]:
    """The names of all tasks, found by looking into this package: a new task is a new file and nothing else."""
    return tuple(sorted(modules()))


def find(name: str) -> ModuleType:
    """The module of a task. ValueError, with the names there are, where there is none."""
    if name not in modules():
        raise ValueError(f"there is no task {name!r}; there are {', '.join(names())}")
    return modules()[name]


@cache
def modules() -> dict[str, ModuleType]:
    """Every module of this package that defines a task, by its name. ValueError where two have the same name."""
    found = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    tasks = [module for module in found if hasattr(module, "NAME")]
    if len({module.NAME for module in tasks}) < len(tasks):
        raise ValueError(f"two tasks share a name: {sorted(module.NAME for module in tasks)}")
    return {module.NAME: module for module in tasks}
