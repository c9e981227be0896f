"""The labelled sets that ship, and how examples are split, dealt out and put in order: the same for every method."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

from models.batching import groups
from models.errors import Problem
from models.sources.assets import ROOT
from models.tuning.task import Example, Examples, Label, Task

FOLDER = ROOT / "tasks"
SPLITS = ("train", "dev", "test")
SHARE = 0.15  # of the examples for measuring while learning, and as many for measuring at the end
POOL = 8  # batches that are drawn together, so that texts of similar length can be read together


def shipped(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the sets in `folder`."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def read_task(name: str, folder: Path = FOLDER) -> Task:
    """What a set asks, without its examples. Problem "unknown_task_set" where there is none of that name."""
    if name not in shipped(folder):
        raise Problem("unknown_task_set", name=name, known=list(shipped(folder)))
    card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    labels = {label: Label(**words) for label, words in card.get("labels", {}).items()}
    known = ("name", "kind", "language", "title", "about", "licence", "template")
    return Task(labels=labels, **{key: card[key] for key in known if key in card})


def read_examples(name: str, folder: Path = FOLDER) -> Examples:
    """A set that ships: FOLDER/NAME.tsv with a header and the columns split, label and text, or split, source and target."""
    task = read_task(name, folder)
    found: dict[str, list[Example]] = {split: [] for split in SPLITS}
    with (folder / f"{name}.tsv").open(encoding="utf-8", newline="") as stream:
        for line, row in enumerate(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            text, answer = (row["text"], row["label"]) if task.kind == "classify" else (row["source"], row["target"])
            if task.kind == "classify" and answer not in task.labels:
                raise ValueError(f"{name}.tsv, line {line}: the label {answer!r} is not one of {sorted(task.labels)}")
            found[row["split"]].append(Example(text=text, answer=answer, line=line))
    return Examples(task=task, **{split: tuple(rows) for split, rows in found.items()})


def split(task: Task, examples: Sequence[Example], *, seed: int = 1, share: float = SHARE) -> Examples:
    """Deal examples out by chance, each label by itself, so that every part has all labels where there are enough."""
    rng = random.Random(seed)
    by_label: dict[str, list[Example]] = {}
    for example in examples:
        by_label.setdefault(example.answer if task.kind == "classify" else "", []).append(example)
    found: dict[str, list[Example]] = {part: [] for part in SPLITS}
    for label in sorted(by_label):
        rows = by_label[label]
        rng.shuffle(rows)
        held = max(1, round(len(rows) * share)) if len(rows) > 2 else 0
        for part, rows_of_part in zip(("dev", "test", "train"), (rows[:held], rows[held : 2 * held], rows[2 * held :])):
            found[part] += rows_of_part
    for rows in found.values():
        rng.shuffle(rows)
    return Examples(task=task, **{part: tuple(rows) for part, rows in found.items()})


def epoch(sizes: Sequence[int], *, number: int, seed: int, rows: int, tokens: int) -> list[list[int]]:
    """Batches of indices of one epoch, each of at most so many rows and tokens, of similar length, in an order drawn by chance.

    They depend on nothing but these numbers. `sizes` are the tokens of each text alone: every method gets the same batches.
    """
    rng = random.Random(f"{seed}.{number}")
    order = list(range(len(sizes)))
    rng.shuffle(order)
    batches = []
    for start in range(0, len(order), rows * POOL):
        pool = order[start : start + rows * POOL]
        found = groups([sizes[index] for index in pool], tokens=tokens, rows=rows, waste=2.0)
        batches += [[pool[index] for index in batch] for batch in found]
    rng.shuffle(batches)
    return batches
