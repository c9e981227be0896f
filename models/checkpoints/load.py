"""Filling a network that has no numbers yet with those of a checkpoint."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from models.checkpoints.rules import Assignment, Rule, plan
from models.checkpoints.weights import Weights
from models.errors import Problem


def fill(module: nn.Module, source: Weights, rules: Iterable[Rule], *, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
    """Give every parameter of a `module` built on `meta` its numbers from `source`, as the table of rules says.

    Tied parameters stay one parameter. Raises a Problem "weights_do_not_fit" (a ValueError) before anything is read, unless table,
    checkpoint and network agree completely; leaves nothing on `meta`.
    """
    places = parameter_places(module)
    shapes = {names[0]: tuple(module.get_parameter(names[0]).shape) for names in places}
    canonical = {name: names[0] for names in places for name in names}
    for name, buffer in module.named_buffers():
        if buffer.is_meta:
            raise AssertionError(f"buffer {name} is on meta, and no checkpoint can fill it")
    for assignment in plan(source, rules, shapes, canonical=canonical):
        check_twins(assignment, source)
        # Own memory, even where nothing changes: a mapped file may be replaced while the model is in use.
        values = [torch.empty(shapes[target], dtype=dtype, device=device) for target in assignment.targets]
        copy_rows(assignment.read(source, dtype), values)
        for target, value in zip(assignment.targets, values):
            assign(module, [name for name, first in canonical.items() if first == target], value)
    left = [name for name, tensor in [*module.named_parameters(), *module.named_buffers()] if tensor.is_meta]
    assert not left, f"still on meta: {left}"


def parameter_places(module: nn.Module) -> list[list[str]]:
    """All names of each parameter; several where it is tied."""
    places: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        places.setdefault(id(parameter), []).append(name)
    return list(places.values())


def check_twins(assignment: Assignment, source: Weights) -> None:
    """Two names of one tensor must hold the same numbers, or the network that was saved is not the one that we build."""
    first = assignment.sources[0]
    for twin in assignment.twins:
        if not torch.equal(source.read(first), source.read(twin)):
            raise Problem("weights_do_not_fit", file=source.file, what=f"{first} and {twin} should be one tensor, but their numbers differ")


def copy_rows(parts: Iterable[Tensor], values: list[Tensor]) -> None:
    """Copy the rows of one or several parts into one or several tensors; one of the two is one."""
    row = 0
    for part in parts:
        if len(values) == 1:
            values[0][row : row + len(part)].copy_(part)
            row += len(part)
        else:
            for value, piece in zip(values, part.split([len(value) for value in values])):
                value.copy_(piece)


def assign(module: nn.Module, names: list[str], value: Tensor) -> None:
    """Put one new parameter in all places of the old one."""
    parameter = nn.Parameter(value, requires_grad=module.get_parameter(names[0]).requires_grad)
    for name in names:
        owner, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(owner), attribute, parameter)
