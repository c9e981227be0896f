"""The work of a tuning run: one method after the other learns the same task from the same examples, and each is measured and kept."""

import dataclasses
import logging
from collections.abc import Callable
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
from playground.service.faults import answerable
from playground.service.jobs import Job, Stopped
from playground.service.kept import Kept, Note
from playground.service.peak import Peak
from playground.service.runs import Outcome, Plan, Point, Stage

LOG = logging.getLogger(__name__)
MOST_WRONG = 30  # sentences that are kept
NEAR = 4  # words for each vector of a prompt
MEASURES = 20  # accuracies along a curve
Keep = Callable[[Kept, Callable[[Path, str], Any]], Kept]


def compare(job: Job, plan: Plan, model: Model, keep: Keep, tidy: Callable[[], None] = lambda: None) -> None:
    """Let each method of a plan learn. Whatever goes wrong with one ends that one; the others have their turn."""
    examples = plan.examples or read_examples(plan.task)
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


def learn(job: Job, plan: Plan, model: Model, examples: Examples, name: str, keep: Keep) -> Outcome:
    """One method from its first step to its result. Stopped in the middle, it shows what it has reached before it ends."""
    job.put(Stage("prepare", name))
    method = methods().get(name)
    if method is None:
        raise Problem("unknown_method", method=name, known=list(methods()))
    gone: list[float] = []
    stopped = False
    with Peak(model.device) as peak:
        tuning = Tuning(model, method, examples, settings=settings_for(method, plan), run=budget(plan), name=f"{model.name} + {name}")
        vectors = getattr(tuning.prepared.network.extra, "vectors", None)
        start = None if vectors is None else vectors.detach().clone()
        try:
            while not tuning.over:
                job.pause()
                step = tuning.step()
                moved = None if start is None else float(drift(vectors, start).mean())
                gone += [] if moved is None else [moved]
                job.put(Point(name, step.step, step.seconds, step.loss, step.accuracy, moved))
            job.put(Stage("measure", name))
        except Stopped:
            if not tuning.step_number:
                raise
            stopped = True
    outcome = finish(plan, tuning, gone, keep, memory=peak.n_bytes)
    if stopped:
        show(job, outcome)
        raise Stopped
    return outcome


def show(job: Job, outcome: Outcome) -> None:
    """Put a step although the job is to end."""
    try:
        job.put(outcome)
    except Stopped:
        return


def budget(plan: Plan) -> Run:
    """The plan's limits as the loop wants them."""
    amount = {"steps": round(plan.amount) or 1}.get(plan.budget, float(plan.amount))
    every = max(1, round(plan.amount / MEASURES)) if plan.budget == "steps" else 10
    return Run(**{plan.budget: amount}, rate=plan.rate, seed=plan.seed, measure=every)


def settings_for(method: Method, plan: Plan) -> Any:
    """The method's settings with those of the plan that it has."""
    known = {one.name for one in dataclasses.fields(method.settings)}
    return method.settings(**{name: value for name, value in (("length", plan.length), ("rank", plan.rank)) if name in known})


def finish(plan: Plan, tuning: Tuning, gone: list[float], keep: Keep, *, memory: int | None) -> Outcome:
    """Measure what was learnt on sentences that nobody has seen, and keep it."""
    learnt = Learnt.of(tuning)
    task, card = learnt.task, tuning.base.card
    measured = learnt.measure(tuning.examples.test) if tuning.examples.test else None
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
        dev=tuning.accuracy(tuning.dev) if tuning.dev else None,
        test=measured.accuracy if measured else None,
        confusion=measured.confusion if measured else {},
        wrong=tuple(told(example, guess) for example, guess in measured.wrong[:MOST_WRONG]) if measured else (),
        prompt=learnt_words(tuning, gone),
    )
    return kept_or_not(kept, learnt, keep)


def kept_or_not(kept: Kept, learnt: Learnt, keep: Keep) -> Outcome:
    """The outcome with its result on the shelf; where there is no room for it, with the reason."""
    try:
        return Outcome(method=kept.method, kept=keep(kept, partial(write, learnt)))
    except Problem as problem:
        return Outcome(method=kept.method, kept=kept, problem=problem)


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
