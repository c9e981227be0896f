"""What the attention tab shows, as plain values for a link, and back again.

Every field of `Seen` and of its request that is plain travels under its own name; a new one needs a default and nothing else.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from models.errors import Problem
from playground.tasks import attend
from playground.tasks.measures import MAX, MEASURES
from playground.ui.attention_view import VIEWS, Seen

PLAIN = (bool, int, float, str, type(None))
LONGEST = 200  # characters of an option
SITE = re.compile(r"[a-z]+\.[0-9]{1,4}\.[a-z]+")
START = {"site": None, "head": -1, "view": "one"}  # of the fields of `Seen` that have no default of their own
RULES: Mapping[str, Callable[[Any], bool]] = {
    "site": lambda site: site is None or (isinstance(site, str) and SITE.fullmatch(site) is not None),
    "head": lambda head: type(head) is int and MAX <= head < 10_000,
    "view": lambda view: view in VIEWS,
    "measure": lambda measure: measure in MEASURES,
}


def tell(seen: Seen) -> dict[str, Any]:
    """The values of a link: the model, the texts of the request, and every option of the view."""
    request = {field.name: getattr(seen.request, field.name) for field in dataclasses.fields(seen.request)}
    options = {name: value for name, value in seen._asdict().items() if name not in ("model", "request")}
    told = {"model": seen.model} | request | options
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items() if travels(value)}


def hear(values: Mapping[str, Any]) -> Seen:
    """The view of a link's values; what the link does not say is as at the start. Problem link_field for what cannot be."""
    texts = {field.name: default_of(field) for field in dataclasses.fields(attend.Request)}
    options = START | dict(Seen._field_defaults)
    request = attend.Request(**{name: heard(name, values, default) for name, default in texts.items() if name in values})
    chosen = {name: heard(name, values, default) for name, default in options.items() if name in values or name in START}
    return Seen(**{"model": values["model"], "request": request} | chosen)


def heard(name: str, values: Mapping[str, Any], default: Any) -> Any:
    """The value called `name`, of the kind of its default, or the default."""
    value = values.get(name, default)
    fits = RULES.get(name, lambda value: like(value, default))
    if not fits(value):
        raise Problem("link_field", field=name)
    return tuple(value) if isinstance(default, tuple) else value


def like(value: Any, default: Any) -> bool:
    """Whether the value is of the default's kind: a number for a number, a list for a tuple, anything plain and short for None."""
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and len(value) <= LONGEST and all(isinstance(item, PLAIN) for item in value)
    if default is None:
        return isinstance(value, PLAIN) and len(str(value)) <= LONGEST
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(default)


def travels(value: Any) -> bool:
    """Whether a value can go into a link."""
    return isinstance(value, PLAIN) or (isinstance(value, tuple) and all(isinstance(item, PLAIN) for item in value))


def default_of(field: dataclasses.Field) -> Any:
    """The default of a request's field; that of a text that has to be given is no text."""
    return "" if field.default is dataclasses.MISSING else field.default
