"""The weight map: a table that says where each tensor of a checkpoint goes in our network.

The table is complete in both directions. A name that no rule knows, a rule that finds nothing, a parameter that is filled twice or never, a
shape that does not fit: all of it is found before the first number is read, and told in one error.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from models.checkpoints.weights import Weights
from models.errors import Problem

Transform = Callable[[Tensor], Tensor]
Number = tuple[str, ...]  # what the {} of a rule stood for

SHOWN = 3
LONGEST_SHOWN = 120
NUMBER = "([0-9]{1,6})"


@dataclass(frozen=True)
class Rule:
    """One line of the table; `{}` stands for a layer number and is carried from source to target.

    Several sources are concatenated along their rows (a fused matrix), one source for several targets is cut along its rows. A target of
    None or () means: known, not needed. `transform` is applied to each source as it comes, or is a tuple with one for each. `alias` are
    other names under which checkpoints hold the same tensor. `first` is the number of the first layer in the checkpoint; ours is 0.
    """

    source: str | tuple[str, ...]
    target: str | tuple[str, ...] | None
    transform: Transform | None | tuple[Transform | None, ...] = None
    optional: bool = False
    alias: tuple[str, ...] = ()
    first: int = 0

    def __post_init__(self) -> None:
        fields = {name.count("{}") for name in (*self.sources, *self.alias, *self.targets)}
        assert self.sources and len(fields) == 1, f"{self}: every name needs as many {{}} as the others"
        assert len(self.sources) == 1 or len(self.targets) <= 1, f"{self}: many to many says nothing about where to cut"
        assert len(self.sources) == 1 or not self.alias, f"{self}: aliases of fused sources are not told apart"
        assert len(self.transforms) == len(self.sources), f"{self}: one transform a source"

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else self.target or ()

    @property
    def transforms(self) -> tuple[Transform | None, ...]:
        return self.transform if isinstance(self.transform, tuple) else (self.transform,) * len(self.sources)

    def filled_in(self, number: Number) -> tuple[str, ...]:
        """The targets of one layer."""
        ours = [int(digits) - self.first for digits in number]
        return tuple(target.format(*ours) for target in self.targets)


@dataclass(frozen=True)
class Assignment:
    """What is read for one parameter or, where a matrix is cut, for several: `sources` in order, each with its transform."""

    sources: tuple[str, ...]
    transforms: tuple[Transform | None, ...]
    targets: tuple[str, ...]
    twins: tuple[str, ...] = ()  # names of the same tensor, which therefore must hold the same numbers

    def shape(self, weights: Weights) -> tuple[int, ...] | None:
        """The shape of what `read` gives, one part under the other, or None where the parts do not fit together."""
        try:
            parts = [torch.empty(weights.shape(name), device="meta") for name in self.sources]
            done = [part if transform is None else transform(part) for part, transform in zip(parts, self.transforms)]
        except (RuntimeError, IndexError):
            return None
        if len(done) == 1:
            return tuple(done[0].shape)
        # Added up by hand: torch.cat on meta would first import torch's compiler, which takes seconds.
        widths = {tuple(part.shape[1:]) for part in done}
        return (sum(part.shape[0] for part in done), *widths.pop()) if len(widths) == 1 and min(part.dim() for part in done) else None

    def read(self, weights: Weights, dtype: torch.dtype) -> Iterator[Tensor]:
        """The parts in order, transformed; they may share memory with the file."""
        for name, transform in zip(self.sources, self.transforms):
            part = weights.read(name, dtype)
            yield part if transform is None else transform(part)


@dataclass
class Complaints:
    """Everything that is wrong between a checkpoint and a network, by kind."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, *what: str) -> None:
        if what:
            self.found.setdefault(kind, []).extend(text[:LONGEST_SHOWN] for text in what)

    def settle(self, file: str) -> None:
        """Raise one error with the first three of each kind, if there is any."""
        if self.found:
            parts = [
                f"{kind} ({len(what)}): {', '.join(what[:SHOWN])}{', ...' if len(what) > SHOWN else ''}"
                for kind, what in self.found.items()
            ]
            raise Problem("weights_do_not_fit", file=file, what="; ".join(parts))


def plan(
    weights: Weights, rules: Iterable[Rule], targets: Mapping[str, tuple[int, ...]], *, canonical: Mapping[str, str] | None = None
) -> list[Assignment]:
    """Match the names of a checkpoint with the rules and the parameters (name -> shape) that wait to be filled.

    `canonical` tells which name in `targets` a tied parameter goes by, so that a rule may use any of them. Raises a Problem
    "weights_do_not_fit" unless every name is known, every rule used and every parameter filled once with the right shape.
    """
    rules = list(rules)
    complaints = Complaints()
    matches = match(weights.names(), rules, complaints)
    assignments = []
    for rule in rules:
        assignments += assign(rule, matches[rule], complaints)
    names = canonical or {}
    assignments = [replace(one, targets=tuple(names.get(target, target) for target in one.targets)) for one in assignments]
    filled: dict[str, Assignment] = {}
    for assignment in assignments:
        complaints.add("filled twice", *(target for target in assignment.targets if target in filled))
        complaints.add("not in this network", *(target for target in assignment.targets if target not in targets))
        filled |= dict.fromkeys(assignment.targets, assignment)
        if all(target in targets for target in assignment.targets):
            complaints.add("wrong shape", *wrong_shape(assignment, weights, targets))
    complaints.add("never filled", *(target for target in targets if target not in filled))
    complaints.settle(weights.file)
    return assignments


def match(names: list[str], rules: list[Rule], complaints: Complaints) -> dict[Rule, dict[str, dict[Number, str]]]:
    """rule -> pattern -> layer number -> name in the checkpoint."""
    patterns = [
        (rule, source, re.compile(NUMBER.join(re.escape(part) for part in source.split("{}"))))
        for rule in rules
        for source in (*rule.sources, *rule.alias)
    ]
    found: dict[Rule, dict[str, dict[Number, str]]] = {rule: {} for rule in rules}
    for name in names:
        hits = 0
        for rule, source, pattern in patterns:
            if hit := pattern.fullmatch(name):
                found[rule].setdefault(source, {})[hit.groups()] = name
                hits += 1
        if not hits:
            complaints.add("unknown names", name)
        elif hits > 1:
            complaints.add("claimed by two rules", name)
    return found


def assign(rule: Rule, found: dict[str, dict[Number, str]], complaints: Complaints) -> list[Assignment]:
    """What one rule does with the names it found."""
    if not found:
        if not rule.optional:
            complaints.add("idle rules", " + ".join(rule.sources))
        return []
    if not rule.targets:
        return []
    numbers = list(dict.fromkeys(number for names in found.values() for number in names))
    assignments = []
    for number in numbers:
        if len(rule.sources) == 1:
            first, *twins = [names[number] for source in (*rule.sources, *rule.alias) if number in (names := found.get(source, {}))]
            assignments.append(Assignment((first,), rule.transforms, rule.filled_in(number), tuple(twins)))
            continue
        sources = [found.get(source, {}).get(number) for source in rule.sources]
        if None in sources:
            complaints.add("missing", *(source.format(*number) for source, name in zip(rule.sources, sources) if name is None))
        else:
            assignments.append(Assignment(tuple(sources), rule.transforms, rule.filled_in(number)))
    return assignments


def wrong_shape(assignment: Assignment, weights: Weights, targets: Mapping[str, tuple[int, ...]]) -> list[str]:
    """A sentence where the tensor does not have the shape that the network wants."""
    shape = assignment.shape(weights)
    wanted = [tuple(targets[target]) for target in assignment.targets]
    sentences = [
        f"{twin} is {weights.shape(twin)} but {assignment.sources[0]} is {weights.shape(assignment.sources[0])}"
        for twin in assignment.twins
        if weights.shape(twin) != weights.shape(assignment.sources[0])
    ]
    if len(wanted) == 1:
        fits = shape == wanted[0]
    else:
        fits = bool(shape) and len({rest[1:] for rest in wanted} | {shape[1:]}) == 1 and shape[0] == sum(rows for rows, *_ in wanted)
    if not fits:
        names = " + ".join(assignment.sources)
        have = " and ".join(str(weights.shape(name)) for name in assignment.sources)
        sentences.append(f"{names} is {have}, {' and '.join(f'{t} wants {s}' for t, s in zip(assignment.targets, wanted))}")
    return sentences


def transpose(x: Tensor) -> Tensor:
    """For checkpoints that store matrices as (in, out)."""
    return x.t()


def flatten(x: Tensor) -> Tensor:
    """For checkpoints that store vectors as (1, n)."""
    return x.flatten()
