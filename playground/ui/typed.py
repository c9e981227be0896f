"""What a program sends to the API can be anything: check it against the types that the handler declares."""

import inspect
import math
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from models.errors import Problem


def typed(handler: Callable) -> Callable:
    """Check that every value has the type its parameter declares: what a program sends can be anything."""
    parameters = [parameter for parameter in inspect.signature(handler).parameters.values() if parameter.name != "request"]

    def checked(arguments: tuple) -> list[Any]:
        values = [_checked(parameter.name, parameter.annotation, value) for parameter, value in zip(parameters, arguments)]
        return [*values, *arguments[len(values) :]]

    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def stream(*arguments: Any) -> Iterator[Any]:
            yield from handler(*checked(arguments))

        return stream

    @wraps(handler)
    def call(*arguments: Any) -> Any:
        return handler(*checked(arguments))

    return call


def _checked(name: str, kind: Any, value: Any) -> Any:
    """`value` as `kind`; a Problem that names the field where it is none. 3.0 is the whole number 3: JSON cannot tell them apart."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is str and isinstance(value, str):
        return sendable(value)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and number and value == int(value):
        return int(value)
    if kind is float and number:
        return float(value)
    if kind == list[str] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [sendable(item) for item in value]
    kinds = {str: "field_text", int: "field_whole_number", float: "field_number", bool: "field_switch"}
    raise Problem(kinds.get(kind, "field_texts"), field=name)


def sendable(text: str) -> str:
    """The text with every half of a character (a lone surrogate, which JSON can write and UTF-8 cannot) as a replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
