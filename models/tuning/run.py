"""How long and how fast to learn, and what a step reports."""

import math
from dataclasses import dataclass

from models.errors import Problem
from models.training.schedule import Decay

STEPS = 200  # where nobody says how long


@dataclass(frozen=True, kw_only=True)
class Run:
    """How to train. Whichever of `steps`, `epochs` and `seconds` comes first ends it; without any of them, 200 steps.

    `seconds` counts the time of the steps, not of pauses. A batch has at most `rows` texts and `tokens` tokens, padding included.
    """

    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None
    rate: float | None = None  # None: the one that suits method and model, see `rates.py`
    head_rate: float = 1e-2  # of a new layer that reads the answer
    warmup: float = 0.06  # of all steps; where only seconds are given, of 200
    decay: Decay = "linear"
    weight_decay: float = 0.0
    dropout: float = 0.0  # the share of features that is silenced while learning
    clip: float = 1.0
    rows: int = 16
    tokens: int = 2048
    length: int = 128  # of the longest question, in tokens
    seed: int = 1
    soup: int = 1  # so many runs from one start, each with its share of the budget; what is left is the mean of them, see `soup.py`
    adversarial: float = 0.0  # how far word vectors are pushed against what is learnt, see `adversarial.py`
    measure: int = 20  # steps between two measurements; 0: only at the end
    dev: int = 200  # examples measured then

    def __post_init__(self) -> None:
        for name in ("steps", "epochs", "seconds", "rate"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise Problem("bad_budget", what=name, value=value)
        if not 0 <= self.dropout < 1:
            raise Problem("bad_budget", what="dropout", value=self.dropout)
        if not 0 <= self.adversarial <= 1:
            raise Problem("bad_budget", what="adversarial", value=self.adversarial)
        if self.soup < 1:
            raise Problem("bad_budget", what="soup", value=self.soup)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happened: the `loss` of this step's batch (None where nothing moves) and, where it was measured, `accuracy` on dev."""

    step: int
    seconds: float  # of computing, since the start
    epoch: float
    loss: float | None = None
    accuracy: float | None = None
    last: bool = False
