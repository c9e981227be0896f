"""Answers already given, and questions that several visitors ask at once: each is worked out one time."""

import dataclasses
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any

import numpy as np

from models.errors import Problem
from playground.service.faults import fresh

LOOK_SECONDS = 0.05  # how often a waiting visitor looks whether they cancelled
ARRAY_BYTES = 112  # of a numpy array, besides its numbers


class Flight:
    """One question on its way to an answer, and how many visitors wait for it."""

    def __init__(self, key: Hashable, answer: Future):
        self.key, self.answer = key, answer
        self.waiting = 0

    def wait(self, *, until: float, cancel: threading.Event | None = None) -> Any:
        """The answer. Raises its Problem, Problem deadline at the time `until` (monotonic), Problem cancelled once `cancel` is set."""
        while True:
            pause = until - time.monotonic()
            try:
                return self.answer.result(max(min(pause, LOOK_SECONDS) if cancel else pause, 0.0))
            except TimeoutError:
                if cancel and cancel.is_set():
                    raise Problem("cancelled") from None
                if time.monotonic() >= until:
                    raise Problem("deadline") from None
            except Problem as problem:
                raise fresh(problem) from None
            except CancelledError:
                raise Problem("cancelled") from None


class Memo:
    """Keeps answers up to `budget_bytes`; the longest unused go first. Their arrays become read-only: many visitors see the same ones.

    `tidy` is called each time that answers of a quarter of the budget have gone.
    """

    def __init__(self, budget_bytes: int, *, tidy: Callable[[], None] = lambda: None):
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        self._gone_bytes, self._tidy = 0, tidy  # gone since `tidy` was called
        self._answers: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._flights: dict[Hashable, Flight] = {}
        self._lock = threading.Lock()

    def join(self, key: Hashable, start: Callable[[], Future] | None) -> Flight | None:
        """The flight that answers `key`: landed if the answer is kept, else the one in the air, else a new one that `start` sets off.

        Without `start`, None where there is nothing to join. Whoever joins has to `leave`.
        """
        with self._lock:
            flight, new = self._flights.get(key), False
            if key in self._answers:
                self._answers.move_to_end(key)
                flight = Flight(key, _done(self._answers[key][0]))
            elif flight is None and start is not None:
                flight, new = Flight(key, start()), True
                self._flights[key] = flight
            if flight is None:
                return None
            flight.waiting += 1
        if new:  # outside the lock: an answer that is there already lands in this very call
            flight.answer.add_done_callback(lambda answer: self._land(flight))
        return flight

    def leave(self, flight: Flight) -> None:
        """Wait no longer. A question that nobody waits for and that no worker has begun is dropped."""
        with self._lock:
            flight.waiting -= 1
            abandoned = flight.waiting == 0 and self._flights.get(flight.key) is flight and not flight.answer.running()
            if abandoned:
                del self._flights[flight.key]  # who asks now starts anew instead of joining what is being dropped
        if abandoned:
            flight.answer.cancel()

    def _land(self, flight: Flight) -> None:
        landed = not flight.answer.cancelled() and flight.answer.exception() is None
        size = weigh((flight.key, flight.answer.result())) if landed else 0
        with self._lock:
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            if landed and size <= self.budget_bytes and flight.key not in self._answers:
                self._answers[flight.key] = flight.answer.result(), size
                self.used_bytes += size
            while self.used_bytes > self.budget_bytes:
                _, (_, freed) = self._answers.popitem(last=False)
                self.used_bytes -= freed
                self._gone_bytes += freed
            due = self._gone_bytes > self.budget_bytes // 4
            self._gone_bytes = 0 if due else self._gone_bytes
        if due:
            self._tidy()


def weigh(value: Any) -> int:
    """Bytes that a result keeps in memory, shared parts counted once; makes its arrays read-only."""
    size, seen, rest = 0, set(), [value]
    while rest:
        part = rest.pop()
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
            part = _owner(part)
        if id(part) in seen:
            continue
        seen.add(id(part))
        size += _bytes(part)
        if dataclasses.is_dataclass(part):
            rest += [getattr(part, field.name) for field in dataclasses.fields(part)]
        elif isinstance(part, Mapping):
            rest += [*part.keys(), *part.values()]
        elif isinstance(part, tuple | list | set | frozenset):
            rest += part
    return size


def _owner(array: np.ndarray) -> Any:
    """What holds the memory that a view shows: a small cut of a large array keeps all of it alive."""
    owner = array
    while getattr(owner, "base", None) is not None:
        owner = owner.base
    return owner


def _bytes(part: Any) -> int:
    if isinstance(part, np.ndarray):
        return part.nbytes + ARRAY_BYTES
    if hasattr(part, "untyped_storage"):  # a torch tensor that lent its memory to numpy
        return part.untyped_storage().nbytes()
    return sys.getsizeof(part)


def _done(answer: Any) -> Future:
    future: Future = Future()
    future.set_result(answer)
    return future
