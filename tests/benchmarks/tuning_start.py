"""How soon the first point of a curve is there after Start, on a warm server.

    python -m tests.benchmarks.tuning_start [--threads 2] [--repeats 7] [--model mini-bert-en]

Measured on the service, without HTTP; the page looks for new points every 0.2 s, which comes on top. Warm: a run has gone before.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from models.catalogue import Catalogue
from playground.service.playground import Playground
from playground.service.runs import Plan, Point

METHODS = ("prompt", "prefix", "lora", "ffn_only", "full")


def first(playground: Playground, model: str, method: str, number: int) -> float:
    """Seconds from Start to the first point; the run is then stopped."""
    visitor = f"visitor-{method}-{number}"
    start = time.perf_counter()
    playground.tune(visitor, Plan(model=model, methods=(method,), task="reviews_en", amount=50))
    job = playground.runs.job(visitor)
    found = None
    for step in job.follow():
        if isinstance(step, Point) and found is None:
            found = time.perf_counter() - start
            playground.runs.stop(visitor)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="mini-bert-en")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [f"| {options.model}, reviews_en: Start to first point | median | slowest | to reach |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder, Playground(Catalogue(), "cpu", offline=True, kept=Path(folder)) as playground:
        first(playground, options.model, "prompt", 0)
        for method in METHODS:
            found = [first(playground, options.model, method, number) for number in range(1, options.repeats + 1)]
            lines.append(f"| {method} | {statistics.median(found):.2f} s | {max(found):.2f} s | 2 s |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
