"""SST-2 learnt from teachers: models are tuned on it, and a small one learns what they say of the sentences and of variants of them.

    python -m tests.benchmarks.tuning_taught FOLDER WORK [--methods prefix full] [--seeds 1 2 3] [--threads 2] [--half]

FOLDER holds train.tsv.xz and valid.tsv.xz, as for `tuning_sst2`; valid chooses nothing. WORK is a folder of one's own: the variants, the
tuned teachers and what each says are made once and kept there, so that several processes can then learn from it, each with its methods and
seeds. Students are kept there too, as METHOD-SEED, and `--assistants` names some that teach others: what is small itself teaches a small
one well (Mirzadeh et al. 2020, "Improved knowledge distillation via teacher assistant").
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import models
from models.tuning import methods
from models.tuning.distil import taught, together
from models.tuning.loop import Run
from models.tuning.results import Outcome, load_outcome
from models.tuning.task import Example, Examples
from models.tuning.variants import variants
from tests.benchmarks.sst2 import sst2
from tests.benchmarks.tuned_table import HEAD, trained, tuned
from tests.benchmarks.written import author, written

PLAIN = dict(rows=32, measure=0)
TEACHERS = {  # full tuning: how, and how the answer is read
    "SmolLM2-135M-Instruct": (Run(epochs=2, rate=3e-5, **PLAIN), "words"),
    "all-MiniLM-L6-v2": (Run(epochs=3, rate=2e-4, head_rate=1e-3, dropout=0.1, adversarial=0.2, **PLAIN), "mean"),
}
STUDENTS = {
    "prompt": Run(epochs=3, rate=3e-2, head_rate=1e-3, **PLAIN),
    "prefix": Run(epochs=3, rate=2e-2, head_rate=1e-3, **PLAIN),
    "lora": Run(epochs=2, rate=2e-3, head_rate=1e-3, **PLAIN),
    "ffn_only": Run(epochs=1, rate=3e-4, head_rate=1e-3, dropout=0.1, **PLAIN),
    "full": Run(epochs=1, rate=2e-4, head_rate=1e-3, dropout=0.1, **PLAIN),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--teachers", nargs="+", default=list(TEACHERS), choices=TEACHERS)
    parser.add_argument("--assistants", nargs="*", default=[], type=Path, help="folders of students that teach too")
    parser.add_argument("--writer", default="mini-bert-en", help="fills the gaps of the variants")
    parser.add_argument("--replaced", type=int, default=4, help="variants of each sentence with replaced words")
    parser.add_argument("--parts", type=int, default=3, help="parts of each sentence")
    parser.add_argument("--written", type=int, default=0, help="sentences that a language model writes after learning to")
    parser.add_argument("--author", default="SmolLM2-135M-Instruct", help="writes them")
    parser.add_argument("--methods", nargs="*", default=["prefix", "full"], choices=STUDENTS)
    parser.add_argument("--epochs", type=float, help="instead of those of each method")
    parser.add_argument("--rate", type=float, help="instead of that of each method")
    parser.add_argument("--vectors", type=int, help="of a prompt or prefix, instead of the usual")
    parser.add_argument("--reading", default="auto", choices=["auto", "linear", "mean"], help="how the answers of students are read")
    parser.add_argument("--adversarial", type=float, default=0.0, help="how far word vectors are pushed, a share of their mean length")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16 while learning, and where the teacher is asked")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    plain, model = sst2(options.folder), models.load(options.model)
    teachers: dict[str, Callable[[], Outcome]] = {name: partial(tuned_teacher, name, plain, options) for name in options.teachers}
    teachers |= {folder.name: partial(load_outcome, folder, model) for folder in options.assistants}
    examples = together([lesson(name, teacher, plain, options) for name, teacher in teachers.items()])
    counts = f"{len(examples.train)} sentences and {len(examples.more)} variants to learn from, {len(examples.test)} to test"
    say("\n".join([f"{options.model} on SST-2, taught by {', '.join(teachers)}: {counts}", "", *HEAD]))
    for method in options.methods:
        asked = {"epochs": options.epochs, "rate": options.rate, "adversarial": options.adversarial}
        usual = dataclasses.replace(STUDENTS[method], **{name: value for name, value in asked.items() if value is not None})
        runs = [dataclasses.replace(usual, seed=seed) for seed in options.seeds]
        settings = methods()[method].settings(**{"length": options.vectors} if options.vectors and method in ("prompt", "prefix") else {})
        how = {"settings": settings, "reading": options.reading, "half": options.half}
        say(tuned(model, method, examples, runs, keep=options.work, **how))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def lesson(name: str, ready: Callable[[], Outcome], plain: Examples, options: argparse.Namespace) -> Examples:
    """The sentences, their variants and others like them with what a teacher says of them, from the folder where that was done before."""
    asked = {options.work / f"{name}.jsonl": (plain, more)}
    if options.written:
        asked[options.work / f"{name}.written.jsonl"] = (dataclasses.replace(plain, train=()), others)
    teacher = None
    for file, (known, make) in asked.items():
        if file.exists():
            continue
        texts = make(plain, options)
        if teacher is None:
            teacher = ready()
            say(f"{name} itself: {teacher.measure(plain.test).accuracy:.3f}")
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.half):
            write(taught(known, teacher, more=texts), file)
    found = [read(plain, file) for file in asked]
    return dataclasses.replace(found[0], more=tuple(example for part in found for example in part.more))


def more(plain: Examples, options: argparse.Namespace) -> list[str]:
    """The variants of the sentences, the same for all teachers."""
    texts = [example.text for example in plain.train]
    return lines(
        options.work / "variants.txt",
        lambda: variants(models.load(options.writer), texts, replaced=options.replaced, parts=options.parts),
    )


def others(plain: Examples, options: argparse.Namespace) -> list[str]:
    """Sentences like these by a language model, the same for all teachers."""

    def make() -> list[str]:
        known = {example.text for example in (*plain.train, *plain.test)}  # what is measured is not learnt from
        by = author(models.load(options.author), plain.train, half=options.half)
        return written(by, list(plain.task.labels), known, count=options.written, half=options.half)

    return lines(options.work / "written.txt", make)


def lines(file: Path, make: Callable[[], list[str]]) -> list[str]:
    """The texts of a file, a line each; made where it does not exist yet."""
    if not file.exists():
        file.write_text("".join(text + "\n" for text in make()), encoding="utf-8")
    return file.read_text(encoding="utf-8").splitlines()


def tuned_teacher(name: str, plain: Examples, options: argparse.Namespace) -> Outcome:
    """A model after learning."""
    base, folder = models.load(name), options.work / name
    if folder.exists():
        return load_outcome(folder, base)
    run, reading = TEACHERS[name]
    outcome = Outcome.of(trained(base, "full", plain, run, reading=reading, half=options.half, name=name))
    outcome.save(folder)
    return outcome


def write(examples: Examples, file: Path) -> None:
    """One line a text."""
    rows = [{"part": part} | dataclasses.asdict(example) for part in ("train", "more") for example in getattr(examples, part)]
    new = file.with_suffix(".new")
    new.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    new.rename(file)


def read(plain: Examples, file: Path) -> Examples:
    """The same examples with what `write` noted."""
    found: dict[str, list[Example]] = {"train": [], "more": []}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row.pop("part")].append(Example(**row | {"chances": tuple(row["chances"])}))
    return dataclasses.replace(plain, train=tuple(found["train"]), more=tuple(found["more"]))


if __name__ == "__main__":
    main()
