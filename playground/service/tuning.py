"""The work of a tuning run: one method after the other learns the same task from the same examples, and each is measured and kept."""

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from models.errors import Problem
from models.model import Model
from models.tuning import Method, methods
from models.tuning.examples import read_examples
from models.tuning.loop import Run, Tuning
from models.tuning.peft_format import export
from models.tuning.results import NUMBERS
from models.tuning.results import Outcome as Learnt
from models.tuning.task import Example, Examples
from models.tuning.vectors import cosines, drift, nearest
from models.tuning.worded import reworded
from playground.service.faults import answerable
from playground.service.jobs import Job, Stopped
from playground.service.kept import Kept, Note, Seeded
from playground.service.peak import Peak
from playground.service.runs import Outcome, Plan, Point, Stage

LOG = logging.getLogger(__name__)
MOST_WRONG = 30  # sentences that are kept
NEAR = 4  # words for each vector of a prompt
MEASURES = 20  # accuracies along a curve
Keep = Callable[[Kept, Callable[[Path, str], Any]], Kept]


def compare(
    job: Job,
    plan: Plan,
    model: Model,
    keep: Keep,
    tidy: Callable[[], None] = lambda: None,
    lesson: Callable[[Job, Plan, Examples, Model], Examples] | None = None,
) -> None:
    """Let each method of a plan learn. Whatever goes wrong with one ends that one; the others have their turn.

    `lesson(job, plan, examples, model)` gives the examples with what a teacher says of them, once for all methods, if any of them learns.
    """
    examples = plan.examples or read_examples(plan.task)
    task = reworded(examples.task, template=plan.template, words=dict(plan.words))
    examples = dataclasses.replace(examples, task=task)
    if plan.teacher and lesson and any(method.moves for name, method in methods().items() if name in plan.methods):
        examples = lesson(job, plan, examples, model)
    for name in plan.methods:
        try:
            outcome = learn(job, plan, model, examples, name, keep)
        except Stopped:
            raise
        except Problem as problem:
            if problem.key == "job_deadline":
                raise
            outcome = Outcome(method=name, problem=answerable(problem, doing="tuning"))
        except BaseException as error:
            problem = answerable(error, doing=f"tuning {model.name} with {name}")
            outcome = Outcome(method=name, problem=Problem("tuning_memory") if problem.key == "out_of_memory" else problem)
        if outcome.problem:  # here the error is gone, and with it the frames that held the tensors
            tidy()
        job.put(outcome)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """What a method has come to with one seed: how it did, and the model."""

    kept: Kept
    learnt: Learnt


def learn(job: Job, plan: Plan, model: Model, examples: Examples, name: str, keep: Keep) -> Outcome:
    """One method from its first step to its result, with one seed after the other; ended in the middle, it shows what there is."""
    method = methods().get(name)
    if method is None:
        raise Problem("unknown_method", method=name, known=list(methods()))
    done: list[Attempt] = []
    try:
        for seed in plan.every_seed:
            attempt(job, plan, model, examples, method, seed, done)
    except Exception:
        if done:
            show(job, kept_or_not(middle(done), keep))
        raise
    return kept_or_not(middle(done), keep)


def attempt(job: Job, plan: Plan, model: Model, examples: Examples, method: Method, seed: int, done: list[Attempt]) -> None:
    """Learn with one seed, and add what comes of it to `done`. Cut off in the middle, it counts only where there is nothing else."""
    job.put(Stage("prepare", method.name))
    gone: list[float] = []
    settings, run = settings_for(method, plan), budget(plan, seed)
    with Peak(model.device) as peak:
        name = f"{model.name} + {method.name}"
        tuning = Tuning(model, method, examples, settings=settings, run=run, reading=plan.reading, name=name)
        vectors = getattr(tuning.prepared.network.extra, "vectors", None)
        start = None if vectors is None else vectors.detach().clone()
        stopped = None
        try:
            while not tuning.over:
                job.pause()
                step = tuning.step()
                moved = None if start is None else float(drift(vectors, start).mean())
                gone += [] if moved is None else [moved]
                job.put(Point(method.name, step.step, step.seconds, step.loss, step.accuracy, moved, seed))
            job.put(Stage("measure", method.name))
        except (Stopped, Problem) as end:
            in_time = isinstance(end, Problem) and end.key != "job_deadline"  # something is wrong with what was learnt
            if in_time or not tuning.step_number or done:
                raise
            stopped = end
            tuning.settle()
    done.append(measured(plan, tuning, gone, memory=peak.n_bytes))
    if stopped:
        raise stopped


def middle(done: list[Attempt]) -> Attempt:
    """The attempt in the middle by its accuracy on dev, of two the better: it stands for the method, and tells how all of them did."""
    chosen = sorted(done, key=lambda one: one.kept.dev or 0.0)[len(done) // 2]
    seeds = tuple(Seeded(one.kept.seed, one.kept.dev, one.kept.test) for one in done)
    memory = max((one.kept.memory for one in done if one.kept.memory is not None), default=None)
    return Attempt(kept=dataclasses.replace(chosen.kept, seeds=seeds, memory=memory), learnt=chosen.learnt)


def show(job: Job, outcome: Outcome) -> None:
    """Put a step although the job is to end."""
    try:
        job.put(outcome)
    except (Stopped, Problem):
        return


def budget(plan: Plan, seed: int) -> Run:
    """The plan's limits as the loop wants them."""
    amount = {"steps": round(plan.amount) or 1}.get(plan.budget, float(plan.amount))
    every = max(1, round(plan.amount / MEASURES)) if plan.budget == "steps" else 10
    rates = {"rate": plan.rate, "head_rate": plan.head_rate or Run.head_rate}
    return Run(**{plan.budget: amount}, **rates, seed=seed, soup=plan.soup, adversarial=plan.adversarial, measure=every)


def settings_for(method: Method, plan: Plan) -> Any:
    """The method's settings with those of the plan that it has."""
    known = {one.name for one in dataclasses.fields(method.settings)}
    wishes = ("length", "rank", "place", "start", "text", "shots")
    return method.settings(**{name: getattr(plan, name) for name in wishes if name in known})


def measured(plan: Plan, tuning: Tuning, gone: list[float], *, memory: int | None) -> Attempt:
    """Measure what was learnt on sentences that nobody has seen."""
    learnt = Learnt.of(tuning)
    task, card = learnt.task, tuning.base.card
    found = learnt.measure(tuning.examples.test) if tuning.examples.test else None
    own = plan.examples is not None
    kept = Kept(
        base=tuning.base.name,
        method=learnt.method,
        task=task.name,
        own=own,
        kind=task.kind,
        labels={name: {"en": label.en or name, "zh": label.zh or name} for name, label in task.labels.items()},
        family=learnt.model.family,
        tasks=tuple(sorted(learnt.model.tasks)),
        languages=card.languages,
        licence=card.licence,
        parameters=tuning.base.n_parameters,
        trainable=tuning.n_trainable,
        steps=tuning.step_number,
        seconds=tuning.seconds,
        memory=memory,
        seed=tuning.run.seed,
        dev=tuning.accuracy(tuning.dev) if tuning.dev else None,
        test=found.accuracy if found else None,
        confusion=found.confusion if found else {},
        wrong=tuple(told(example, guess) for example, guess in found.wrong[:MOST_WRONG]) if found else (),
        prompt=learnt_words(tuning, gone),
        teacher=plan.teacher if tuning.n_trainable else "",
    )
    return Attempt(kept=kept, learnt=learnt)


def kept_or_not(chosen: Attempt, keep: Keep) -> Outcome:
    """The outcome with its result on the shelf; where there is no room for it, with the reason."""
    try:
        return Outcome(method=chosen.kept.method, kept=keep(chosen.kept, partial(write, chosen.learnt)))
    except Problem as problem:
        return Outcome(method=chosen.kept.method, kept=chosen.kept, problem=problem)


def write(learnt: Learnt, folder: Path, name: str) -> dict[str, Any]:
    """Our files, and PEFT's where it has a format for this. -> facts to be kept beside them"""
    learnt.model = dataclasses.replace(learnt.model, name=name)
    exported = export(learnt, folder)
    problem = exported.problem
    return {
        "n_bytes": (folder / NUMBERS).stat().st_size if learnt.numbers else 0,
        "note": Note(problem.key, dict(problem.values)) if problem else None,
    }


def told(example: Example, guess: str) -> tuple[int, str, str, str]:
    return example.line, example.text[:500], example.answer, guess


@torch.inference_mode()
def learnt_words(tuning: Tuning, gone: list[float]) -> dict[str, Any] | None:
    """What a soft prompt has learnt, as far as it can be said."""
    vectors = getattr(tuning.prepared.network.extra, "vectors", None)
    if vectors is None or not len(vectors):
        return None
    words = [[(near.word, round(near.cosine, 4)) for near in row] for row in nearest(tuning.base, vectors, count=NEAR)]
    between = [[round(value, 4) for value in row] for row in cosines(vectors).tolist()]
    return {"words": words, "cosines": between, "drift": [round(value, 5) for value in gone]}
