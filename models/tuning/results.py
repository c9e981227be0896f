"""What a tuning leaves: a model that answers, how good it is, and a folder to keep it in."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from models.errors import Problem
from models.model import Model
from models.tuning import Prepared, methods
from models.tuning.fingerprint import fingerprint
from models.tuning.loop import Tuning, load, order
from models.tuning.reading import Reading
from models.tuning.reading.choose import reading_for
from models.tuning.task import Example, Label, Task
from models.tuning.tuned import tuned_model
from models.tuning.twin import check_floats

FACTS, NUMBERS = "tuned.json", "tuned.safetensors"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`accuracy` over `count` questions; for classes also `confusion[true][guessed]` and the examples that were `wrong`, with the guess."""

    accuracy: float
    count: int
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    wrong: tuple[tuple[Example, str], ...] = ()


@dataclass(kw_only=True, eq=False)
class Outcome:
    """A tuned model with the way to ask it. `model` is one more model for every task of the house."""

    base: Model
    model: Model
    method: str
    prepared: Prepared
    reading: Reading
    task: Task
    facts: dict[str, Any]  # steps, seconds, rate, seed, length

    @classmethod
    def of(cls, tuning: Tuning) -> "Outcome":
        """What a run has reached; what was needed only to learn is folded away.

        It shares with the run what moves, so while the run goes on, its answers are those of the last step.
        """
        run = tuning.run
        facts = {"steps": tuning.step_number, "seconds": tuning.seconds, "rate": tuning.rate, "seed": run.seed}
        prepared = tuning.prepared.folded()
        model = tuned_model(tuning.base, prepared.network, name=tuning.name)
        return cls(
            base=tuning.base,
            model=model,
            method=tuning.method.name,
            prepared=prepared,
            reading=tuning.reading,
            task=tuning.examples.task,
            facts=facts | {"length": run.length},
        )

    @property
    def numbers(self) -> dict[str, torch.Tensor]:
        """Everything that was learnt, by name."""
        learnt = self.prepared.trainable | (self.reading.trainable if self.prepared.trainable else {})
        return {name: parameter.detach() for name, parameter in learnt.items()}

    def classify(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """How likely each label is, for each text."""
        items = self.reading.items([Example(text=text, answer="") for text in texts])
        found: list[dict[str, float]] = [{}] * len(items)
        with torch.inference_mode():
            for batch in order(items):
                chances = self.reading.guess(self.prepared.network, [items[index] for index in batch]).chances
                for index, row in zip(batch, chances.tolist()):
                    found[index] = dict(zip(self.task.labels, row))
        return found

    def write(self, texts: Sequence[str], *, most: int = 64) -> list[str]:
        """The texts as the model rewrites them."""
        return self.reading.write(self.prepared.network, texts, most=most)

    def measure(self, examples: Sequence[Example]) -> Measured:
        """How many examples are answered right. ValueError where there are none."""
        if not examples:
            raise ValueError("there is nothing to measure: no examples")
        items = self.reading.items(examples)
        right = asked = 0
        answers: dict[int, str] = {}
        with torch.inference_mode():
            for batch in order(items):
                found = self.reading.guess(self.prepared.network, [items[index] for index in batch])
                right, asked = right + found.right, asked + found.asked
                answers |= dict(zip(batch, found.answers))
        confusion = {label: dict.fromkeys(self.task.labels, 0) for label in self.task.labels} if answers else {}
        for index, answer in answers.items():
            confusion[examples[index].answer][answer] += 1
        wrong = tuple((examples[index], answers[index]) for index in sorted(answers) if answers[index] != examples[index].answer)
        return Measured(accuracy=right / asked, count=asked, confusion=confusion, wrong=wrong)

    def save(self, folder: Path) -> None:
        """Write tuned.json and tuned.safetensors, which `load_outcome` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "base": self.base.name,
            "base_weights": fingerprint(self.base.network),
            "name": self.model.name,
            "method": self.method,
            "settings": dataclasses.asdict(self.prepared.settings),
            "reading": self.reading.name,
            "shown": [dataclasses.asdict(example) for example in getattr(self.reading, "shown", ())],
            "task": dataclasses.asdict(self.task),
            "facts": self.facts,
        }
        # The one named last says that the other is complete.
        save_file({name: value.cpu().contiguous() for name, value in self.numbers.items()}, folder / NUMBERS)
        (folder / FACTS).write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load_outcome(folder: Path, base: Model) -> Outcome:
    """What `Outcome.save` wrote, on the model it was made for. Problem "wrong_base" where that is another.

    Problem "base_changed" where it has other weights now, or where nobody can tell.
    """
    told = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if told["base"] != base.name:
        raise Problem("wrong_base", wanted=told["base"], model=base.name)
    check_floats(base.network)  # in 8 bits the same weights would seem to be others
    if told.get("base_weights") != fingerprint(base.network):
        raise Problem("base_changed", model=base.name)
    method = methods()[told["method"]]
    task = task_of(told["task"])
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in told["settings"].items()}
    prepared = method.prepare(base, method.settings(**settings), task, told["facts"]["seed"])
    model = tuned_model(base, prepared.network, name=told["name"])
    shown = [Example(**example) for example in told["shown"]]
    reading = reading_for(model, task, prepared, wish=told["reading"], length=told["facts"]["length"], shown=shown)
    outcome = Outcome(base=base, model=model, method=method.name, prepared=prepared, reading=reading, task=task, facts=told["facts"])
    load(prepared.trainable | (reading.trainable if prepared.trainable else {}), load_file(folder / NUMBERS))
    return outcome


def task_of(told: dict[str, Any]) -> Task:
    """A task from plain data."""
    return Task(**told | {"labels": {label: Label(**words) for label, words in told["labels"].items()}})
