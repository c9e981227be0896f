"""New sentences like those of a data set, by a language model that learnt to write them ("Generate, annotate, and learn", He et al. 2022).

It is told a label and writes a sentence. Whether the sentence has that label is for teachers to say.
"""

from collections.abc import Collection, Iterator, Sequence

import torch

from models.decode.sample import Sampling, sample
from models.decode.steps import collect
from models.model import Model
from models.tokens import Row
from models.tuning.loop import Run, Tuning
from models.tuning.task import Example, Examples, Task
from tests.benchmarks.tuned_table import trained

TASK = Task(name="written", kind="rewrite")
RUN = Run(epochs=1, rate=1e-4, rows=32, measure=0)
ROWS, LONGEST = 256, 64  # sentences written at once, tokens of one
LIKELY = dict(temperature=1.0, top_k=200, top_p=0.95)


def author(model: Model, examples: Sequence[Example], *, half: bool = False) -> Tuning:
    """A decoder after full tuning on these sentences, each behind the name of its label."""
    pairs = tuple(Example(text=asked(example.answer), answer=example.text) for example in examples)
    return trained(model, "full", Examples(task=TASK, train=pairs, dev=(), test=()), RUN, half=half)


def written(by: Tuning, labels: Sequence[str], known: Collection[str], *, count: int, seed: int = 1, half: bool = False) -> list[str]:
    """So many sentences, none twice and none that is `known`; as many were asked for with each of the labels."""
    network = by.prepared.network.to(torch.bfloat16 if half else torch.float32)
    found: dict[str, None] = {}
    turn = 0
    while len(found) < count:
        row = by.reading.question(asked(labels[turn % len(labels)]))
        found |= dict.fromkeys(text for text in write(by.model, network, row, seed=seed + turn) if text and text not in known)
        turn += 1
    return list(found)[:count]


def write(model: Model, network: torch.nn.Module, question: Row, *, seed: int) -> Iterator[str]:
    """`ROWS` answers; what had no end after `LONGEST` tokens is left out."""
    settings = [Sampling(seed=seed * ROWS + row, **LIKELY) for row in range(ROWS)]
    steps = sample(network, model.batch([question] * ROWS, side="left"), settings, max_new_tokens=LONGEST)
    for row in collect(steps, rows=ROWS, end_ids=model.config.end_ids):
        if row.ended:
            yield " ".join(model.tokenizer.decode(row.ids).split())


def asked(label: str) -> str:
    """What stands before a sentence."""
    return f"A {label} sentence of a film review:"
