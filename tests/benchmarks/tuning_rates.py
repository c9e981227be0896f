"""Learning rates tried: the one of the table and its neighbours, for each method, on a shipped set.

    python -m tests.benchmarks.tuning_rates [--model mini-bert-en] [--task reviews_en] [--steps 150] [--seeds 2] [--methods ...]

What is compared is the accuracy on dev after so many steps; test sentences are not looked at.
"""

import argparse
import statistics
import sys

import torch

import models
from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.examples import read_examples
from models.tuning.loop import Run, Tuning
from models.tuning.rates import RATES, rate_for
from models.tuning.task import Examples

AROUND = (0.1, 0.3, 1.0, 3.0, 10.0)  # times the rate of the table


def reached(model: Model, method: str, examples: Examples, run: Run) -> float:
    """Accuracy on dev at the end; 0 where the learning went out of bounds."""
    tuning = Tuning(model, methods()[method], examples, run=run)
    try:
        return list(tuning.steps())[-1].accuracy
    except Problem as problem:
        if problem.key != "tuning_diverged":
            raise
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="mini-bert-en")
    parser.add_argument("--task", default="reviews_en")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="+", default=list(RATES), choices=list(RATES))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, examples = models.load(options.model), read_examples(options.task)
    head = "| method | rate of the table |" + "".join(f" x {factor:g} |" for factor in AROUND) + " best |"
    lines = [f"{options.model} on {options.task}, dev accuracy after {options.steps} steps", "", head, "|---" * (3 + len(AROUND)) + "|"]
    for method in options.methods:
        usual = rate_for(methods()[method], model.config.architecture)
        means = []
        for factor in AROUND:
            runs = [Run(steps=options.steps, rate=usual * factor, seed=seed, measure=0) for seed in range(1, options.seeds + 1)]
            means.append(statistics.mean(reached(model, method, examples, run) for run in runs))
        best = usual * AROUND[means.index(max(means))]
        lines.append(f"| {method} | {usual:g} |" + "".join(f" {mean:.3f} |" for mean in means) + f" {best:g} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
