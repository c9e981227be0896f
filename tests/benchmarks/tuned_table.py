"""A row of a table: one method with several seeds, as the page would run it."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.model import Model
from models.tuning import methods
from models.tuning.loop import Run, Tuning
from models.tuning.reading.choose import Wish
from models.tuning.results import Outcome
from models.tuning.task import Examples

HEAD = ["| method | test accuracy | each seed | rate | steps | s / step | trainable |", "|---|---|---|---|---|---|---|"]


def trained(
    model: Model,
    method: str,
    examples: Examples,
    run: Run,
    *,
    settings: Any = None,
    reading: Wish = "auto",
    half: bool = False,
    name: str = "",
) -> Tuning:
    """A run that has come to its end. With `half`, products of matrices are in bfloat16 while it learns."""
    tuning = Tuning(model, methods()[method], examples, settings=settings, run=run, reading=reading, name=name)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=half, cache_enabled=False):
        for _ in tuning.steps():
            pass
    return tuning


def tuned(model: Model, method: str, examples: Examples, runs: Sequence[Run], *, keep: Path | None = None, **how: Any) -> str:
    """Learn once for each of `runs`, measure on the test sentences. Accuracies are mean ± standard deviation over the seeds.

    `how`: as in `trained`; what is measured is in fp32 all the same. In the folder `keep` each is kept as METHOD-SEED.
    """
    found, pace, steps = [], [], []
    for run in runs:
        tuning = trained(model, method, examples, run, **how)
        outcome = Outcome.of(tuning)
        if keep:
            outcome.save(keep / f"{method}-{run.seed}")
        found.append(outcome.measure(examples.test).accuracy)
        pace.append(tuning.seconds / tuning.step_number)
        steps.append(tuning.step_number)
    spread = f" ± {statistics.stdev(found):.3f}" if len(found) > 1 else ""
    each = ", ".join(f"{value:.3f}" for value in found)
    learnt = f"{tuning.rate:g} | {statistics.median(steps):.0f} | {statistics.median(pace):.3f}" if tuning.n_trainable else "- | - | -"
    return f"| {method} | **{statistics.mean(found):.3f}**{spread} | {each} | {learnt} | {tuning.n_trainable:,} |"
