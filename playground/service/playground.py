"""The service behind the page: a question goes in, its answer or one clear Problem comes out, and nobody disturbs anybody."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from models.errors import Problem
from playground import tasks
from playground.service.device import Device
from playground.service.jobs import Job
from playground.service.kept import Shelf, kept_folder
from playground.service.library import Library, Loader, Progress
from playground.service.memo import Memo
from playground.service.offers import TUNE, Offers, Row
from playground.service.resident import give_back
from playground.service.runs import Plan, Runs

if TYPE_CHECKING:
    from models.card import Card
    from models.catalogue import Catalogue
    from models.model import Model
    from models.tuning.task import Examples, Task
    from models.tuning.worded import Spelt
    from playground.service.trials import Tried

MEMO_BYTES = 256_000_000
ANSWER_SECONDS = 60.0
STREAM_SECONDS = 300.0


class Playground:
    """Answers questions about models; every method may be called from any thread, at the same time.

    A question is answered from the memo if it was asked before, joins the same question of another visitor that is on its way, or goes to
    the worker of its model, which is loaded if need be. `dtype`: see `Device`; `offline` never asks the network. `loader` and `find_task`
    stand in for `models.loading.load_card` and `playground.tasks.find`; the limits are bytes and seconds. `kept` is where results of
    tunings are; each is one more model of the catalogue.
    """

    def __init__(
        self,
        catalogue: "Catalogue",
        device: str | Device = "auto",
        *,
        dtype: str | None = None,
        offline: bool = False,
        loader: Loader | None = None,
        find_task: Callable[[str], ModuleType] | None = None,
        model_bytes: int | None = None,
        memo_bytes: int = MEMO_BYTES,
        answer_seconds: float = ANSWER_SECONDS,
        stream_seconds: float = STREAM_SECONDS,
        kept: Path | None = None,
    ):
        self.shelf = Shelf(kept or kept_folder())
        self.catalogue = catalogue.joined(partial(results_of, self.shelf, catalogue))
        self.offline = offline or catalogue.offline
        self.device = device if isinstance(device, Device) else Device(device, dtype)
        self._library = Library(loader or self._load, device=self.device, budget_bytes=model_bytes)
        self._offers = Offers(self.catalogue, loaded=self._library.loaded)
        self.shelf.dropped = self._library.drop
        self.runs = Runs(self._lend, self.shelf, tidy=self.device.tidy, lesson=self._lesson)
        self._memo = Memo(memo_bytes, tidy=give_back)
        self._find_task = find_task or tasks.find
        self._answer_seconds, self._stream_seconds = answer_seconds, stream_seconds

    def ask(
        self, model: str, task: str, request: Hashable, *, progress: Progress | None = None, cancel: threading.Event | None = None
    ) -> Any:
        """The Result of one request. Blocks; `progress(stage, bytes done, bytes in all)` is called in this thread while the model loads.

        Raises Problem: that of the task, or unknown_model, task_not_possible, task_nobody, cancelled (`cancel` was set), deadline,
        too_busy, out_of_memory, internal, closed, and those of the library where the model has to be loaded. ValueError: unknown task.
        """
        return self.ask_all(model, task, [request], progress=progress, cancel=cancel)[0]

    def ask_all(
        self,
        model: str,
        task: str,
        requests: Sequence[Hashable],
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Any]:
        """The Results of several requests, in their order, worked out together; the first Problem stands for all."""
        module, card = self._find(model, task)
        keys = [(card.name, task, request) for request in requests]
        with ExitStack() as stack:
            flights = {key: self._memo.join(key, None) for key in dict.fromkeys(keys)}
            for flight in filter(None, flights.values()):
                stack.callback(self._memo.leave, flight)
            if None in flights.values():
                worker = stack.enter_context(self._library.lease(card, progress=progress, cancel=cancel))
                self._check_loaded(worker.model, ability(module, task))
                for key in [key for key, flight in flights.items() if flight is None]:
                    flights[key] = self._memo.join(key, lambda key=key: worker.submit(module, key[-1]))
                    stack.callback(self._memo.leave, flights[key])
            until = time.monotonic() + self._answer_seconds
            answers = {key: flight.wait(until=until, cancel=cancel) for key, flight in flights.items()}
        return [answers[key] for key in keys]

    def stream(
        self, model: str, task: str, request: Hashable, *, progress: Progress | None = None, cancel: threading.Event | None = None
    ) -> Iterator[Any]:
        """The items of `task.stream`, each as soon as it is made. Ends quietly when `cancel` is set; closing the iterator stops the work.

        A wrong name is refused here, everything else (as in `ask`) when the first item is asked for.
        """
        module, card = self._find(model, task)
        if not hasattr(module, "stream"):
            raise ValueError(f"the task {task} does not stream")
        return self._stream(module, card, task, request, progress, cancel)

    def tune(self, visitor: str, plan: Plan) -> None:
        """Start a visitor's tuning run; `runs` shows it. Problem: as `ask` for the model's name, and those of `Runs.start`.

        Problem unknown_result where there is no teacher of that name.
        """
        self._offers.check(self.catalogue.find(plan.model), TUNE)
        if plan.teacher:
            self.shelf.get(plan.teacher)
        self.runs.start(visitor, plan)

    def try_out(self, result: str, text: str) -> "Tried":
        """What a kept result says of a text, and what its base says without it. Problem unknown_result, and those of loading the base."""
        return self._trials.ask(result, text)

    def spell(self, model: str, task: "Task") -> "tuple[Spelt, ...]":
        """How a model reads the template and the label words of a task. Problem where it cannot, and those of loading the model."""
        from models.tuning.worded import spelt  # noqa: PLC0415 - with torch, as below

        with self._lend(model) as loaded:
            return spelt(loaded, task)

    def hub_rows(self, name: str) -> str:
        """Rows of a data set of the hub, as JSONL. Problem: hub_data_not_allowed, and those of `hub_data`."""
        from models.tuning.hub_data import hub_rows  # noqa: PLC0415 - the page opens without the hub's library

        if not self.catalogue.allow_hub:
            raise Problem("hub_data_not_allowed")
        if self.offline:
            raise Problem("hub_data_unreachable", name=name[:80])
        return hub_rows(name)

    def forget(self, visitor: str, result: str) -> None:
        """Delete a visitor's own kept result. Problem unknown_result where there is none of that name, or it is another's."""
        self.shelf.remove(result, visitor)

    def models(self) -> list[Row]:
        """The models that can be asked, with what each can do and whether it is on this machine."""
        return self._offers.rows()

    def explore(self) -> None:
        """Begin to load the models of which nobody knows yet what they can do: hub ids that the operator named. Does not wait for them."""
        for card in self.catalogue.entries():
            if not card.tasks:
                self._library.start(card)

    def loading(self) -> list[dict[str, Any]]:
        """The models that are being fetched or loaded now: `{name, stage, done, total}`, in bytes (0: not known)."""
        return [_progress(job) for job in self._library.loading()]

    def close(self) -> None:
        """End every thread and let go of every model; whoever still waits is told so."""
        self.runs.close()
        self._library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _find(self, model: str, task: str) -> tuple[ModuleType, "Card"]:
        module = self._find_task(task)
        card = self.catalogue.find(model)
        self._offers.check(card, ability(module, task))
        return module, card

    def _check_loaded(self, model: "Model | None", task: str) -> None:
        if model is None:
            raise Problem("closed")
        self._offers.learn(model)
        self._offers.check(model.card, task)

    def _stream(
        self,
        module: ModuleType,
        card: "Card",
        task: str,
        request: Hashable,
        progress: Progress | None,
        cancel: threading.Event | None,
    ) -> Iterator[Any]:
        try:
            with self._library.lease(card, progress=progress, cancel=cancel) as worker:
                self._check_loaded(worker.model, ability(module, task))
                with closing(worker.stream(module, request, seconds=self._stream_seconds, cancel=cancel)) as items:
                    yield from items
        except Problem as problem:
            if problem.key != "cancelled":
                raise

    @cached_property
    def _trials(self) -> Any:
        from playground.service.trials import Trials  # noqa: PLC0415 - with torch, as below

        return Trials(self.shelf, self._lend, inference=self.device.inference)

    @contextmanager
    def _lend(self, name: str, progress: Progress | None = None, cancel: threading.Event | None = None) -> Iterator["Model"]:
        """A model that can be tuned, for as long as it is needed."""
        card = self.catalogue.find(name)
        self._offers.check(card, TUNE)
        with self._library.lease(card, progress=progress, cancel=cancel) as worker:
            self._check_loaded(worker.model, TUNE)
            yield worker.model

    def _lesson(self, job: Job, plan: Plan, examples: "Examples", pupil: "Model") -> "Examples":
        """What the teacher of a plan says of its examples."""
        from playground.service.teaching import Teaching  # noqa: PLC0415 - with torch, as below

        return Teaching(self.shelf, self.catalogue, self._lend).lesson(job, plan, examples, pupil)

    def _load(self, card: "Card", progress: Progress) -> "Model":
        from models.loading import load_card  # noqa: PLC0415 - torch and transformers take seconds; the page opens without them

        if card.tuned_from:
            return self._tuned(card, progress)
        return load_card(card, device=self.device.device, dtype=self.device.dtype, offline=self.offline, progress=progress)

    def _tuned(self, card: "Card", progress: Progress) -> "Model":
        """A kept result, on its base: the one in memory, or one of its own. To wait for another load here could be to wait for oneself."""
        from playground.service.trials import as_model  # noqa: PLC0415 - as above

        base = self._library.loaded().get(card.tuned_from) or self._load(self.catalogue.find(card.tuned_from), progress)
        return as_model(self.shelf.place(self.shelf.get(card.name)), base, card)


def ability(module: ModuleType, task: str) -> str:
    """What a model has to be able to do for a task: `NEEDS` of a task that looks closer at the answer to another, else the task itself."""
    return getattr(module, "NEEDS", task)


def results_of(shelf: Shelf, catalogue: "Catalogue") -> list["Card"]:
    """The kept results as models, as far as the models that they were made from are offered."""
    names = {card.name for card in catalogue.cards}
    return [card for card in shelf.cards() if card.tuned_from in names or catalogue.allow_hub]


def _progress(job: Job) -> dict[str, Any]:
    stage, done, total = job.latest or ("queue", 0, 0)
    return {"name": job.name, "stage": stage, "done": done, "total": total}
