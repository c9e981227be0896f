"""A second network that shares the memory of the first: what is tuned has copies, everything else is there once."""

from collections.abc import Iterable

import torch
from torch import nn

from models.checkpoints.load import assign, parameter_places
from models.errors import Problem
from models.transformer import Transformer


def twin(network: Transformer, *, train: Iterable[str] = ()) -> Transformer:
    """A network with the numbers of `network`, frozen, except that the parameters named in `train` are copies that may move.

    It is built on `meta` and takes over the tensors themselves, so nothing is copied that does not move, and nothing that moves is the
    base's. A tied parameter may be named by any of its names. Raises Problem "tuning_needs_floats" where the numbers are not float32.
    """
    check_floats(network)
    made = Transformer.build(network.config)
    made.load_state_dict({name: value.detach() for name, value in network.state_dict().items()}, assign=True)
    made.tie()
    made.requires_grad_(False)
    wanted = set(train)
    for names in parameter_places(made):
        if chosen := wanted.intersection(names):
            wanted -= chosen
            assign(made, names, made.get_parameter(names[0]).detach().clone())
            made.get_parameter(names[0]).requires_grad_()
    if wanted:
        raise ValueError(f"the network has no parameters {sorted(wanted)[:3]}")
    left = [name for name, tensor in [*made.named_parameters(), *made.named_buffers()] if tensor.is_meta]
    assert not left, f"still on meta: {left}"
    return made.eval()


def check_floats(network: Transformer) -> None:
    """Problem "tuning_needs_floats" where the numbers are not float32."""
    if any(parameter.dtype != torch.float32 for parameter in network.parameters()) or not whole(network):
        raise Problem("tuning_needs_floats")


def whole(network: Transformer) -> bool:
    """Whether every matrix is there as numbers that can be learnt; in 8 bits they are packed away."""
    with torch.device("meta"):
        return network.state_dict().keys() == Transformer(network.config).state_dict().keys()


def moving(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are not frozen, by name, tied ones once."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
