"""Tuning runs: one a visitor, a few a server, the others in line. Pages come and go and read along; the run does not notice."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from models.errors import Problem
from playground.service.jobs import Job, Jobs, Stopped
from playground.service.kept import Kept, Shelf

if TYPE_CHECKING:
    from models.model import Model
    from models.tuning.task import Examples
    from playground.service.library import Progress

RUNNING, WAITING = 2, 20
DEADLINE_SECONDS = 600.0
MOST_STEPS = 2000  # of one method
MOST_SECONDS = 300.0  # of one method
MOST_SEEDS = 3
HISTORY = 40_000  # steps that are kept for whoever comes back: those of all methods with all seeds
MOST_SOUP = 10  # runs of which the mean is kept
MOST_VARIANTS = 8  # of each example, for a teacher
VISITORS = 60  # whose last run is remembered

PLACES = ("front", "between", "end")  # where a soft prompt stands
STARTS = ("vocabulary", "random", "text", "labels")  # what prompts and prefixes begin as
READINGS = ("auto", "words", "linear", "mean")  # how classes are read off the model

Budget = Literal["steps", "epochs", "seconds"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a visitor wants to see: one model learning one task in several ways, on the same examples in the same order.

    `task` names a set that ships, unless `examples` are somebody's own. `amount` of `budget` is for each method with each seed. `rate`
    None: the method's own. `seeds`: how many, counted from `seed` on. `length` is that of prompts and prefixes, which begin as `start` says
    (`text` where it says "text"); a prompt stands where `place` says. `shots`: examples in front of each cloze question. `template` and
    `words` (label, word) take the place of the task's own, where they are not empty. `reading`: how classes are read off the model;
    `head_rate`: how fast a new layer learns that reads them, None for the usual. `soup`: in how many runs from one start `amount` is
    spent, of which the mean is kept. `adversarial`: how far word vectors are pushed against what is learnt. `teacher`: a kept result whose
    answers are learnt, of the examples and of so many `variants` of each.
    """

    model: str
    methods: tuple[str, ...]
    task: str = ""
    examples: "Examples | None" = None
    budget: Budget = "steps"
    amount: float = 100
    rate: float | None = None
    length: int = 16
    rank: int = 8
    seed: int = 1
    seeds: int = 1
    place: str = PLACES[0]
    start: str = STARTS[0]
    text: str = ""
    shots: int = 0
    template: str = ""
    words: tuple[tuple[str, str], ...] = ()
    reading: str = READINGS[0]
    head_rate: float | None = None
    soup: int = 1
    adversarial: float = 0.0
    teacher: str = ""
    variants: int = 0

    def __post_init__(self) -> None:
        if not self.methods:
            raise Problem("no_methods")
        most = {"steps": MOST_STEPS, "epochs": 100, "seconds": MOST_SECONDS}[self.budget]
        if not 0 < self.amount <= most:
            raise Problem("bad_amount", amount=self.amount, most=most)
        for rate in (self.rate, self.head_rate):
            if rate is not None and not 0 < rate <= 10:
                raise Problem("bad_rate", rate=rate)
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise Problem("bad_seeds", seeds=self.seeds, most=MOST_SEEDS)
        if not 1 <= self.soup <= MOST_SOUP:
            raise Problem("bad_soup", runs=self.soup, most=MOST_SOUP)
        if not 0 <= self.adversarial <= 1:
            raise Problem("bad_push", push=self.adversarial)
        if not 0 <= self.variants <= MOST_VARIANTS or (self.variants and not self.teacher):
            raise Problem("bad_variants", variants=self.variants, most=MOST_VARIANTS)
        for value, known in ((self.place, PLACES), (self.start, STARTS), (self.reading, READINGS)):
            if value not in known:
                raise Problem("unknown_choice", value=str(value)[:40], known=list(known))
        if self.start == "text" and not self.text.strip():
            raise Problem("no_prompt_text")

    @property
    def every_seed(self) -> range:
        """The seeds that each method learns with, one after the other."""
        return range(self.seed, self.seed + self.seeds)


class Stage(NamedTuple):
    """What happens before a method's first step: the model is fetched or loaded, a teacher asked, or `method` made ready or measured."""

    what: str
    method: str = ""


class Point(NamedTuple):
    """One step of one method with one seed. `accuracy` on dev where it was measured; `drift` of a soft prompt, as a share of its length."""

    method: str
    step: int
    seconds: float
    loss: float | None
    accuracy: float | None
    drift: float | None = None
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a method ended: with a result, with a Problem, or with both where the result could not be kept."""

    method: str
    kept: Kept | None = None
    problem: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """A run as it is now. `version` changes with everything else; `position` counts those that have to end before it begins."""

    plan: Plan
    state: str
    held: bool
    position: int
    version: tuple[Any, ...]
    stage: Stage | None
    points: tuple[Point, ...]
    outcomes: tuple[Outcome, ...]
    problem: Problem | None

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running")


class Runs:
    """The runs of one server. `lend(name, progress, cancel)` lends a model; `shelf` keeps results; `tidy` is called after memory ran out.

    `work(job, plan, model, keep, tidy)` does it, and stands in for that of `playground.service.tuning` in tests. `lesson(job, plan,
    examples, model)` asks the teacher of a plan.
    """

    def __init__(
        self,
        lend: Callable[[str, "Progress | None", threading.Event | None], AbstractContextManager["Model"]],
        shelf: Shelf,
        *,
        tidy: Callable[[], None] = lambda: None,
        work: Callable[..., Any] | None = None,
        lesson: Callable[[Job, Plan, "Examples", "Model"], "Examples"] | None = None,
        running: int = RUNNING,
        waiting: int = WAITING,
        seconds: float = DEADLINE_SECONDS,
    ):
        self._lend, self.shelf, self._tidy, self._seconds = lend, shelf, tidy, seconds
        self._work = work or partial(real_work, lesson=lesson)
        self._jobs = Jobs("tuning", running=running, waiting=waiting)
        self._lock = threading.Lock()
        self._last: OrderedDict[str, tuple[Plan, Job]] = OrderedDict()

    def start(self, visitor: str, plan: Plan) -> Job:
        """Start a run, now or when its turn comes. Problem: job_running, too_many_jobs, closed."""
        job = self._jobs.start(plan.model, lambda job: self._run(job, plan, visitor), visitor=visitor, keep=HISTORY, seconds=self._seconds)
        with self._lock:
            self._last[visitor] = replace(plan, examples=None), job  # the data go when the run does
            self._last.move_to_end(visitor)
            for other in [key for key, (_, job) in self._last.items() if job.over][: max(len(self._last) - VISITORS, 0)]:
                del self._last[other]
        return job

    def job(self, visitor: str) -> Job | None:
        """The visitor's last run as a job, to follow it."""
        last = self._last.get(visitor)
        return last and last[1]

    def look(self, visitor: str) -> Look | None:
        """The visitor's last run, whether it is over or not; None where there was none."""
        if (last := self._last.get(visitor)) is None:
            return None
        plan, job = last
        state, held, position = job.state, job.held, self._jobs.position(job)
        steps = job.steps
        problem = None
        if job.over:
            try:
                job.result()
            except Problem as refusal:
                problem = refusal
        stages = [step for step in steps[-1:] if isinstance(step, Stage)]
        outcomes = tuple(step for step in steps if isinstance(step, Outcome))
        return Look(
            plan=plan,
            state=state,
            held=held,
            position=position,
            version=(id(job), state, held, position, job.shown, len(outcomes)),
            stage=stages[0] if stages else None,
            points=tuple(step for step in steps if isinstance(step, Point)),
            outcomes=outcomes,
            problem=problem,
        )

    def hold(self, visitor: str, *, allow: int = 0) -> None:
        """Let the visitor's run wait, after `allow` more steps. Problem nothing_running."""
        self._unfinished(visitor).hold(allow=allow)

    def release(self, visitor: str) -> None:
        """Let it go on. Problem nothing_running."""
        self._unfinished(visitor).release()

    def stop(self, visitor: str) -> None:
        """End it; the method that is learning keeps what it has learnt. Problem nothing_running."""
        self._jobs.stop(self._unfinished(visitor))

    def close(self) -> None:
        """End every run."""
        self._jobs.close()

    def _unfinished(self, visitor: str) -> Job:
        if (job := self._jobs.find(visitor)) is None:
            raise Problem("nothing_running")
        return job

    # What follows runs in the thread of the run

    def _run(self, job: Job, plan: Plan, visitor: str) -> None:
        last = ""

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            if stage != last:
                last = stage
                job.put(Stage(stage))

        def keep(kept: Kept, write: Callable[[Path], Any]) -> Kept:
            named = replace(kept, name=self.shelf.title(kept.base, kept.method, kept.task))
            return self.shelf.keep(named, visitor, lambda folder: write(folder, named.name))

        try:
            with self._lend(plan.model, progress, job.stopping) as model:
                self._work(job, plan, model, keep, self._tidy)
        except Problem as problem:
            if problem.key == "cancelled":
                raise Stopped from None
            raise


def real_work(*asked: Any, **given: Any) -> None:
    """How a run is really done."""
    from playground.service.tuning import compare  # noqa: PLC0415 - with torch, which takes seconds and is not needed to show the page

    compare(*asked, **given)
