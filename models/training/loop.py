"""The training loop: the same for every objective, on a CPU, a GPU or many machines (started with `accelerate launch`)."""

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn

from models.training import checkpoint, snapshots
from models.training.average import Average
from models.training.journal import Journal
from models.training.schedule import Decay, rate
from models.training.stream import Position, Stream

PULSE = 10  # steps between two agreements of several processes on what time it is


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train; at least one of `steps` and `minutes` says when to stop, whichever comes first."""

    steps: int | None = None
    minutes: float | None = None
    lr: float = 4e-4
    new_lr: float = 2.0  # times that, for heads that start from nothing
    warmup: int = 100
    decay: Decay = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.0  # decay of the running mean of the weights; 0: none
    keep: int = 0  # weights of so many last checkpoints are kept, and their mean is tried at the end
    seed: int = 1
    workers: int | None = None  # None: 2 beside a GPU, which would wait otherwise, and none on a CPU
    log_seconds: float = 30.0
    save_minutes: float = 5.0
    evaluate_minutes: float = 5.0
    bar: bool = True

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ValueError("a training needs a number of steps or minutes after which it is over")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came out: the last measurement, and what it took. The weights are in the objective, the mean where one was asked for."""

    steps: int
    seconds: float
    tokens: int
    metrics: dict[str, float]


def accelerator(*, device: Literal["auto", "cpu"] = "auto", precision: Literal["auto", "fp32", "bf16"] = "auto") -> Accelerator:
    """The processes and devices of this run. "auto" computes in bf16 on CUDA and in fp32 elsewhere; weights are fp32 in either case."""
    cuda = device == "auto" and torch.cuda.is_available()
    mixed = precision == "bf16" or (precision == "auto" and cuda)
    return Accelerator(cpu=device == "cpu" or None, mixed_precision="bf16" if mixed else "no")


class Trainer:
    """One training in one folder: goes on where an earlier one stopped, if its checkpoint is there.

    `objective(batch)` returns sums of losses by name, and `batch.counts` says of how many questions each is the sum, so that the mean of a
    step is the same however it is cut into batches and dealt out. `batch.notes` are counted for the log, as shares of the examples.
    `identity` is what must not change between two runs in a folder. `judge` names the measurement, better where it is lower, by which the
    mean of the last checkpoints is chosen or not.
    """

    def __init__(
        self,
        objective: nn.Module,
        stream: Stream,
        settings: Settings,
        *,
        folder: Path,
        accelerator: Accelerator,
        identity: dict[str, Any],
        evaluate: Callable[[], dict[str, float]] | None = None,
        judge: str = "",
    ):
        self.objective, self.stream, self.settings, self.folder = objective, stream, settings, folder
        self.accelerator, self.identity, self.evaluate, self.judge = accelerator, identity, evaluate, judge
        torch.manual_seed(settings.seed + accelerator.process_index)
        objective.to(accelerator.device).train()
        self.average = Average(objective.parameters(), decay=settings.average) if settings.average else None
        optimiser = torch.optim.AdamW(parameter_groups(objective, settings), betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.position, self.step, self.tokens, self.before = Position(), 0, 0, 0.0
        saved = checkpoint.restore(folder)
        if saved is not None:
            self.resume(saved, optimiser)
        self.model, self.optimiser = accelerator.prepare(objective, optimiser)
        self.begun = time.monotonic()
        self.done: dict[str, float] = {"log": self.begun, "save": self.begun, "evaluate": self.begun}
        self.shared = 0.0
        self.reset()

    @property
    def seconds(self) -> float:
        """Time spent in this folder, earlier runs included."""
        return self.before + time.monotonic() - self.begun

    def run(self) -> Result:
        """Train to the end, save, measure."""
        journal = Journal(self.folder, quiet=not self.accelerator.is_main_process, bar=self.settings.bar)
        cuda = self.accelerator.device.type == "cuda"
        workers = (2 if cuda else 0) if self.settings.workers is None else self.settings.workers
        metrics: dict[str, float] = {}
        due = self.pulse()
        if self.progress() < 1:
            for batches, after in self.stream.steps(self.position, workers=workers, pin_memory=cuda):
                share = rate(self.step, self.progress(), warmup=self.settings.warmup, decay=self.settings.decay)
                for group in self.optimiser.param_groups:
                    group["lr"] = group["highest"] * share
                self.learn(batches)
                self.position, self.step = after, self.step + 1
                due = self.pulse()
                over = self.progress() >= 1
                if over or due & {"log", "save"}:
                    self.log(journal, share)
                if "evaluate" in due and not over:
                    metrics = self.measure(journal)
                if "save" in due or over:
                    self.save()
                if over:
                    break
        metrics = self.measure(journal) or metrics
        if self.settings.keep:
            metrics = self.settle(journal, metrics)
        journal.close()
        return Result(steps=self.step, seconds=self.seconds, tokens=self.tokens, metrics=metrics)

    def learn(self, batches: list[Any]) -> None:
        """One step: gradients of all batches, then one change of the weights."""
        device = self.accelerator.device
        counts: Counter[str] = Counter()
        for batch in batches:
            counts.update(batch.counts)
        names = sorted(counts)
        # The sum over all processes stays on the device: nothing waits for it.
        total = self.accelerator.reduce(torch.tensor([float(counts[name]) for name in names], device=device), "sum").clamp(min=1)
        totals = dict(zip(names, total))
        for index, batch in enumerate(batches):
            last = index == len(batches) - 1
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                losses = self.model(batch.to(device))
                # Gradients are averaged over processes, and ought to be summed.
                loss = sum(value / totals[name] for name, value in losses.items()) * self.accelerator.num_processes
                self.accelerator.backward(loss)
            for name, value in losses.items():
                self.sums[name] = self.sums.get(name, 0.0) + value.detach()
            self.notes.update(batch.notes)
        self.counts.update(counts)
        self.norm = self.accelerator.clip_grad_norm_(self.objective.parameters(), self.settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.average is not None:
            self.average.update()

    def progress(self) -> float:
        """How much of the training is behind us, from 0 to 1, the same in all processes."""
        by_steps = self.step / self.settings.steps if self.settings.steps else 0.0
        return max(by_steps, self.shared)

    def pulse(self) -> set[str]:
        """Ask the first process how much of the time is over, and what is due now."""
        several = self.accelerator.num_processes > 1
        if several and self.step % PULSE:
            return set()
        now, settings = time.monotonic(), self.settings
        every = {"log": settings.log_seconds, "save": settings.save_minutes * 60, "evaluate": settings.evaluate_minutes * 60}
        due = {name for name, seconds in every.items() if now - self.done[name] >= seconds}
        told = [self.seconds / (settings.minutes * 60) if settings.minutes else 0.0, due]
        self.shared, due = broadcast_object_list(told) if several else told
        self.done |= dict.fromkeys(due, now)
        return due

    def reset(self) -> None:
        """Begin to add up anew what the log tells."""
        self.sums: dict[str, Tensor] = {}
        self.counts: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.since = time.monotonic()

    def log(self, journal: Journal, share: float) -> None:
        """Mean losses since the last time, over all processes."""
        names, notes = sorted(self.sums), sorted(self.notes)
        numbers = [float(self.sums[name]) for name in names] + [float(self.counts[name]) for name in [*names, "tokens", "examples"]]
        numbers += [float(self.notes[name]) for name in notes]
        added = self.accelerator.reduce(torch.tensor(numbers, device=self.accelerator.device), "sum").tolist()
        losses = {f"{name}_loss": total / max(1.0, count) for name, total, count in zip(names, added, added[len(names) :])}
        tokens, examples, *noted = added[2 * len(names) :]
        if not all(map(math.isfinite, losses.values())):
            raise FloatingPointError(f"the loss is no longer a number at step {self.step} ({losses}); train with a lower --lr")
        self.tokens += int(tokens)
        shares = {f"{name}_share": value / max(1.0, examples) for name, value in zip(notes, noted)}
        speed = tokens / max(1e-9, time.monotonic() - self.since)
        journal.note(
            step=self.step, seconds=round(self.seconds, 1), tokens=self.tokens, epoch=self.position.epoch, rate=self.settings.lr * share,
            norm=float(self.norm), tokens_a_second=speed, **losses, **shares,
        )  # fmt: skip
        journal.show(self.progress(), step=self.step, **losses)
        self.reset()

    def measure(self, journal: Journal) -> dict[str, float]:
        """Let the first process measure, with the mean of the weights where there is one; the others wait."""
        metrics: dict[str, float] = {}
        if self.evaluate is not None and self.accelerator.is_main_process:
            self.objective.eval()
            with torch.no_grad(), self.accelerator.autocast(), self.average.in_place() if self.average else nullcontext():
                metrics = self.evaluate()
            self.objective.train()
            journal.note(step=self.step, seconds=round(self.seconds, 1), tokens=self.tokens, **metrics)
        self.accelerator.wait_for_everyone()
        return metrics

    def settle(self, journal: Journal, metrics: dict[str, float]) -> dict[str, float]:
        """End with the mean of the last checkpoints where that measures better than what `metrics` were measured on."""
        mean = snapshots.mean(self.folder) if self.accelerator.is_main_process else {}
        last, average = snapshots.weights(self.objective), self.average
        snapshots.put(self.objective, mean or last)
        self.average = None
        found = self.measure(journal)
        if mean and found.get(self.judge, math.inf) < metrics.get(self.judge, math.inf):
            return found | {"averaged": len(snapshots.files(self.folder))}
        snapshots.put(self.objective, last)
        self.average = average
        return metrics

    def save(self) -> None:
        """Write what `resume` needs."""
        device = self.accelerator.device
        mine = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state(device).cpu() if device.type == "cuda" else None}
        chances = gather_object([mine])
        if self.accelerator.is_main_process:
            state = {
                "identity": self.identity, "step": self.step, "tokens": self.tokens, "seconds": self.seconds,
                "position": asdict(self.position), "objective": self.objective.state_dict(), "optimiser": self.optimiser.state_dict(),
                "average": self.average.state_dict() if self.average else None, "chances": chances,
            }  # fmt: skip
            checkpoint.save(self.folder, state)
            if self.settings.keep:
                snapshots.keep(self.folder, self.objective, step=self.step, most=self.settings.keep)
        self.accelerator.wait_for_everyone()

    def resume(self, saved: dict[str, Any], optimiser: torch.optim.Optimizer) -> None:
        """Go on where `saved` stopped; with another number of processes than then, chance (dropout) goes another way."""
        checkpoint.same_training(saved["identity"], self.identity)
        self.objective.load_state_dict(saved["objective"])
        optimiser.load_state_dict(saved["optimiser"])
        if self.average and saved["average"]:
            self.average.load_state_dict(saved["average"])
        self.position, self.step = Position(**saved["position"]), saved["step"]
        self.tokens, self.before = saved["tokens"], saved["seconds"]
        if len(saved["chances"]) == self.accelerator.num_processes:
            mine = saved["chances"][self.accelerator.process_index]
            torch.set_rng_state(mine["cpu"])
            if mine["cuda"] is not None and self.accelerator.device.type == "cuda":
                torch.cuda.set_rng_state(mine["cuda"], self.accelerator.device)


def parameter_groups(objective: nn.Module, settings: Settings) -> list[dict[str, Any]]:
    """Matrices shrink a little at every step, biases and norms do not; heads learn faster than what was trained before."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in objective.named_parameters():
        groups.setdefault(("heads." in name, parameter.dim() > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": settings.weight_decay if matrix else 0.0,
            "highest": settings.lr * (settings.new_lr if head else 1.0),
            "lr": settings.lr,
        }
        for (head, matrix), parameters in groups.items()
    ]
