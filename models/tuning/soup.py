"""Several runs from one start, and at the end the mean of what they learnt: a "model soup" (Wortsman et al. 2022, section 2).

Runs that differ only in the order of the texts and in what dropout silences end in different places of one valley; the middle is often
better than each, and costs no more to ask than one.
"""

from typing import Any

import torch
from torch import Tensor, nn


class Soup:
    """Adds up the ends of runs. `trainable` are the numbers that move, at their start now."""

    def __init__(self, trainable: dict[str, nn.Parameter], runs: int):
        self.trainable, self.runs = trainable, runs
        self.start = {name: parameter.detach().clone() for name, parameter in trainable.items()} if runs > 1 else {}
        self.total: dict[str, Tensor] = {}
        self.done, self.begun = 0, 0  # runs that ended, and the steps before this one

    def ends(self, progress: float) -> bool:
        """Whether a run has had its share of the whole."""
        return self.runs > 1 and progress * self.runs >= self.done + 1

    def within(self, progress: float) -> float:
        """How much of this run is done, from 0 to 1, when so much of the whole is."""
        return min(1.0, max(0.0, progress * self.runs - self.done))

    @torch.no_grad()
    def add(self, steps: int) -> None:
        """A run ends after `steps` in all; the next has to begin where it did."""
        for name, parameter in self.trainable.items():
            self.total[name] = self.total[name] + parameter if self.done else parameter.detach().clone()
        self.done, self.begun = self.done + 1, steps

    def mean(self) -> dict[str, Tensor]:
        """What the runs that ended have learnt on average."""
        return {name: total / self.done for name, total in self.total.items()}

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"done": self.done, "begun": self.begun, "total": {name: total.cpu().clone() for name, total in self.total.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.done, self.begun = state["done"], state["begun"]
        self.total = {name: total.to(self.trainable[name].device).clone() for name, total in state["total"].items()}
