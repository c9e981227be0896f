"""Stand-ins for what the service works with: models without weights, and tasks whose every move a test can hold back and look at."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.card import Card
from models.errors import Problem
from models.sources import Folder
from playground.service.device import Device
from playground.service.worker import Worker

PATIENCE = 30.0  # seconds after which a test takes something for lost


@dataclass(eq=False)
class FakeModel:
    """What the service knows of a model."""

    name: str = "fake"
    family: str = "fake"
    tasks: frozenset[str] = frozenset({"echo"})
    n_bytes: int = 100
    n_parameters: int = 25
    card: Card | None = None
    network: Callable | None = None


@dataclass(eq=False)
class EchoTask:
    """Answers (model name, request). Requests that start with "bad" spoil the batch that they are in.

    `gate`: while it is closed, `run` waits in front of it; `entered` tells that somebody does. `batches` are the requests of each call.
    """

    NAME: str = "echo"
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    batches: list[list[str]] = field(default_factory=list)
    error: Callable[[str], BaseException] = lambda request: Problem("empty_text", request=request)

    def __post_init__(self) -> None:
        self.gate.set()

    def size(self, model: FakeModel, request: str) -> int:
        if request.startswith("unmeasurable"):
            raise Problem("empty_text")
        return len(request)

    def run(self, model: FakeModel, requests: list[str]) -> list[Any]:
        self.batches.append(list(requests))
        self.entered.release()
        assert self.gate.wait(PATIENCE), "nobody opened the gate"
        for request in requests:
            if request.startswith("bad"):
                raise self.error(request)
        return [(model.name, request) for request in requests]

    def stream(self, model: FakeModel, request: str) -> Iterator[str]:
        for word in request.split():
            if word.startswith("bad"):
                raise self.error(word)
            yield word


@pytest.fixture
def task() -> Iterator[EchoTask]:
    task = EchoTask()
    yield task
    task.gate.set()


@pytest.fixture
def device() -> Device:
    return Device("cpu")


@pytest.fixture
def new_worker(device: Device) -> Iterator[Callable[..., Worker]]:
    """Makes workers, and closes them after the test."""
    workers = []

    def make(model: FakeModel | None = None, **options: Any) -> Worker:
        workers.append(Worker(model or FakeModel(), inference=device.inference, **({"tidy": device.tidy} | options)))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


@pytest.fixture
def new_card(tmp_path: Path) -> Callable[..., Card]:
    """Makes the card of a model whose folder is there."""

    def make(name: str, **values: Any) -> Card:
        return Card(**{"name": name, "tasks": ("echo",), "sources": (Folder(path=tmp_path),), "note": {"en": "", "zh": ""}} | values)

    return make


@pytest.fixture
def fakes() -> SimpleNamespace:
    """The classes above, for tests that make their own."""
    return SimpleNamespace(Model=FakeModel, Task=EchoTask, PATIENCE=PATIENCE)
