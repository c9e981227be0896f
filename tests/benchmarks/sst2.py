"""SST-2 (Socher et al. 2013) from a folder with train.tsv.xz and valid.tsv.xz: lines of a label, 0 or 1, a tab and a sentence."""

import lzma
import random
from pathlib import Path

from models.tuning.task import Example, Examples, Label, Task

NAMES = ("negative", "positive")
TASK = Task(
    name="sst2",
    kind="classify",
    labels={"positive": Label(word="great"), "negative": Label(word="terrible")},
    template="{text} It was [MASK].",
)


def sst2(folder: Path, *, limit: int = 0, seed: int = 1) -> Examples:
    """All of it, or so many sentences to learn from, drawn by chance; what is called valid is the test, and nothing is chosen by it."""
    train, test = (read(folder / f"{part}.tsv.xz") for part in ("train", "valid"))
    random.Random(seed).shuffle(train)
    held = max(1, min(300, len(train) // 10))
    dev, train = train[:held], train[held:]
    return Examples(task=TASK, train=tuple(train[:limit] if limit else train), dev=tuple(dev), test=tuple(test))


def read(file: Path) -> list[Example]:
    with lzma.open(file, "rt", encoding="utf-8") as stream:
        rows = [line.rstrip("\n").split("\t", 1) for line in stream]
    return [Example(text=text, answer=NAMES[int(label)], line=line) for line, (label, text) in enumerate(rows, start=1)]
