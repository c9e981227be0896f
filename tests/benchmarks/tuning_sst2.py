"""SST-2 in five ways: prompt, prefix, LoRA, feed-forward layers only, everything.

    python -m tests.benchmarks.tuning_sst2 FOLDER [--model all-MiniLM-L6-v2] [--epochs 3] [--limit N] [--seconds S] [--seeds 3]

FOLDER holds train.tsv.xz and valid.tsv.xz. All of it is learnt from unless `--limit` says how much; `--seconds` ends a run that takes
longer. What is measured is valid, by which nothing is chosen. Rates are those of `models/tuning/rates.py`; vectors alone learn slowly, so
prompt and prefix see the data `--more` times as often as the others.
"""

import argparse
import sys
from pathlib import Path

import torch

import models
from models.tuning.loop import Run
from tests.benchmarks.sst2 import sst2
from tests.benchmarks.tuned_table import HEAD, tuned

METHODS = ("prompt", "prefix", "lora", "ffn_only", "full")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--device", help="cpu or cuda (default: the model's own choice)")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--more", type=float, default=3, help="how much longer prompt and prefix learn")
    parser.add_argument("--rate", type=float, help="learning rate (default: the method's)")
    parser.add_argument("--head-rate", type=float, default=Run.head_rate, help="of the new layer that reads the answer")
    parser.add_argument("--rows", type=int, default=32, help="sentences a step")
    parser.add_argument(
        "--dropout", type=float, help="share of features silenced (default: 0.1 where matrices of the model move, else none)"
    )
    parser.add_argument("--soup", type=int, default=1, help="runs from one start, of which the mean is taken; each for so many epochs")
    parser.add_argument("--adversarial", type=float, default=0.0, help="how far word vectors are pushed, a share of their mean length")
    parser.add_argument("--reading", default="auto", help="words, linear, mean (default: what suits the model)")
    parser.add_argument("--limit", type=int, default=0, help="sentences to learn from (default: all)")
    parser.add_argument("--seconds", type=float, help="of computing, for each method with each seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, examples = models.load(options.model, device=options.device), sst2(options.folder, limit=options.limit)
    counts = f"{len(examples.train)} sentences to learn from, {len(examples.test)} to test"
    sys.stdout.write("\n".join([f"{options.model} on SST-2: {counts}", "", *HEAD]) + "\n")
    for method in options.methods:
        epochs = options.epochs * options.soup * (options.more if method in ("prompt", "prefix") else 1)
        plain = {"epochs": epochs, "seconds": options.seconds, "rows": options.rows, "soup": options.soup, "measure": 0}
        plain |= {"rate": options.rate, "head_rate": options.head_rate, "adversarial": options.adversarial}
        plain["dropout"] = (0.1 if method in ("ffn_only", "full") else 0.0) if options.dropout is None else options.dropout
        row = tuned(model, method, examples, [Run(**plain, seed=seed) for seed in range(1, options.seeds + 1)], reading=options.reading)
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
