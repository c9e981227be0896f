"""Reading other people's configuration files: every number checked, every unknown kind refused by name."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from models.checkpoints.weights import Weights
from models.config import Activation, ModelConfig
from models.errors import Problem

ACTIVATIONS: dict[Any, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
MOST_LAYERS = 1_000
LONGEST_SHOWN = 120
MISSING = object()


class Settings:
    """A table of settings of one family's model, from a file that may be wrong."""

    def __init__(self, family: str, values: Mapping[str, Any], *, file: str = "config.json"):
        self.family = family
        self.values = values
        self.file = file

    def get(self, key: str, default: Any = MISSING) -> Any:
        """A value that has to be there, or has a default; null counts as missing."""
        value = self.values.get(key)
        if value is None:
            value = default
        if value is MISSING:
            raise self.broken(f"{key} is missing")
        return value

    def whole(self, key: str, default: Any = MISSING, *, most: int = 2**31) -> int:
        """A whole number from 0 to `most`."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.broken(f"{key} is {value!r}, not a whole number up to {most}")
        return value

    def layers(self, key: str, default: Any = MISSING) -> int:
        return self.whole(key, default, most=MOST_LAYERS)

    def real(self, key: str, default: Any = MISSING) -> float:
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.broken(f"{key} is {value!r}, not a number")
        return float(value)

    def flag(self, key: str, default: Any = MISSING) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool | int) or value not in (0, 1):
            raise self.broken(f"{key} is {value!r}, not true or false")
        return bool(value)

    def ids(self, key: str) -> tuple[int, ...]:
        """One token number or a list of them; none where the key is missing."""
        value = self.values.get(key)
        numbers = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise self.broken(f"{key} is {value!r}, not token numbers")
        return tuple(numbers)

    def banned(self, key: str) -> tuple[int, ...]:
        """Of a list of word sequences those that are one word."""
        value = self.get(key, [])
        if not isinstance(value, list) or not all(isinstance(ids, list) and all(isinstance(word, int) for word in ids) for ids in value):
            raise self.broken(f"{key} is {value!r}, not lists of token numbers")
        return tuple(ids[0] for ids in value if len(ids) == 1)

    def activation(self, key: str, default: Any = MISSING, *, names: Mapping[Any, Activation] = ACTIVATIONS) -> Activation:
        value = self.get(key, default)
        if not isinstance(value, str | int) or value not in names:
            raise self.unsupported(key, value)
        return names[value]

    def only(self, key: str, *wanted: Any) -> None:
        """Refuse a model that sets `key` to anything but `wanted` (the first of which is what a missing key means)."""
        if (value := self.get(key, wanted[0])) not in wanted:
            raise self.unsupported(key, value)

    def same(self, key: str, other: str) -> None:
        """Refuse a model whose two stacks differ in a number that ours share."""
        if (value := self.get(key)) != self.get(other):
            raise self.unsupported(key, f"{value} beside {other} = {self.get(other)}")

    def matrix(self, source: Weights, name: str) -> tuple[int, int]:
        """Rows and columns of a matrix from which sizes are read where no setting tells them."""
        if name not in source.names() or len(source.shape(name)) != 2:
            raise self.broken(f"{name} is missing or no matrix")
        rows, columns = source.shape(name)
        return rows, columns

    def broken(self, reason: str) -> Problem:
        return Problem("broken_config", file=self.file, reason=reason[:LONGEST_SHOWN])

    def unsupported(self, setting: str, value: Any) -> Problem:
        return Problem("unsupported_setting", family=self.family, setting=setting, value=str(value)[:LONGEST_SHOWN])

    def build(self, **numbers: Any) -> ModelConfig:
        """Our config, or a Problem where the numbers cannot work together."""
        try:
            return ModelConfig(**numbers)
        except ValueError as error:
            raise self.broken(str(error)) from error
