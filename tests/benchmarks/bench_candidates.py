"""How long a decoder needs to propose 50 words for a gap and to score each of them with what stands behind it.

    python -m tests.benchmarks.bench_candidates [--threads 2] [--repeats 7] [--model smollm2-135m-instruct]

The task as the page runs it, without HTTP; each time another text, so that nothing is remembered.
"""

import argparse
import statistics
import sys
import time

import torch

import models
from playground.tasks import fill_mask_decoder

TEXTS = {
    "short: 4 tokens behind the gap": "Number {n}: she drank a cup of [MASK] in the morning.",
    "a sentence: 20 tokens behind it": "Number {n}: the old man wanted to [MASK] the boats by the river"
    " before the sun went down behind the hills and it got cold.",
    "long: the most that is read, 32 tokens": "Number {n}: she put the [MASK] into the oven, set the timer to forty minutes,"
    " washed the bowl"
    " and the spoons, and waited at the window until the whole kitchen smelled of sugar, butter and warm apples from the old garden.",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="smollm2-135m-instruct")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = models.load(options.model)
    lines = [f"| {options.model}, 50 candidates | median | slowest | to reach |", "|---|---|---|---|"]
    for name, text in TEXTS.items():
        found = []
        for number in range(options.repeats + 1):
            start = time.perf_counter()
            (result,) = fill_mask_decoder.run(model, [fill_mask_decoder.Request(text=text.format(n=number))])
            found.append(time.perf_counter() - start)
            assert len(result.candidates) > 30
        lines.append(f"| {name} | {statistics.median(found[1:]):.2f} s | {max(found[1:]):.2f} s | 2 s |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
