"""Tuning MiniLM against PEFT: seconds a step at equal loss curves, real texts of mixed length, and peak memory.

    python -m tests.benchmarks.tuning_speed [--threads 2] [--pairs 15] [--methods prompt prefix lora full] [--sst2 FOLDER]

Same weights, same start, same texts, same optimiser, one run. PEFT trains transformers' BertModel (SDPA, and without dropout, which ours
does not have) with a linear head on its first position; where everything moves, PEFT has no part and it is BertModel alone. Mixed lengths:
shipped reviews, or sentences of SST-2; PEFT's batches are drawn by chance and padded to the longest of 16, as a DataLoader does.
Memory is measured in a process for each, as the growth of the resident memory from before the first step to its highest moment; where
everything moves, ours has a copy of the weights besides, since its base stays as it is.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import BertModel
from transformers.utils import logging

import models
from models.catalogue import Catalogue
from models.model import Model
from models.sources import fetch
from models.training.schedule import rate
from models.tuning import methods
from models.tuning.examples import epoch, read_examples
from models.tuning.loop import Run, Tuning
from models.tuning.peft_format import write_adapter
from models.tuning.results import Outcome
from models.tuning.task import Examples
from playground.service.peak import Peak
from tests.benchmarks.paired import paired
from tests.benchmarks.sst2 import sst2

NAME = "all-MiniLM-L6-v2"
LENGTH, ROWS, VECTORS, RATE = 32, 16, 16, 1e-3
SETTINGS = {"prompt": {"length": VECTORS, "start": "random"}, "prefix": {"length": VECTORS, "start": "vocabulary"}, "lora": {}, "full": {}}


class Theirs:
    """PEFT's side of a run of ours that has not begun: the same numbers to start from, the same head and optimiser."""

    def __init__(self, tuning: Tuning):
        self.tuning, self.run = tuning, tuning.run
        self.network: nn.Module = BertModel.from_pretrained(
            fetch(Catalogue().find(NAME)), attn_implementation="sdpa", add_pooling_layer=False
        )
        self.before = 0  # positions in front of the words' in the output
        if tuning.method.peft is not None:
            with tempfile.TemporaryDirectory() as folder:
                write_adapter(Outcome.of(tuning), Path(folder))
                self.network = adapted(self.network, folder)
            self.before = VECTORS if tuning.method.name == "prompt" else 0
        self.network.eval()  # no dropout; gradients are computed all the same
        self.head = nn.Linear(tuning.base.config.d_model, len(tuning.examples.task.labels))
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)
        moving = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        groups = [{"params": moving, "highest": tuning.rate}, {"params": [*self.head.parameters()], "highest": self.run.head_rate}]
        self.moving = [*moving, *self.head.parameters()]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0, fused=True)
        self.steps = 0

    def step(self, rows: Sequence[int]) -> float:
        """One batch, one change, exactly as the loop of ours makes it."""
        items = [self.tuning.items[row] for row in rows]
        width = max(len(item.row) for item in items)
        ids, mask = torch.zeros(len(items), width, dtype=torch.long), torch.zeros(len(items), width, dtype=torch.long)
        for index, item in enumerate(items):
            ids[index, : len(item.row)], mask[index, : len(item.row)] = torch.tensor(item.row.ids), 1
        share = rate(self.steps, self.steps / self.run.steps, warmup=max(1, round(self.run.warmup * self.run.steps)), decay=self.run.decay)
        for group in self.optimiser.param_groups:
            group["lr"] = group["highest"] * share
        hidden = self.network(input_ids=ids, attention_mask=mask).last_hidden_state[:, self.before]
        loss = nn.functional.cross_entropy(self.head(hidden), torch.tensor([item.answer for item in items]))
        loss.backward()
        nn.utils.clip_grad_norm_(self.moving, self.run.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.steps += 1
        return float(loss.detach())


def adapted(base: nn.Module, folder: str) -> PeftModel:
    """The adapter as before its training; of prompts and prefixes PEFT refuses to load what shall go on learning, and has to be told."""
    made = PeftModel.from_pretrained(base, folder)
    made.active_peft_config.inference_mode = False
    for name, parameter in made.named_parameters():
        parameter.requires_grad_("prompt_encoder" in name or "lora_" in name)
    return made


def joined(examples: Examples) -> Examples:
    """Every text followed by others, so that all are longer than what is read of them."""
    texts = [example.text for example in examples.train]
    long = tuple(
        replace(example, text=" ".join([example.text, *(texts[(place + more) % len(texts)] for more in range(1, 9))]))
        for place, example in enumerate(examples.train)
    )
    return replace(examples, train=long)


def prepared(model: Model, method: str, examples: Examples, *, steps: int, length: int) -> Tuning:
    """A run of ours before its first step."""
    chosen = methods()[method]
    quiet = replace(examples, dev=(), test=())
    run = Run(steps=steps, rate=1e-4 if method == "full" else RATE, rows=ROWS, length=length, measure=0)
    return Tuning(model, chosen, quiet, settings=chosen.settings(**SETTINGS[method]), run=run, reading="linear")


def orders(tuning: Tuning, count: int) -> list[list[int]]:
    """The first so many batches of our run."""
    sizes, found, number = [item.size for item in tuning.items], [], 0
    while len(found) < count:
        found += epoch(sizes, number=number, seed=tuning.run.seed, rows=tuning.run.rows, tokens=tuning.run.tokens)
        number += 1
    return found[:count]


def equal(model: Model, method: str, examples: Examples, pairs: int) -> str:
    """Steps of the same batches in turn; both losses have to stay the same."""
    tuning = prepared(model, method, joined(examples), steps=pairs + 3, length=LENGTH)
    assert {len(item.row) for item in tuning.items} == {LENGTH}
    other, batches = Theirs(tuning), iter(orders(tuning, pairs + 2))
    mine, their = [], []
    timing = paired(lambda: mine.append(tuning.step().loss), lambda: their.append(other.step(next(batches))), pairs=pairs, warm=2)
    apart = max(abs(a - b) for a, b in zip(mine, their))
    assert apart < 2e-3, f"{method}: the losses are {apart} apart: {mine} {their}"
    return row(f"{method}, {ROWS} x {LENGTH} tokens", timing, f"losses at most {apart:.0e} apart, {their[0]:.3f} to {their[-1]:.3f}")


def mixed(model: Model, method: str, examples: Examples, pairs: int) -> str:
    """As many texts each in a pair, ours in our batches, theirs in batches by chance; before that both see one batch alike."""
    tuning = prepared(model, method, examples, steps=10_000, length=128)
    other, rng = Theirs(tuning), random.Random(1)
    first = orders(tuning, 1)[0]
    check = abs(tuning.learn() - other.step(first))
    assert check < 1e-4, f"{method}: the first losses are {check} apart"
    chunks = 4 * ROWS  # texts of one side of a pair, at least

    def ours() -> None:
        texts = 0
        while texts < chunks:
            texts += len(tuning.batches[tuning.place])
            tuning.step()
        counted[0] += texts

    def theirs() -> None:
        for _ in range(chunks // ROWS):
            other.step(rng.sample(range(len(tuning.items)), ROWS))
        counted[1] += chunks

    counted = [0, 0]
    timing = paired(ours, theirs, pairs=pairs, warm=1)
    more = counted[1] / counted[0]  # ours may have done a few texts more
    timing = replace(timing, ours=timing.ours * more / 4, theirs=timing.theirs / 4, **{
        part: getattr(timing, part) / more for part in ("ratio", "lowest", "highest")
    })  # fmt: skip
    lengths = sorted(len(item.row) for item in tuning.items)
    note = f"{lengths[0]}-{lengths[-1]} tokens, median {lengths[len(lengths) // 2]}; time for {ROWS} texts"
    return row(f"{method}, mixed lengths", timing, note)


def row(what: str, timing, note: str) -> str:
    ratio = f"**{timing.ratio:.2f}x** ({timing.lowest:.2f}-{timing.highest:.2f})"
    return f"| {what} | {ratio} | {timing.ours * 1e3:.0f} ms | {timing.theirs * 1e3:.0f} ms | {note} |"


def memory(options: argparse.Namespace, method: str) -> str:
    """Peak memory of both, each in a process of its own."""
    found = {}
    for side in ("ours", "theirs"):
        command = [sys.executable, "-m", "tests.benchmarks.tuning_speed", "--side", side, "--methods", method]
        told = subprocess.run([*command, "--threads", str(options.threads)], check=True, capture_output=True, text=True)
        found[side] = json.loads(told.stdout)["bytes"] / 1e6
    return f"| {method} | **{found['ours'] / found['theirs']:.2f}x** | {found['ours']:.0f} MB | {found['theirs']:.0f} MB |"


def alone(side: str, method: str) -> None:
    """Some steps of one side in this process, and what they needed."""
    model, steps = models.load(NAME), 12
    tuning = prepared(model, method, joined(read_examples("reviews_en")), steps=steps, length=LENGTH)
    other = Theirs(tuning) if side == "theirs" else None
    with Peak(torch.device("cpu")) as peak:
        for batch in orders(tuning, steps):
            tuning.step() if other is None else other.step(batch)
    sys.stdout.write(json.dumps({"bytes": peak.n_bytes}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads of both")
    parser.add_argument("--pairs", type=int, default=15, help="timed pairs a line")
    parser.add_argument("--methods", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument(
        "--sst2", type=Path, help="folder with train.tsv.xz: its sentences in place of the shipped reviews where lengths are mixed"
    )
    parser.add_argument("--side", choices=("ours", "theirs"), help="only some steps of this side, for its memory")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.set_verbosity_error()  # of a pooling layer that is not read
    logging.disable_progress_bar()
    if options.side:
        alone(options.side, options.methods[0])
        return
    model, reviews = models.load(NAME), read_examples("reviews_en")
    real = sst2(options.sst2, limit=2000) if options.sst2 else reviews
    show("| MiniLM, linear head | ratio | ours | PEFT | |\n|---|---|---|---|---|")
    for method in options.methods:
        show(equal(model, method, reviews, options.pairs))
    for method in options.methods:
        show(mixed(model, method, real, options.pairs))
    show("\n| peak memory | ratio | ours | PEFT |\n|---|---|---|---|")
    for method in options.methods:
        show(memory(options, method))


def show(line: str) -> None:
    """A line of the table, at once: the whole takes minutes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
