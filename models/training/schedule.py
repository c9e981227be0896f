"""How fast to learn as the training goes on."""

import math
from typing import Literal

Decay = Literal["linear", "cosine", "constant"]
FLOOR = 0.02  # of the highest rate, so that the last steps still do something


def rate(step: int, progress: float, *, warmup: int, decay: Decay = "linear", floor: float = FLOOR) -> float:
    """The share of the highest rate: it rises over `warmup` steps and falls as the training makes `progress` from 0 to 1."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    progress = min(1.0, max(0.0, progress))
    fall = {"linear": 1 - progress, "cosine": (1 + math.cos(math.pi * progress)) / 2, "constant": 1.0}[decay]
    return rise * max(floor, fall)
