"""The loop: the same for every method. One call of `step` is one step, so whoever calls can pause, go on and stop in between."""

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.batching import TOKENS, groups
from models.errors import Problem
from models.model import Model
from models.tokens import Row
from models.training.dropout import add_dropout
from models.training.schedule import rate
from models.tuning import Method, Prepared
from models.tuning.adversarial import Adversary
from models.tuning.examples import epoch
from models.tuning.rates import rate_for
from models.tuning.reading import Guesses, Item, Reading
from models.tuning.reading.choose import Wish, demonstrations, reading_for
from models.tuning.run import STEPS, Run, Step
from models.tuning.soup import Soup
from models.tuning.task import Examples
from models.tuning.touched import Touched
from models.tuning.tuned import tuned_model


class Tuning:
    """One model learning one task in one way. The base never changes. `state()` and `restore()` go on after an interruption.

    No gradient mode is held between two steps, so they may run in different threads, one after the other.
    """

    def __init__(
        self,
        model: Model,
        method: Method,
        examples: Examples,
        *,
        settings: Any = None,
        run: Run | None = None,
        reading: Wish = "auto",
        name: str = "",
    ):
        """Problem where model, method, task and reading do not go together."""
        self.base, self.method, self.examples, self.name = model, method, examples, name
        self.run = Run() if run is None else run
        if model.config.architecture not in method.fits:
            raise Problem("method_does_not_fit", method=method.name, model=model.name)
        if not examples.train:
            raise Problem("too_few_rows", rows=0, fewest=1)
        settings = method.settings() if settings is None else settings
        self.prepared: Prepared = method.prepare(model, settings, examples.task, self.run.seed)
        add_dropout(self.prepared.network.network, self.run.dropout)
        self.model = tuned_model(model, self.prepared.network, name=name)
        shown = demonstrations(examples, self.prepared.shots, seed=self.run.seed)
        self.reading: Reading = reading_for(self.model, examples.task, self.prepared, wish=reading, length=self.run.length, shown=shown)
        self.trainable = self.prepared.trainable | (self.reading.trainable if self.prepared.trainable else {})
        self.items = self.reading.items((*examples.train, *examples.more))
        self.dev = self.reading.items(examples.dev[: self.run.dev])
        self.step_number, self.seconds, self.place, self.number = 0, 0.0, 0, 0
        self.batches = self.deal(0)
        self.over = False
        self.rate = self.run.rate or rate_for(method, model.config.architecture)
        self.touched = self.words_alone()
        self.soup = Soup(self.trainable, self.run.soup)
        self.adversary = Adversary(self.prepared.network.embeddings.words, self.run.adversarial)
        self.optimiser = self.fresh_optimiser()

    def fresh_optimiser(self) -> torch.optim.AdamW | None:
        """One that has seen nothing yet; None where nothing moves."""
        groups_of = [(self.prepared.trainable, self.rate), (self.reading.trainable, self.run.head_rate)]
        chosen = [{"params": self.moving(part), "lr": lr, "highest": lr} for part, lr in groups_of if part and self.trainable]
        options = dict(betas=(0.9, 0.98), eps=1e-8, weight_decay=self.run.weight_decay, fused=True)
        return torch.optim.AdamW(chosen, **options) if chosen else None

    @property
    def n_trainable(self) -> int:
        """Numbers that may move."""
        return sum(parameter.numel() for parameter in self.trainable.values())

    def steps(self) -> Iterator[Step]:
        """All steps to the end."""
        while not self.over:
            yield self.step()

    def step(self) -> Step:
        """The next step. Problem "tuning_diverged" where the loss is no longer a number."""
        if self.over:
            raise ValueError(f"this run ended after {self.step_number} steps")
        begun = time.monotonic()
        loss = self.learn() if self.optimiser is not None else None
        self.step_number += 1
        self.seconds += time.monotonic() - begun
        self.over = self.optimiser is None or self.progress() >= 1
        if self.soup.ends(self.progress()):  # the last one when all is over
            self.next_run()
        due = self.over or (self.run.measure and self.step_number % self.run.measure == 0)
        accuracy = self.accuracy(self.dev) if due and self.dev else None
        return Step(step=self.step_number, seconds=self.seconds, epoch=self.epochs(), loss=loss, accuracy=accuracy, last=self.over)

    def next_run(self) -> None:
        """One of the runs of a soup has ended: back to the start, or, after the last, to the mean of all."""
        self.soup.add(self.step_number)
        self.put(self.soup.mean() if self.over else self.soup.start)
        self.optimiser = self.fresh_optimiser()

    def settle(self) -> None:
        """Before the end: of a soup, the mean of the runs that ended, if any did."""
        if not self.over and self.soup.done:
            self.put(self.soup.mean())

    def put(self, numbers: dict[str, Tensor]) -> None:
        """Give what moves new numbers."""
        load(self.trainable, numbers)
        if self.touched:
            self.touched.read()

    def learn(self) -> float:
        """One batch, one change."""
        batch = [self.items[index] for index in self.batches[self.place]]
        done, progress = self.step_number - self.soup.begun, self.soup.within(self.progress())
        share = rate(done, progress, warmup=self.warmup(), decay=self.run.decay)
        for group in self.optimiser.param_groups:
            group["lr"] = group["highest"] * share
        with torch.enable_grad(), self.chance():
            value = float(self.adversary.backward(lambda: self.reading.loss(self.prepared.network, batch)))
        if self.touched:
            self.touched.gather()
        norm = torch.nn.utils.clip_grad_norm_(self.moving(self.trainable), self.run.clip)
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            self.over = True
            raise Problem("tuning_diverged", step=self.step_number + 1, rate=self.rate)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.touched:
            self.touched.spread()
        self.place += 1
        if self.place == len(self.batches):
            self.number, self.place = self.number + 1, 0
            self.batches = self.deal(self.number)
        return value

    def words_alone(self) -> Touched | None:
        """Where the word table moves, and only the words of examples and labels and the padding have a gradient."""
        table = self.prepared.network.embeddings.words
        moves = any(parameter is table.weight for parameter in self.prepared.trainable.values())
        if not moves or self.reading.words is None or self.run.weight_decay:
            return None
        ids = {self.base.tokenizer.pad_id or 0, *self.reading.words, *(token for item in self.items for token in item.row.ids)}
        return Touched(self.prepared.network, table, ids)

    def moving(self, part: dict[str, nn.Parameter]) -> list[nn.Parameter]:
        """What the optimiser moves of these parameters."""
        return [self.touched.rows if self.touched and one is self.touched.table else one for one in part.values()]

    @contextmanager
    def chance(self) -> Iterator[None]:
        """With dropout, which features are silent depends on seed and step alone, so that a run can be interrupted."""
        if not self.run.dropout:
            yield
            return
        network, devices = self.prepared.network, [] if self.base.device.type == "cpu" else [self.base.device]
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.run.seed * 1_000_003 + self.step_number)
            network.train()
            try:
                yield
            finally:
                network.eval()

    def deal(self, number: int) -> list[list[int]]:
        """The batches of one epoch."""
        sizes = [item.size for item in self.items]
        return epoch(sizes, number=number, seed=self.run.seed, rows=self.run.rows, tokens=self.run.tokens)

    def epochs(self) -> float:
        """How often every example was seen."""
        return self.number + self.place / len(self.batches)

    def budget(self) -> int | None:
        """The steps after which it ends, as far as that is known beforehand."""
        known = [self.run.steps, self.run.epochs and math.ceil(self.run.epochs * len(self.batches))]
        known = [steps for steps in known if steps]
        return min(known) if known else None if self.run.seconds else STEPS

    def warmup(self) -> int:
        """Steps in which the rate rises."""
        return max(1, round(self.run.warmup * (self.budget() or STEPS) / self.run.soup))

    def progress(self) -> float:
        """How much is done, from 0 to 1."""
        shares = [self.epochs() / self.run.epochs if self.run.epochs else 0.0, self.seconds / self.run.seconds if self.run.seconds else 0.0]
        steps = self.run.steps or (None if self.run.epochs or self.run.seconds else STEPS)
        return max(*shares, self.step_number / steps if steps else 0.0)

    def accuracy(self, items: Sequence[Item]) -> float:
        """The share of questions that are answered right (of texts: of words, each after the true ones)."""
        guesses = self.guesses(items)
        return sum(found.right for found in guesses) / max(1, sum(found.asked for found in guesses))

    def guesses(self, items: Sequence[Item]) -> list[Guesses]:
        """What the network says of items, in batches of similar length; their order is that of `order`."""
        with torch.no_grad():
            return [self.reading.guess(self.prepared.network, [items[index] for index in batch]) for batch in order(items)]

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as plain data and tensors of its own."""
        return {
            "identity": self.identity(),
            "step": self.step_number, "seconds": self.seconds, "number": self.number, "place": self.place, "over": self.over,
            "trainable": {name: parameter.detach().cpu().clone() for name, parameter in self.trainable.items()},
            "optimiser": copied(self.optimiser.state_dict()) if self.optimiser else None,
            "soup": self.soup.state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken; ValueError where that was another run."""
        if state["identity"] != self.identity():
            raise ValueError(f"this is another run: {state['identity']} is not {self.identity()}")
        self.put(state["trainable"])
        self.soup.restore(state["soup"])
        if self.optimiser is not None:
            self.optimiser.load_state_dict(state["optimiser"])
        self.step_number, self.seconds, self.over = state["step"], state["seconds"], state["over"]
        self.number, self.place = state["number"], state["place"]
        self.batches = self.deal(self.number)

    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        settings = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self.prepared.settings).items()}
        run = dataclasses.asdict(self.run)
        return {
            "model": self.base.name, "method": self.method.name, "settings": settings, "run": run, "reading": self.reading.name,
            "task": self.examples.task.name, "rows": len(self.items),
        }  # fmt: skip


def order(items: Sequence[Item]) -> list[list[int]]:
    """Items in batches of similar length; smaller ones where the answers are texts, since every place of them has a score a word."""
    answers = [len(item.answer) if isinstance(item.answer, Row) else 0 for item in items]
    return groups([len(item.row) + length for item, length in zip(items, answers)], tokens=1024 if any(answers) else TOKENS, rows=64)


def load(parameters: dict[str, nn.Parameter], values: dict[str, Tensor]) -> None:
    """Give parameters new numbers; ValueError where names or shapes differ."""
    if parameters.keys() != values.keys():
        raise ValueError(f"these are the numbers of something else: {sorted(parameters.keys() ^ values.keys())[:3]}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            if parameter.shape != values[name].shape:
                raise ValueError(f"{name} is {tuple(values[name].shape)}, and should be {tuple(parameter.shape)}")
            parameter.copy_(values[name])


def copied(value: Any) -> Any:
    """A copy that later steps do not change."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value
