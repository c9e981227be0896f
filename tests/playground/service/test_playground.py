import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.catalogue import Catalogue
from models.errors import Problem
from playground.service.playground import Playground

WIDTH, WORDS = 16, 1000


@pytest.fixture
def tasks(task, fakes):
    return {"echo": task, "other": fakes.Task(NAME="other")}


@pytest.fixture
def new_playground(new_card, fakes, task, tasks):
    """Makes services over the models "a" and "b", which echo, and "c", which does the other task; and closes them after the test."""
    made = []

    def find_task(name):
        if name not in tasks:
            raise ValueError(f"there is no task {name}")
        return tasks[name]

    def load(card, progress):
        progress("load", 0, 0)
        return fakes.Model(name=card.name, card=card, tasks=frozenset({"other"} if card.name == "c" else {"echo"}))

    def make(loader=load, cards=None, **options):
        cards = cards or [new_card("a"), new_card("b"), new_card("c", tasks=("other",))]
        made.append(Playground(Catalogue(cards), "cpu", loader=loader, find_task=find_task, **options))
        return made[-1]

    yield make
    task.gate.set()
    for playground in made:
        playground.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(24) as pool:
        yield pool


def test_a_question_gets_its_answer(new_playground):
    assert new_playground().ask("a", "echo", "hello") == ("a", "hello")


def test_several_questions_get_their_answers_in_their_order(new_playground, task):
    requests = ["one", "two", "one", "three"]
    assert new_playground().ask_all("a", "echo", requests) == [("a", request) for request in requests]
    assert sorted(sum(task.batches, [])) == ["one", "three", "two"]
    assert new_playground().ask_all("a", "echo", []) == []


def test_the_same_question_is_not_worked_out_again(new_playground, task):
    playground = new_playground()
    assert [playground.ask("a", "echo", "hello") for _ in range(3)] == [("a", "hello")] * 3
    assert playground.ask("b", "echo", "hello") == ("b", "hello")
    assert task.batches == [["hello"], ["hello"]]


def test_many_visitors_with_one_question_are_served_by_one_computation(new_playground, task, pool):
    playground = new_playground()
    playground.ask("a", "echo", "first")
    task.gate.clear()
    asking = threading.Barrier(17)

    def visit():
        asking.wait(30)
        return playground.ask("a", "echo", "hello")

    visits = [pool.submit(visit) for _ in range(16)]
    asking.wait(30)
    task.gate.set()
    assert [each.result(30) for each in visits] == [("a", "hello")] * 16
    assert task.batches == [["first"], ["hello"]]


def test_who_cancels_does_not_cancel_for_those_who_ask_the_same(new_playground, task, pool):
    playground, cancel = new_playground(), threading.Event()
    task.gate.clear()
    leaves = pool.submit(playground.ask, "a", "echo", "hello", cancel=cancel)
    assert task.entered.acquire(timeout=30) and task.entered.acquire(blocking=False) is False
    stays = pool.submit(playground.ask, "a", "echo", "hello")
    cancel.set()
    assert leaves.exception(30).key == "cancelled"
    task.gate.set()
    assert stays.result(30) == ("a", "hello")
    assert task.batches == [["hello"]]


def test_a_question_that_takes_too_long_is_given_up_and_the_next_visitor_is_served(new_playground, task):
    playground = new_playground(answer_seconds=0.05)
    task.gate.clear()
    with pytest.raises(Problem, match="deadline"):
        playground.ask("a", "echo", "slow")
    task.gate.set()
    playground._answer_seconds = 30
    assert playground.ask("a", "echo", "quick") == ("a", "quick")


def test_one_bad_question_of_several_is_told_and_harms_nobody(new_playground, task, pool):
    playground = new_playground()
    task.gate.clear()
    held = pool.submit(playground.ask, "a", "echo", "held")
    assert task.entered.acquire(timeout=30)
    visits = {request: pool.submit(playground.ask, "a", "echo", request) for request in [*(f"good {i}" for i in range(10)), "bad"]}
    task.gate.set()
    assert visits.pop("bad").exception(30).key == "empty_text"
    assert held.result(30) == ("a", "held")
    assert all(each.result(30) == ("a", request) for request, each in visits.items())
    with pytest.raises(Problem, match="empty_text"):
        playground.ask_all("a", "echo", ["fine", "bad again"])


def test_unknown_models_and_tasks_are_refused_before_anything_is_loaded(new_playground, task):
    def load(card, progress):
        raise AssertionError("loaded")

    playground = new_playground(load)
    for ask in (playground.ask, playground.stream):
        with pytest.raises(Problem) as caught:
            ask("nobody", "echo", "hello")
        assert caught.value.key == "unknown_model"
        with pytest.raises(ValueError, match="there is no task dance"):
            ask("a", "dance", "hello")
        with pytest.raises(Problem) as caught:
            ask("c", "echo", "hello")
        assert (caught.value.key, caught.value.values) == ("task_not_possible", {"model": "c", "task": "echo", "able": ["a", "b"]})


def test_a_task_that_no_model_can_do_is_refused(new_playground, new_card):
    with pytest.raises(Problem, match="task_nobody"):
        new_playground(cards=[new_card("a")]).ask("a", "other", "hello")


def test_a_model_that_tells_its_tasks_only_once_it_is_loaded_is_refused_then(new_playground, new_card, monkeypatch):
    monkeypatch.setattr("playground.service.offers.is_local", lambda card: False)
    playground = new_playground(cards=[new_card("a"), new_card("c", tasks=())])
    assert [row["tasks"] for row in playground.models()] == [["echo"], []]
    with pytest.raises(Problem) as caught:
        playground.ask("c", "echo", "hello")
    assert caught.value.key == "task_not_possible" and caught.value.values["able"] == ["a"]
    assert [row["tasks"] for row in playground.models()] == [["echo"], ["other"]]


def test_the_progress_of_a_load_reaches_the_visitor(new_playground):
    told = []
    playground = new_playground()
    playground.ask("a", "echo", "hello", progress=lambda *stage: told.append(stage))
    playground.ask("a", "echo", "again", progress=lambda *stage: told.append(stage))
    assert list(playground.stream("b", "echo", "one two", progress=lambda *stage: told.append(stage))) == ["one", "two"]
    assert told == [("load", 0, 0)] * 2


def test_models_that_nobody_knows_yet_are_loaded_without_being_asked_for(new_playground, new_card, fakes):
    def load(card, progress):
        loaded.append(card.name)
        done.set()
        return fakes.Model(name=card.name, card=card)

    loaded, done = [], threading.Event()
    playground = new_playground(load, cards=[new_card("a"), new_card("mine", tasks=())])
    playground.explore()
    assert done.wait(30) and playground.ask("mine", "echo", "hello") == ("mine", "hello")
    assert [row["tasks"] for row in playground.models()] == [["echo"], ["echo"]]
    assert loaded == ["mine"]


def test_loads_can_be_seen_while_they_last(new_playground, fakes, pool):
    def load(card, progress):
        progress("download", 3, 10)
        begun.set()
        assert gate.wait(30)
        return fakes.Model(name=card.name, card=card)

    begun, gate = threading.Event(), threading.Event()
    playground = new_playground(load)
    visit = pool.submit(playground.ask, "a", "echo", "hello")
    assert begun.wait(30)
    assert playground.loading() == [{"name": "a", "stage": "download", "done": 3, "total": 10}]
    gate.set()
    assert visit.result(30) == ("a", "hello")
    assert playground.loading() == []


def test_a_stream_ends_quietly_when_cancelled(new_playground, task):
    task.stream = lambda model, request: iter(range(10_000))
    cancel = threading.Event()
    items = new_playground().stream("a", "echo", "count", cancel=cancel)
    assert [next(items), next(items)] == [0, 1]
    cancel.set()
    assert list(items) == []
    assert list(new_playground().stream("a", "echo", "count", cancel=cancel)) == []  # also while the model is loading


@pytest.mark.parametrize("leave", [lambda items: items.close(), lambda items: None], ids=["closes", "is forgotten"])
def test_a_stream_whose_reader_goes_frees_its_memory_and_its_model(new_playground, task, leave):
    def stream(model, request):
        try:
            yield from range(100_000)
        finally:
            ended.set()

    ended, task.stream = threading.Event(), stream
    playground = new_playground()
    items = playground.stream("a", "echo", "count")
    assert next(items) == 0
    leave(items)
    del items
    gc.collect()
    assert ended.wait(30)
    assert not playground._library._entries["a"].users


def test_a_stream_may_be_read_by_one_thread_and_closed_by_another(new_playground, task, pool):
    ended = threading.Event()

    def stream(model, request):
        try:
            while True:
                yield torch.is_inference_mode_enabled()
        finally:
            ended.set()

    task.stream = stream
    items = new_playground().stream("a", "echo", "count")
    assert all(pool.submit(next, items).result(30) for _ in range(20))
    pool.submit(items.close).result(30)
    assert ended.wait(30)
    assert not any(pool.submit(torch.is_inference_mode_enabled).result(30) for _ in range(24))


def test_only_tasks_that_stream_can_be_streamed(new_playground, tasks):
    tasks["echo"] = SimpleNamespace(NAME="echo")
    with pytest.raises(ValueError, match="echo does not stream"):
        new_playground().stream("a", "echo", "hello")


def test_closing_ends_every_thread_and_tells_those_who_wait(new_playground, task, pool):
    before = {thread.name for thread in threading.enumerate()}
    playground = new_playground()
    playground.ask("b", "echo", "hello")
    task.gate.clear()
    held = pool.submit(playground.ask, "a", "echo", "held")
    assert task.entered.acquire(timeout=30) and task.entered.acquire(timeout=30)
    other = pool.submit(playground.ask, "a", "echo", "waits")
    closing = pool.submit(playground.close)
    with pytest.raises(Problem, match="closed"):
        while True:  # until the closing thread has come so far
            playground.ask("b", "echo", str(random.random()))
    task.gate.set()
    closing.result(30)
    assert held.result(30) == ("a", "held")
    assert other.exception(30) is None or other.exception(30).key == "closed"
    after = {thread.name for thread in threading.enumerate()}
    assert not [name for name in after - before if name.startswith(("worker-", "load-"))]
    playground.close()  # once more does no harm


class Bag(torch.nn.Module):
    """A small real network: the sum of word vectors through a layer that mixes them."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.mix = torch.nn.Sequential(torch.nn.Linear(WIDTH, 64), torch.nn.GELU(), torch.nn.Linear(64, WIDTH))

    def forward(self, ids):
        return self.mix(self.words(ids).sum(1))


def bag_task():
    """Runs the network on a padded batch and takes each visitor's row out of it."""

    def run(model, requests):
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(request) for request in requests], batch_first=True)
        sizes.append(len(requests))
        return [SimpleNamespace(ids=request, vector=row) for request, row in zip(requests, model.network(ids).numpy(), strict=True)]

    def stream(model, request):
        for end in range(1, len(request) + 1):
            yield model.network(torch.tensor([request[:end]])).numpy()[0]

    sizes = []
    return SimpleNamespace(NAME="echo", size=lambda model, request: len(request), run=run, stream=stream, sizes=sizes)


def test_sixteen_visitors_at_once_get_each_their_own_answers(new_playground, tasks, fakes, pool):
    torch.manual_seed(0)
    networks = {name: Bag().eval() for name in "ab"}
    tasks["echo"] = task = bag_task()
    playground = new_playground(lambda card, progress: fakes.Model(name=card.name, card=card, network=networks[card.name]))
    start = threading.Barrier(16)

    def visit(visitor):
        dice = random.Random(visitor)
        start.wait(30)
        for turn in range(25):
            name = "ab"[(visitor + turn) % 2]
            request = tuple(dice.randrange(1, WORDS) for _ in range(dice.randrange(1, 40)))
            with torch.no_grad():
                expected = [networks[name](torch.tensor([request[:end]])).numpy()[0] for end in range(1, len(request) + 1)]
            if turn % 5 == 4:
                answers = list(playground.stream(name, "echo", request))
                assert len(answers) == len(expected)
                assert np.allclose(answers, expected, rtol=1e-4, atol=1e-5)
            else:
                answer = playground.ask(name, "echo", request)
                assert answer.ids == request
                assert np.allclose(answer.vector, expected[-1], rtol=1e-4, atol=1e-5)
        return visitor

    visits = [pool.submit(visit, visitor) for visitor in range(16)]
    assert [each.result(120) for each in visits] == list(range(16))
    assert max(task.sizes) > 1, "nobody was grouped"
