"""One thread owns one model: questions that arrive together are answered together, streams go forward step by step in between."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from models.batching import groups
from models.errors import Problem
from playground.service.faults import answerable, fresh, is_memory
from playground.service.streams import Stream, Streams

if TYPE_CHECKING:
    from models.model import Model

LOG = logging.getLogger(__name__)
GATHER_SECONDS = 0.005  # how long a question waits for company
LINE = 1000  # questions and streams of one model at a time
LOOK_SECONDS = 0.1  # how often resting streams are looked after: nobody wakes the worker for a deadline or a cancel Event
LEAVE_SECONDS = 5.0  # how long closing waits for the batch that is being computed


@dataclass(eq=False, kw_only=True)
class Question:
    """One request on its way through the worker."""

    task: ModuleType
    request: Hashable
    answer: Future = field(default_factory=Future)
    arrived: float = field(default_factory=time.monotonic)
    size: int = 0  # tokens
    alone: bool = False  # its batch failed, so now it is asked by itself


class Worker:
    """Answers questions about one model. `submit`, `stream` and `close` may be called from any thread.

    `inference` opens inference mode around one call; `tidy` is called after memory ran out.
    """

    def __init__(
        self, model: "Model", *, inference: Callable[[], AbstractContextManager], tidy: Callable[[], None], gather: float = GATHER_SECONDS
    ):
        self.model: Model | None = model
        self._inference, self._tidy, self._gather = inference, tidy, gather
        self._changed = threading.Condition()
        self._inbox: list[Question | Stream] = []
        self._pending = 0  # questions and streams that have come and are not done
        self._closed = False
        self._waiting: list[Question] = []  # this and the next belong to the thread alone
        self._streams = Streams()
        self._thread = threading.Thread(target=self._work, name=f"worker-{model.name}", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is running or queued. Asked under the library's lock, so it takes none of its own."""
        return self._pending > 0

    def submit(self, task: ModuleType, request: Hashable) -> Future:
        """Queue one request; the Future gets its Result or a Problem. Cancelling it while it waits drops it. Problem: closed, too_busy."""
        question = Question(task=task, request=request)
        self._take(question)
        return question.answer

    def stream(self, task: ModuleType, request: Hashable, *, seconds: float, cancel: threading.Event | None = None) -> Stream:
        """Queue a stream of `task.stream(model, request)`; iterate over it to read, `close` it to end it. Problem: closed, too_busy."""
        stream = Stream(partial(task.stream, self.model, request), wake=self._wake, seconds=seconds, cancel=cancel)
        self._take(stream)
        return stream

    def close(self) -> None:
        """Refuse what waits, end the streams and the thread, let go of the model."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(LEAVE_SECONDS)

    def _take(self, what: Question | Stream) -> None:
        with self._changed:
            if self._closed:
                raise Problem("closed")
            if self._pending >= LINE:
                raise Problem("too_busy")
            self._pending += 1
            self._inbox.append(what)
            self._changed.notify()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    # What follows runs in the worker's thread

    def _work(self) -> None:
        while self._rest():
            try:
                self._take_turn()
            except BaseException as error:  # a mistake of ours, or of a task in telling sizes: nobody shall wait for ever because of it
                self._refuse_all(answerable(error, doing=f"sorting the questions to {self.model.name}"))
        self._refuse_all(Problem("closed"))
        self.model = None

    def _rest(self) -> bool:
        """Sleep until there is something to do; False once closed."""
        with self._changed:
            while not self._closed and not self._inbox and not self._streams.any_due() and self._ripe_in() > 0:
                pauses = [self._ripe_in()] if self._waiting else []
                pauses += [LOOK_SECONDS] if self._streams else []
                self._changed.wait(min(pauses, default=None))
            return not self._closed

    def _take_turn(self) -> None:
        """One batch at most, then one step of one stream: neither can keep the other from its turn."""
        self._sort_inbox()
        if self._waiting and self._ripe_in() <= 0:
            self._answer(self._next_batch())
        if stream := self._streams.next():
            self._advance(stream)

    def _ripe_in(self) -> float:
        """Seconds until the oldest question has waited long enough for company."""
        return self._waiting[0].arrived + self._gather - time.monotonic() if self._waiting else float("inf")

    def _sort_inbox(self) -> None:
        with self._changed:
            inbox, self._inbox = self._inbox, []
        for what in inbox:
            if isinstance(what, Stream):
                self._streams.add(what)
            elif self._measure(what):
                self._waiting.append(what)

    def _measure(self, question: Question) -> bool:
        """Find out how long the request is; False where it cannot be answered, which the visitor then knows already."""
        try:
            question.size = question.task.size(self.model, question.request)
        except BaseException as error:
            if question.answer.set_running_or_notify_cancel():
                self._fail(question, self._explain(question, error))
            else:
                self._done()
            return False
        return True

    def _next_batch(self) -> list[Question]:
        """The oldest question, with those of the same task and similar length that wait behind it."""
        oldest = self._waiting[0]
        batch = [oldest]
        if not oldest.alone:
            same = [question for question in self._waiting if question.task is oldest.task and not question.alone]
            batch = [same[i] for i in next(group for group in groups([question.size for question in same]) if 0 in group)]
        taken = set(batch)
        self._waiting = [question for question in self._waiting if question not in taken]
        return batch

    def _answer(self, batch: list[Question]) -> None:
        """Run a batch. If it fails, its members are asked one by one, so that only those answer for it that are to blame."""
        live = [question for question in batch if question.alone or self._begin(question)]
        if not live:
            return
        problem = None
        short_of_memory = False
        try:
            with self._inference():
                results = live[0].task.run(self.model, [question.request for question in live])
            if len(results) != len(live):
                raise RuntimeError(f"{live[0].task.NAME} gave {len(results)} results to {len(live)} requests")
        except BaseException as error:
            short_of_memory = is_memory(error)
            if len(live) == 1:
                problem = self._explain(live[0], error)
            else:
                LOG.info("a batch of %d failed (%s: %s); its members are asked one by one", len(live), type(error).__name__, str(error))
                for question in live:
                    question.alone = True
                self._waiting[:0] = live
        else:
            for question, result in zip(live, results, strict=True):
                self._done()
                question.answer.set_result(result)
        if short_of_memory:  # here the error is gone, and with it the frames that held the tensors
            self._tidy()
        if problem:
            self._fail(live[0], problem)

    def _begin(self, question: Question) -> bool:
        """Whether somebody still wants the answer; from here on it can no longer be cancelled."""
        wanted = question.answer.set_running_or_notify_cancel()
        if not wanted:
            self._done()
        return wanted

    def _explain(self, question: Question, error: BaseException) -> Problem:
        return answerable(error, doing=f"{question.task.NAME} with {self.model.name}")

    def _fail(self, question: Question, problem: Problem) -> None:
        self._done()
        question.answer.set_exception(problem)

    def _advance(self, stream: Stream) -> None:
        stream.advance(self._inference)
        if stream.over:
            self._streams.remove(stream)
            self._done()

    def _done(self) -> None:
        with self._changed:
            self._pending -= 1

    def _refuse_all(self, problem: Problem) -> None:
        """Answer everything that waits with one Problem."""
        with self._changed:
            inbox, self._inbox = self._inbox, []
        waiting, self._waiting = self._waiting, []
        for stream in [*self._streams.clear(), *(what for what in inbox if isinstance(what, Stream))]:
            stream.end(fresh(problem))
            self._done()
        for question in [*waiting, *(what for what in inbox if isinstance(what, Question))]:
            if question.alone or self._begin(question):
                self._fail(question, fresh(problem))
