"""The endpoints of tuning: start a run and follow it, list what is kept, take a result home."""

import secrets
from collections.abc import Callable, Iterator
from typing import TypedDict

import gradio as gr
from gradio import FileData

from models.errors import Problem
from models.tuning.examples import read_task
from playground.service.kept import Kept
from playground.service.playground import Playground
from playground.service.runs import Look, Plan, Point
from playground.ui.own_data import examples_of
from playground.ui.task_words import words_of
from playground.ui.tuning_results import archive
from playground.ui.wording import sentence

STEP = ("method", "seed", "step", "seconds", "loss", "accuracy")


class TuningRow(TypedDict):
    """How one method did. `name` is the tuned model's, for /models and the others; `problem` says what went wrong, else empty.

    `dev` and `test` are means over the seeds; `dev_spread` and `test_spread` their standard deviations, null for one seed.
    `memory`: bytes that learning needed at its highest moment, beyond what was in use before; null where it cannot be told.
    """

    method: str
    name: str
    trainable: int
    share: float
    dev: float | None
    dev_spread: float | None
    test: float | None
    test_spread: float | None
    seconds_per_step: float | None
    memory: int | None
    bytes: int
    problem: str


class TuningStep(TypedDict):
    """One step of one method with one seed; `accuracy` where it was measured. `table` is empty until the end."""

    method: str
    seed: int
    step: int
    seconds: float
    loss: float | None
    accuracy: float | None
    table: list[TuningRow]


class TunedModel(TypedDict):
    """A kept result: a model that /attend and the others know by its `name`."""

    name: str
    model: str
    method: str
    task: str
    steps: int
    trainable: int
    dev: float | None
    test: float | None
    memory: int | None
    bytes: int


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows."""

    def tune(
        model: str,
        task: str,
        methods: list[str],
        steps: int = 100,
        seconds: float = 0.0,
        rate: float = 0.0,
        length: int = 16,
        rank: int = 8,
        seed: int = 1,
        data: str = "",
        seeds: int = 1,
        place: str = "front",
        start: str = "vocabulary",
        text: str = "",
        shots: int = 0,
        template: str = "",
        words: list[str] = [],  # noqa: B006 - the API page shows the default; nothing changes it
        hub_data: str = "",
        reading: str = "auto",
        head_rate: float = 0.0,
        soup: int = 1,
        adversarial: float = 0.0,
        teacher: str = "",
        variants: int = 0,
        request: gr.Request = None,
    ) -> Iterator[TuningStep]:
        """Let a model learn a task in several ways, one after the other, and follow it step by step.

        Cancelling the request ends the run; what was learnt until then is kept.

        Parameters:
            model: a name from /models that can "tune".
            task: a set that ships: reviews_en, reviews_zh, topics_en, questions_en, polite_en; empty where there is other data.
            methods: any of cloze, prompt, prefix, lora, ffn_only, full.
            steps: how long each method learns.
            seconds: the same in seconds of computing; counts instead of `steps` where it is above 0.
            rate: the learning rate; 0 for the one that suits each method.
            length: vectors of a prompt or prefix.
            rank: of LoRA.
            seed: the same seed gives the same batches to every method.
            data: labelled sentences of your own, as CSV, TSV or JSONL.
            seeds: how many, 1 to 3: each method learns once with each, counted from `seed` on, and the one in the middle on dev is kept.
            place: where a prompt stands: "front", "between" the text and the rest of the template, or "end".
            start: what prompts and prefixes begin as: "vocabulary", "random", "labels", or "text".
            text: the text that they begin as.
            shots: examples in front of each cloze question, at most 16.
            template: how the task is put, with {text} once and, for models that fill gaps, [MASK] once; empty for the task's own.
            words: a word for each label, as `["positive = great"]`; those not named stay.
            hub_data: a data set of the hub by its name, in the place of `data`, where this server may ask the hub.
            reading: how classes are read: "words" (label words, by the model's own head), "linear" (a small layer on the first token of
                an encoder, the last of a decoder), "mean" (the same on the mean of all), or "auto", which is what suits the model.
            head_rate: the learning rate of such a layer; 0 for 0.01.
            soup: in how many runs from the same start the steps or seconds are spent; the mean of their weights is kept.
            adversarial: each text is learnt also with its word vectors pushed against what is learnt, so far; a share of a mean word
                vector's length, from 0 to 1. 0.2 helps where a small model learns thousands of sentences; a step takes twice as long.
            teacher: a name from /tuned, of a result that tells the same labels apart: what it says of each text is learnt beside the label
                (knowledge distillation).
            variants: how many variants of each text, with words replaced by a model that fills gaps, the teacher reads too, at most 8.
        Returns:
            `{method, seed, step, seconds, loss, accuracy}` for each step; the last item holds the `table` with a row for each method.
        """
        data = data or (playground.hub_rows(hub_data) if hub_data else "")
        plan = Plan(
            model=model,
            methods=tuple(dict.fromkeys(methods)),
            task="" if data else read_task(task).name,
            examples=examples_of(data, None, None, None, None) if data else None,
            budget="seconds" if seconds > 0 else "steps",
            amount=seconds if seconds > 0 else steps,
            rate=rate or None,
            length=length,
            rank=rank,
            seed=seed % 2**31,
            seeds=seeds,
            place=place,
            start=start,
            text=text,
            shots=shots,
            template=template,
            words=words_of("\n".join(words)),
            reading=reading,
            head_rate=head_rate or None,
            soup=soup,
            adversarial=adversarial,
            teacher=teacher,
            variants=variants,
        )
        visitor = f"api-{secrets.token_urlsafe(16)}"
        playground.tune(visitor, plan)
        yield from followed(playground, visitor)

    def tuned() -> list[TunedModel]:
        """The results of tunings that this server keeps, the newest first.

        Returns:
            One `{name, model, method, task, steps, trainable, dev, test, memory, bytes}` for each; `name` can be asked like any model.
        """
        return [listed(kept) for kept in playground.shelf.all()]

    def export(name: str, request: gr.Request = None) -> FileData:
        """A kept result as a zip archive: PEFT's two files where PEFT has a format for the method, and this page's own.

        Parameters:
            name: a name from /tuned.
        Returns:
            The archive.
        """
        return FileData(path=str(archive(playground.shelf, playground.shelf.get(name))))

    return {"tune": tune, "tuned": tuned, "export": export}


def followed(playground: Playground, visitor: str) -> Iterator[TuningStep]:
    """The steps of a run as they come, then its table. Who stops reading stops it."""
    job = playground.runs.job(visitor)
    try:
        for step in job.follow():
            if isinstance(step, Point):
                yield TuningStep(**{name: getattr(step, name) for name in STEP}, table=[])
    finally:
        if not job.over:
            playground.runs.stop(visitor)
    found = playground.runs.look(visitor)
    if found.problem:
        raise Problem(found.problem.key, **found.problem.values)
    last = found.points[-1] if found.points else Point("", 0, 0.0, None, None)
    yield TuningStep(**{name: getattr(last, name) for name in STEP}, table=rows(found))


def rows(found: Look) -> list[TuningRow]:
    """The table of a run."""
    made = []
    for outcome in found.outcomes:
        kept, problem = outcome.kept, sentence(outcome.problem, "en") if outcome.problem else ""
        (dev, dev_spread), (test, test_spread) = (kept.over_seeds(part) if kept else (None, None) for part in ("dev", "test"))
        made.append(
            TuningRow(
                method=outcome.method,
                name=kept.name if kept else "",
                trainable=kept.trainable if kept else 0,
                share=kept.share if kept else 0.0,
                dev=dev,
                dev_spread=dev_spread,
                test=test,
                test_spread=test_spread,
                seconds_per_step=kept.seconds / kept.steps if kept and kept.steps else None,
                memory=kept.memory if kept else None,
                bytes=kept.n_bytes if kept else 0,
                problem=problem,
            )
        )
    return made


def listed(kept: Kept) -> TunedModel:
    """One result."""
    return TunedModel(
        name=kept.name, model=kept.base, method=kept.method, task=kept.task, steps=kept.steps, trainable=kept.trainable, dev=kept.dev,
        test=kept.test, memory=kept.memory, bytes=kept.n_bytes,
    )  # fmt: skip
