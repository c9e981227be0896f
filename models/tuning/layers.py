"""Which layers a method works on."""

import re
from collections.abc import Sequence

from models.config import ModelConfig
from models.errors import Problem

IN_LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.")


def counts(config: ModelConfig) -> dict[str, int]:
    """The stacks of a model and how many layers each has."""
    stacks = {"encoder": config.n_encoder_layers, "decoder": config.n_decoder_layers}
    return {stack: count for stack, count in stacks.items() if count}


def chosen(config: ModelConfig, layers: Sequence[int]) -> dict[str, list[int]]:
    """The layers of each stack that are meant: () is all; -1 is the last. Problem "no_such_layer" where one is in no stack."""
    stacks = counts(config)
    for layer in layers:
        if not any(-count <= layer < count for count in stacks.values()):
            raise Problem("no_such_layer", layer=layer, layers=max(stacks.values()))
    return {
        stack: sorted({layer % count for layer in layers if -count <= layer < count} if layers else range(count))
        for stack, count in stacks.items()
    }


def inside(name: str, layers: dict[str, list[int]]) -> bool:
    """Whether a parameter or module belongs to one of these layers."""
    found = IN_LAYER.match(name)
    return found is not None and int(found[2]) in layers.get(found[1], [])
