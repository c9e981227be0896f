"""A running mean of the weights, which is often better than where they are at the last step (Polyak & Juditsky 1992)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class Average:
    """Keeps `decay` of what it was at each update; early on less, so that the random start is soon forgotten."""

    def __init__(self, parameters: Iterable[Tensor], *, decay: float):
        if not 0 < decay < 1:
            raise ValueError(f"the decay of a mean is between 0 and 1, got {decay}")
        self.parameters = list(parameters)
        self.decay = decay
        self.updates = 0
        self.mean = [parameter.detach().clone() for parameter in self.parameters]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are now."""
        self.updates += 1
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.mean, [parameter.detach() for parameter in self.parameters], 1 - keep)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model computes with the mean inside this block."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        for parameter, mean in zip(self.parameters, self.mean):
            kept = parameter.detach().clone()
            parameter.copy_(mean)
            mean.copy_(kept)

    def state_dict(self) -> dict[str, object]:
        return {"updates": self.updates, "mean": self.mean}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self.updates = state["updates"]
        for mean, saved in zip(self.mean, state["mean"], strict=True):
            mean.copy_(saved)
