"""The models in memory: each loaded once, however many ask; those that nobody uses make room for others."""

import gc
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.errors import Problem
from playground.service.device import Device
from playground.service.faults import answerable
from playground.service.jobs import LOOK_SECONDS, Job, Jobs, Stopped
from playground.service.worker import Worker

if TYPE_CHECKING:
    from models.card import Card
    from models.model import Model

LOG = logging.getLogger(__name__)
MB = 1_000_000
LOADS, LOADS_WAITING = 3, 50
ROOM_SECONDS = 20.0  # how long a load waits for a model that is busy; most questions take far less

Progress = Callable[[str, int, int], None]  # what is going on, bytes done, bytes in all (0: not known)
Loader = Callable[["Card", Progress], "Model"]


@dataclass(eq=False)
class Entry:
    """A loaded model. `users` holds one token for each visitor who may still send work to it."""

    worker: Worker
    n_bytes: int
    users: set[object] = field(default_factory=set)


@dataclass(eq=False)
class Load:
    """A model on its way into memory, and those who wait for it."""

    job: Job | None = None
    users: set[object] = field(default_factory=set)  # the entry takes over the very same set
    entry: Entry | None = None


class Library:
    """Lends models. `loader(card, progress)` brings one into memory; `budget_bytes` limits the weights of all of them together."""

    def __init__(self, loader: Loader, *, device: Device, budget_bytes: int | None = None, room_seconds: float = ROOM_SECONDS):
        self._loader, self._device, self._room_seconds = loader, device, room_seconds
        self._budget_bytes = budget_bytes
        self._jobs = Jobs("load", running=LOADS, waiting=LOADS_WAITING)
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # the longest unused first
        self._loads: dict[str, Load] = {}
        self._reserved: dict[str, int] = {}  # bytes of models on their way
        self._closed = False
        self._lock = threading.RLock()

    @property
    def budget_bytes(self) -> int:
        """Memory that the weights of all models together may take."""
        return self._device.budget_bytes if self._budget_bytes is None else self._budget_bytes

    @property
    def used_bytes(self) -> int:
        """Memory that they take now, those on their way included."""
        with self._lock:
            return sum(entry.n_bytes for entry in self._entries.values()) + sum(self._reserved.values())

    @contextmanager
    def lease(self, card: "Card", *, progress: Progress | None = None, cancel: threading.Event | None = None) -> Iterator[Worker]:
        """The worker of a model, which stays in memory meanwhile. Loads it if need be, and tells `progress` so, in this thread.

        Raises Problem: cancelled, closed, model_too_large, memory_in_use, out_of_memory, too_many_jobs, load_failed, or one of the loader.
        Who gives up (also by raising in `progress`) leaves alone; the load goes on, for the others and for the next.
        """
        user = object()
        entry = self._enter(card, user, progress, cancel)
        try:
            yield entry.worker
        finally:
            entry.users.discard(user)  # no lock: the finalizer of a forgotten stream gets here at any moment, in any thread

    def start(self, card: "Card") -> None:
        """Begin to load a model, without waiting for it. Raises Problem: closed, too_many_jobs."""
        with self._lock:
            self._refuse_closed()
            if card.name not in self._entries and card.name not in self._loads:
                self._begin(card)

    def loaded(self) -> dict[str, "Model"]:
        """The models in memory by name."""
        with self._lock:
            return {name: entry.worker.model for name, entry in self._entries.items() if entry.worker.model is not None}

    def drop(self, name: str) -> None:
        """Let go of a model that is no longer offered, whoever uses it."""
        with self._lock:
            entry = self._entries.pop(name, None)
        if entry:
            entry.worker.close()

    def loading(self) -> list[Job]:
        """The loads that are not over; the `latest` step of each is (stage, bytes done, bytes in all)."""
        return self._jobs.unfinished()

    def close(self) -> None:
        """Stop loading, end every worker, let go of every model."""
        with self._lock:
            self._closed = True
        self._jobs.close()
        with self._lock:
            entries, self._entries = list(self._entries.values()), OrderedDict()
        for entry in entries:
            entry.worker.close()

    def _enter(self, card: "Card", user: object, progress: Progress | None, cancel: threading.Event | None) -> Entry:
        with self._lock:
            self._refuse_closed()
            if entry := self._entries.get(card.name):
                entry.users.add(user)
                self._entries.move_to_end(card.name)
                return entry
            load = self._loads.get(card.name) or self._begin(card)
            load.users.add(user)
        try:
            self._attend(load.job, progress, cancel)
        except BaseException:
            load.users.discard(user)
            raise
        return load.entry

    def _attend(self, job: Job, progress: Progress | None, cancel: threading.Event | None) -> None:
        if progress and self._jobs.position(job):
            progress("queue", 0, 0)
        for stage, done, total in job.follow(cancel=cancel):
            if progress:
                progress(stage, done, total)
        if cancel and cancel.is_set():
            raise Problem("cancelled")
        job.result()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise Problem("closed")

    def _begin(self, card: "Card") -> Load:
        load = Load()
        load.job = self._jobs.start(card.name, lambda job: self._load(card, load, job))
        self._loads[card.name] = load
        return load

    # What follows runs in the thread of the load

    def _load(self, card: "Card", load: Load, job: Job) -> None:
        started = time.monotonic()
        try:
            expected = (card.parameters or 0) * self._device.bytes_per_weight or card.size_mb * MB
            self._make_room(card.name, expected, job)
            model = self._loader(card, lambda stage, done, total: job.put((stage, done, total)))
            job.check()
            self._make_room(card.name, model.n_bytes, job)
            self._admit(card.name, load, model)
            LOG.info("%s: %d MB loaded in %.1f s", card.name, model.n_bytes // MB, time.monotonic() - started)
        except Stopped:
            raise
        except Problem as problem:
            LOG.warning("%s was not loaded: %s", card.name, str(problem))  # the error itself would keep the model alive in a log record
            raise
        except BaseException as error:
            raise answerable(error, doing=f"loading {card.name}", key="load_failed", model=card.name) from None
        finally:  # before anybody hears of it, so that who tries again does not join what has failed
            with self._lock:
                self._loads.pop(card.name, None)
                self._reserved.pop(card.name, None)

    def _admit(self, name: str, load: Load, model: "Model") -> None:
        with self._lock:
            if self._closed:
                raise Stopped
            load.entry = Entry(Worker(model, inference=self._device.inference, tidy=self._device.tidy), model.n_bytes, load.users)
            self._entries[name] = load.entry
            del self._reserved[name], self._loads[name]

    def _make_room(self, name: str, need: int, job: Job) -> None:
        """Reserve `need` bytes. Models that nobody uses go, the longest unused first, if that is enough; else it waits a little."""
        if need > self.budget_bytes:
            raise Problem("model_too_large", model=name, need_mb=need // MB, budget_mb=self.budget_bytes // MB)
        until = time.monotonic() + self._room_seconds
        while (leaving := self._reserve(name, need)) is None:
            job.put(("queue", 0, 0))
            if time.monotonic() > until:
                raise Problem("memory_in_use", model=name)
            time.sleep(LOOK_SECONDS)
        for entry in leaving:
            LOG.info("%s goes to make room for %s", entry.worker.model.name, name)
            entry.worker.close()
        if leaving:
            del leaving, entry
            gc.collect()
            self._device.tidy()

    def _reserve(self, name: str, need: int) -> list[Entry] | None:
        """Take out the entries that have to go for `need` bytes; None, and nothing changes, where those that can go are not enough."""
        with self._lock:
            self._reserved.pop(name, None)
            missing = self.used_bytes + need - self.budget_bytes
            leaving = []
            for other, entry in self._entries.items():
                if missing > 0 and not entry.users and not entry.worker.busy:
                    leaving.append(other)
                    missing -= entry.n_bytes
            if missing > 0:
                return None
            self._reserved[name] = need
            return [self._entries.pop(other) for other in leaving]
