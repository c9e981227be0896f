"""Timing two ways of doing the same work side by side, so that a noisy machine is noisy for both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of ours and of theirs, medians over the pairs; `ratio` above 1 means that ours is faster."""

    ours: float
    theirs: float
    ratio: float  # the median of the pairs' own ratios
    lowest: float
    highest: float
    pairs: int

    def line(self, what: str, *, unit: float = 1e3, name: str = "ms") -> str:
        times = f"ours {self.ours * unit:.2f} {name}, theirs {self.theirs * unit:.2f} {name}"
        return f"{self.ratio:5.2f}x ({self.lowest:.2f}-{self.highest:.2f})  {what}: {times}, {self.pairs} pairs"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int = 15, warm: int = 2) -> Timing:
    """Run both in turn, A B B A, after `warm` uncounted pairs; `lowest` and `highest` are the quartiles of the ratios."""
    for _ in range(warm):
        ours(), theirs()
    mine, other = [], []
    for index in range(pairs):
        for work, times in [(ours, mine), (theirs, other)][:: 1 if index % 2 else -1]:
            times.append(seconds(work))
    ratios = [b / a for a, b in zip(mine, other)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return Timing(statistics.median(mine), statistics.median(other), statistics.median(ratios), low, high, pairs)
