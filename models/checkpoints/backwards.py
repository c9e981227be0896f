"""The weight map read backwards: our parameters under the names, and in the layout, of another program's file."""

import re
from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor

from models.checkpoints.rules import NUMBER, Rule, flatten, transpose

UNDO = {None: lambda x: x, transpose: transpose, flatten: lambda x: x[None]}


def backwards(rules: Iterable[Rule], parameters: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """What a checkpoint holds from which these rules would fill these parameters; fused matrices are cut into equal parts.

    ValueError where a parameter is in no rule. Tied parameters may be given once.
    """
    done = set()
    for rule in rules:
        for target in rule.targets:
            assert len(rule.targets) == 1, f"{rule}: one source for several targets cannot be put together here"
            pattern = re.compile(NUMBER.join(map(re.escape, target.split("{}"))))
            for name, value in parameters.items():
                if hit := pattern.fullmatch(name):
                    done.add(name)
                    numbers = [int(digits) + rule.first for digits in hit.groups()]
                    for source, transform, part in zip(rule.sources, rule.transforms, value.chunk(len(rule.sources))):
                        yield source.format(*numbers), UNDO[transform](part)
    if left := [name for name in parameters if name not in done]:
        raise ValueError(f"{left[0]} has no place in this kind of file")
