"""Files that are found: one thing a file, each with a key and a place of its own."""

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any


def in_order(package: str, path: Iterable[str], *, name: str) -> list[Any]:
    """What every module of a package calls `name`, sorted by `order`. ValueError where two share their `key` or their place."""
    found = [getattr(importlib.import_module(f"{package}.{module.name}"), name) for module in pkgutil.iter_modules(path)]
    for values in ([one.key for one in found], [one.order for one in found]):
        if len(set(values)) < len(values):
            raise ValueError(f"two {name.lower()}s share a key or a place: {values}")
    return sorted(found, key=lambda one: one.order)
