"""Reader of CTranslate2's `model.bin`, version 6: variables one after the other, then names that stand for others.

int8 matrices have a scale a row (`weight_scale`), int16 ones a single scale: w = q / scale. Single numbers are settings of the network.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoints.cursor import Cursor
from models.checkpoints.weights import QuantisedWeights, broken, unsupported

VERSION = 6
TYPES = {0: torch.float32, 1: torch.int8, 2: torch.int16, 3: torch.int32, 4: torch.float16, 5: torch.bfloat16}
QUANTISED = (torch.int8, torch.int16)
SCALE = "_scale"


@dataclass(frozen=True)
class Variable:
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int


class CTranslate2File(QuantisedWeights):
    """One `model.bin`. `metadata` holds the settings, `aliases` which names are other names of a tensor."""

    def __init__(self, path: Path):
        cursor = Cursor(path)
        self.file, self.cursor = cursor.file, cursor
        if (version := cursor.number("I")) != VERSION:
            raise unsupported(self.file, f"version {version} of CTranslate2's format (version {VERSION} is read)")
        self.model_type = "ctranslate2." + cursor.name(cursor.number("H"))
        self.metadata: dict[str, int | float] = {"revision": cursor.number("I")}
        self.variables: dict[str, Variable] = {}
        for _ in range(cursor.count(cursor.number("I"), each=9, what="tensors")):
            self.add(cursor)
        self.aliases: dict[str, str] = {}
        for _ in range(cursor.count(cursor.number("I"), each=4, what="aliases")):
            alias, name = (cursor.name(cursor.number("H")) for _ in range(2))
            if name not in self.variables or alias in self.variables:
                raise broken(self.file, f"{alias} stands for {name}")
            self.aliases[alias] = name
        for name, variable in self.variables.items():
            self.check_scale(name, variable)

    def add(self, cursor: Cursor) -> None:
        """The next variable."""
        name = cursor.name(cursor.number("H"))
        shape = cursor.numbers("I", cursor.rank(cursor.number("B")))
        kind, size = cursor.number("B"), cursor.number("I")
        if kind not in TYPES:
            raise unsupported(self.file, f"{name} is of CTranslate2's type {kind}")
        if prod(shape) * TYPES[kind].itemsize != size:
            raise broken(self.file, f"{name} of shape {shape} does not fit into its {size} bytes")
        if name in self.variables or name in self.metadata:
            raise broken(self.file, f"{name} is there twice")
        variable = Variable(TYPES[kind], shape, cursor.skip(size))
        if shape or name.endswith(SCALE):
            self.variables[name] = variable
        else:
            self.metadata[name] = cursor.tensor(variable.start, (), variable.dtype).item()

    def check_scale(self, name: str, variable: Variable) -> None:
        if variable.dtype in QUANTISED:
            scale = self.variables.get(name + SCALE)
            if scale is None or scale.dtype != torch.float32 or prod(scale.shape) not in (1, variable.shape[0]):
                raise broken(self.file, f"{name} has no scale that fits it")

    def names(self) -> list[str]:
        return [name for name in self.variables if not (name.endswith(SCALE) and name.removesuffix(SCALE) in self.variables)]

    def find(self, name: str) -> Variable:
        return self.variables[self.aliases.get(name, name)]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.find(name).shape

    def stored(self, name: str) -> Tensor:
        variable = self.find(name)
        return self.cursor.tensor(variable.start, variable.shape, variable.dtype)

    def step(self, name: str) -> Tensor:
        """What one step of a quantised matrix is worth, float32: (rows), or (1)."""
        scale = self.stored(self.aliases.get(name, name) + SCALE).flatten()
        if not (torch.isfinite(scale).all() and (scale > 0).all()):
            raise broken(self.file, f"{name} has a scale that is not a positive number")
        return 1 / scale

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        stored = self.stored(name)
        if stored.dtype not in QUANTISED:
            return stored.to(dtype)
        step = self.step(name).reshape(-1, *[1] * (stored.dim() - 1))
        return stored.float().mul_(step).to(dtype)

    def raw(self, name: str) -> tuple[Tensor, Tensor] | None:
        """int8 (out, in) and the worth of a step in each row, or None where the tensor is not stored as int8."""
        stored = self.stored(name)
        if stored.dtype is not torch.int8:
            return None
        return stored, self.step(name).expand(stored.shape[0])

    def close(self) -> None:
        """The mapping goes when the last tensor that shares it goes."""
        self.variables = {}
