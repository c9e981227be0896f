"""What mini-bert-en makes of the shipped English reviews: cloze without learning, and a prefix after a minute.

python -m tests.benchmarks.tuning_quality [--threads 2] [--seconds 60] [--seeds 3] [--model mini-bert-en] [--task reviews_en]
"""

import argparse
import sys

import torch

import models
from models.tuning.examples import read_examples
from models.tuning.loop import Run
from tests.benchmarks.tuned_table import HEAD, tuned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60, help="of computing, for each method with each seed")
    parser.add_argument("--epochs", type=float, help="end sooner, after so many")
    parser.add_argument("--head-rate", type=float, default=Run.head_rate, help="of a new layer that reads the answer")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="mini-bert-en")
    parser.add_argument("--task", default="reviews_en")
    parser.add_argument("--methods", nargs="+", default=["cloze", "prefix"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, examples = models.load(options.model), read_examples(options.task)
    lines = [f"{options.model} on {options.task}, {len(examples.test)} test sentences", "", *HEAD]
    for method in options.methods:
        budget = {"seconds": options.seconds, "epochs": options.epochs, "measure": 0, "head_rate": options.head_rate}
        runs = [Run(**budget, seed=seed) for seed in range(1, options.seeds + 1)]
        lines.append(tuned(model, method, examples, runs))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
