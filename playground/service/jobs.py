"""Long work, each piece in a thread of its own. It shows its steps; anyone may read along, and leaving does not end it."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Literal

from models.errors import Problem
from playground.service.faults import answerable, fresh

State = Literal["waiting", "running", "done", "failed", "stopped"]
LOOK_SECONDS = 0.1  # how often a reader looks whether it was cancelled: an Event cannot wake somebody who waits for something else
LEAVE_SECONDS = 5.0  # how long closing waits for work to notice


class Stopped(Exception):
    """Raised inside the work of a job that was stopped."""


class Job:
    """One piece of long work. `name` says what it is about, `visitor` whose it is (None: everybody's)."""

    def __init__(self, name: str, *, visitor: Hashable = None, keep: int = 1, seconds: float | None = None):
        self.name, self.visitor = name, visitor
        self.state: State = "waiting"
        self._steps: deque[Any] = deque(maxlen=keep)
        self._shown = 0  # steps ever shown, those included that were forgotten since
        self._seconds, self._deadline = seconds, float("inf")
        self._stop = threading.Event()
        self._held, self._allowed = False, 0  # whether it waits between two steps, and how many it may make all the same
        self._result: Any = None
        self._problem: Problem | None = None
        self._changed = threading.Condition()

    @property
    def over(self) -> bool:
        """Whether it came to an end, good or bad."""
        return self.state not in ("waiting", "running")

    @property
    def latest(self) -> Any:
        """The step shown last; None before the first."""
        with self._changed:
            return self._steps[-1] if self._steps else None

    @property
    def steps(self) -> tuple[Any, ...]:
        """The steps that are kept."""
        with self._changed:
            return tuple(self._steps)

    @property
    def shown(self) -> int:
        """How many steps there were so far: who has seen as many has missed nothing."""
        return self._shown

    @property
    def held(self) -> bool:
        """Whether it waits to be let on."""
        return self._held

    @property
    def stopping(self) -> threading.Event:
        """Set once it should end, for work that waits for something else."""
        return self._stop

    def stop(self) -> None:
        """Ask the work to end; it does at its next step."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()

    def hold(self, *, allow: int = 0) -> None:
        """Wait between two steps from now on, after `allow` more of them. The time that it may run goes on."""
        with self._changed:
            self._held, self._allowed = True, self._allowed + allow if self._held else allow
            self._changed.notify_all()

    def release(self) -> None:
        """Go on after `hold`."""
        with self._changed:
            self._held, self._allowed = False, 0
            self._changed.notify_all()

    def put(self, step: Any) -> None:
        """Called by the work: show a step. Raises Stopped where the work should end here."""
        with self._changed:
            self._steps.append(step)
            self._shown += 1
            self._changed.notify_all()
        self.check()

    def pause(self) -> None:
        """Called by the work between two steps: waits while it is held. Raises as `check` does."""
        with self._changed:
            while self._held and not self._allowed and not self._stop.is_set() and time.monotonic() <= self._deadline:
                self._changed.wait(min(self._deadline - time.monotonic(), LEAVE_SECONDS))
            self._allowed -= 1 if self._held and self._allowed else 0
        self.check()

    def check(self) -> None:
        """Called by the work where it has nothing to show: raises Stopped where it should end here."""
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise Problem("job_deadline", seconds=self._seconds)

    def follow(self, *, cancel: threading.Event | None = None) -> Iterator[Any]:
        """The steps that are kept, then each new one as it comes, until the job is over or `cancel` is set. A slow reader misses some."""
        seen = 0
        while True:
            with self._changed:
                while self._shown == seen and not self.over and not (cancel and cancel.is_set()):
                    self._changed.wait(LOOK_SECONDS if cancel else None)
                missed = min(self._shown - seen, len(self._steps))
                steps = list(itertools.islice(self._steps, len(self._steps) - missed, None))
                seen, over = self._shown, self.over
            if cancel and cancel.is_set():
                return
            yield from steps
            if over:
                return

    def result(self) -> Any:
        """What the work returned, once it is over; raises its Problem where it failed, Problem cancelled where it was stopped."""
        assert self.over, f"{self.name} is {self.state}"
        if self._problem:
            raise fresh(self._problem)
        return self._result

    def run(self, work: Callable[["Job"], Any]) -> None:
        """Do the work in this thread; whatever it raises becomes the job's Problem."""
        self.state = "running"
        if self._seconds is not None:
            self._deadline = time.monotonic() + self._seconds
        result = problem = None
        try:
            self.check()
            result = work(self)
        except Stopped:
            problem, state = Problem("cancelled"), "stopped"
        except BaseException as error:
            problem, state = answerable(error, doing=f"job {self.name}"), "failed"
        else:
            state = "done"
        self.end(state, result=result, problem=problem)  # here the error is gone, and the memory that its frames held

    def end(self, state: State, *, result: Any = None, problem: Problem | None = None) -> None:
        """Let everybody who follows know that it is over."""
        with self._changed:
            self.state, self._result, self._problem = state, result, problem
            self._changed.notify_all()


class Jobs:
    """The jobs of one kind: at most `running` at once and `waiting` in line, one for each visitor."""

    def __init__(self, kind: str, *, running: int, waiting: int):
        self.kind, self._room, self._line_room = kind, running, waiting
        self._lock = threading.Lock()
        self._running: dict[Job, threading.Thread] = {}
        self._line: deque[tuple[Job, Callable[[Job], Any]]] = deque()
        self._closed = False

    def start(
        self,
        name: str,
        work: Callable[[Job], Any],
        *,
        visitor: Hashable = None,
        keep: int = 1,
        seconds: float | None = None,
    ) -> Job:
        """Start `work(job)`, now or when its turn comes. `keep`: how many steps to remember; `seconds`: how long it may run.

        Raises Problem: job_running (this visitor has one already), too_many_jobs (the line is full), closed.
        """
        job = Job(name, visitor=visitor, keep=keep, seconds=seconds)
        with self._lock:
            if self._closed:
                raise Problem("closed")
            if visitor is not None and any(other.visitor == visitor for other in self._all()):
                raise Problem("job_running")
            if len(self._running) >= self._room and len(self._line) >= self._line_room:
                raise Problem("too_many_jobs", waiting=len(self._line))
            self._line.append((job, work))
            self._promote()
        return job

    def unfinished(self) -> list[Job]:
        """Those that run, then those that wait, in the order of their turn."""
        with self._lock:
            return self._all()

    def find(self, visitor: Hashable) -> Job | None:
        """The unfinished job of a visitor who comes back."""
        return next((job for job in self.unfinished() if job.visitor == visitor), None)

    def position(self, job: Job) -> int:
        """How many jobs have to end before this one runs; 0 once it does."""
        with self._lock:
            return next((place for place, (waiting, _) in enumerate(self._line, 1) if waiting is job), 0)

    def stop(self, job: Job) -> None:
        """Stop a job: at its next step if it runs, at once if it waits."""
        job.stop()
        with self._lock:
            waited = any(waiting is job for waiting, _ in self._line)
            self._line = deque(entry for entry in self._line if entry[0] is not job)
        if waited:
            job.end("stopped", problem=Problem("cancelled"))

    def close(self) -> None:
        """Stop everything and wait for the threads to end; a second call does nothing."""
        with self._lock:
            self._closed = True
            jobs, threads = self._all(), list(self._running.values())
        for job in jobs:
            self.stop(job)
        until = time.monotonic() + LEAVE_SECONDS
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _all(self) -> list[Job]:
        return [job for job in [*self._running, *(job for job, _ in self._line)] if not job.over]

    def _promote(self) -> None:
        """Start what has its turn now; nothing while everything is being ended. The caller holds the lock."""
        while self._line and len(self._running) < self._room and not self._closed:
            job, work = self._line.popleft()
            thread = threading.Thread(target=self._work, args=(job, work), name=f"{self.kind}-{job.name}", daemon=True)
            self._running[job] = thread
            thread.start()

    def _work(self, job: Job, work: Callable[[Job], Any]) -> None:
        try:
            job.run(work)
        finally:
            with self._lock:
                del self._running[job]
                self._promote()
