import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import Problem
from playground.service.library import Library

MB = 1_000_000


class Loader:
    """Loads fake models. `gate`: while it is closed, loading waits in front of it; `loaded` lists the names in order."""

    def __init__(self, fakes):
        self.fakes, self.loaded, self.errors = fakes, [], {}
        self.gate, self.begun = threading.Event(), threading.Semaphore(0)
        self.gate.set()
        self.models = weakref.WeakValueDictionary()

    def __call__(self, card, progress):
        self.loaded.append(card.name)
        progress("download", 1, 2)
        self.begun.release()
        assert self.gate.wait(30)
        progress("download", 2, 2)
        if error := self.errors.pop(card.name, None):
            raise error
        model = self.models[card.name] = self.fakes.Model(name=card.name, card=card, n_bytes=card.size_mb * MB)
        return model


@pytest.fixture
def loader(fakes):
    loader = Loader(fakes)
    yield loader
    loader.gate.set()


@pytest.fixture
def new_library(loader, device):
    libraries = []

    def make(budget_mb=1000, room_seconds=30.0):
        libraries.append(Library(loader, device=device, budget_bytes=budget_mb * MB, room_seconds=room_seconds))
        return libraries[-1]

    yield make
    loader.gate.set()
    for library in libraries:
        library.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


def use(library, card, **options):
    with library.lease(card, **options) as worker:
        return worker.model


class Arrivals:
    """The progress of visitors, which tells that they wait for a load."""

    def __init__(self):
        self.seen = threading.Semaphore(0)

    def __call__(self, *stage):
        self.seen.release()

    def expect(self, count):
        for _ in range(count):
            assert self.seen.acquire(timeout=30)


@pytest.fixture
def arrivals():
    return Arrivals()


def test_a_model_is_loaded_once_for_all_who_ask(new_library, loader, new_card, pool, arrivals):
    library, card = new_library(), new_card("a")
    loader.gate.clear()
    uses = [pool.submit(use, library, card, progress=arrivals) for _ in range(16)]
    arrivals.expect(16)
    loader.gate.set()
    assert len({id(each.result(30)) for each in uses}) == 1
    assert loader.loaded == ["a"]
    use(library, card)
    assert loader.loaded == ["a"]


def test_other_models_load_meanwhile(new_library, loader, new_card, pool):
    library = new_library()
    loader.gate.clear()
    uses = [pool.submit(use, library, new_card(name)) for name in "ab"]
    assert loader.begun.acquire(timeout=30) and loader.begun.acquire(timeout=30)
    assert sorted(job.name for job in library.loading()) == ["a", "b"]
    assert all(job.latest == ("download", 1, 2) for job in library.loading())
    loader.gate.set()
    assert [each.result(30).name for each in uses] == ["a", "b"]
    assert library.loading() == []


def test_progress_reaches_everybody_who_waits_in_their_own_thread(new_library, loader, new_card, pool):
    library, card = new_library(), new_card("a")
    loader.gate.clear()
    told = [[] for _ in range(5)]
    began = threading.Barrier(6)

    def visit(told):
        def progress(*stage):
            told.append((stage, threading.get_ident()))
            if len(told) == 1:
                began.wait(30)

        use(library, card, progress=progress)
        return threading.get_ident()

    visits = [pool.submit(visit, each) for each in told]
    began.wait(30)
    loader.gate.set()
    for each, visit in zip(told, visits, strict=True):
        thread = visit.result(30)
        assert [stage for stage, _ in each] == [("download", 1, 2), ("download", 2, 2)]
        assert {ident for _, ident in each} == {thread}


def test_a_failed_load_is_told_to_all_and_forgotten(new_library, loader, new_card, pool, arrivals):
    library, card = new_library(), new_card("a")
    loader.errors["a"] = Problem("no_network", model="a")
    loader.gate.clear()
    uses = [pool.submit(use, library, card, progress=arrivals) for _ in range(4)]
    arrivals.expect(4)
    loader.gate.set()
    assert [each.exception(30).key for each in uses] == ["no_network"] * 4
    assert library.used_bytes == 0
    assert use(library, card).name == "a"


@pytest.mark.parametrize("error, key", [(ValueError("3 unknown names"), "load_failed"), (MemoryError(), "out_of_memory")])
def test_a_load_that_fails_for_reasons_of_its_own_gives_one_sentence(new_library, loader, new_card, caplog, error, key):
    library = new_library()
    loader.errors["a"] = error
    with pytest.raises(Problem) as caught:
        use(library, new_card("a"))
    assert caught.value.key == key
    assert type(error).__name__ in caplog.text or key == "out_of_memory"
    assert use(library, new_card("a")).name == "a"


def test_one_who_gives_up_leaves_the_load_to_the_others(new_library, loader, new_card, pool, arrivals):
    library, card, cancel = new_library(), new_card("a"), threading.Event()
    loader.gate.clear()
    stays = pool.submit(use, library, card, progress=arrivals)
    leaves = pool.submit(use, library, card, cancel=cancel, progress=arrivals)
    arrivals.expect(2)
    cancel.set()
    assert leaves.exception(30).key == "cancelled"
    loader.gate.set()
    assert stays.result(30).name == "a"
    assert loader.loaded == ["a"]


def test_one_whose_progress_fails_leaves_the_load_to_the_others(new_library, loader, new_card, pool):
    def gone(*stage):
        raise ConnectionError("the browser was closed")

    library, card = new_library(), new_card("a")
    loader.gate.clear()
    leaves, stays = pool.submit(use, library, card, progress=gone), pool.submit(use, library, card)
    assert isinstance(leaves.exception(30), ConnectionError)
    loader.gate.set()
    assert stays.result(30).name == "a"


def test_a_load_that_everybody_left_is_there_for_the_next(new_library, loader, new_card, pool, arrivals):
    library, card, cancel = new_library(budget_mb=150, room_seconds=0.0), new_card("a", size_mb=100), threading.Event()
    loader.gate.clear()
    leaves = pool.submit(use, library, card, cancel=cancel, progress=arrivals)
    arrivals.expect(1)
    cancel.set()
    assert leaves.exception(30).key == "cancelled"
    loader.gate.set()
    assert use(library, card).name == "a"
    assert loader.loaded == ["a"]
    assert use(library, new_card("b", size_mb=100)).name == "b"  # those who left do not keep it in memory


def test_the_longest_unused_model_makes_room_and_its_memory_is_freed(new_library, loader, new_card):
    library = new_library(budget_mb=250)
    cards = {name: new_card(name, size_mb=100) for name in "abc"}
    for name in "aba":
        use(library, cards[name])
    loader.models["b"].network = loader.models["b"]  # models may be knotted into themselves
    gc.disable()
    try:
        use(library, cards["c"])
    finally:
        gc.enable()
    assert sorted(library.loaded()) == ["a", "c"] == sorted(loader.models)
    assert library.used_bytes == 200 * MB
    assert not [thread for thread in threading.enumerate() if thread.name == "worker-b"]


def test_a_model_in_use_is_never_driven_out(new_library, loader, new_card):
    library = new_library(budget_mb=150, room_seconds=0.0)
    with library.lease(new_card("a", size_mb=100)) as worker:
        with pytest.raises(Problem, match="memory_in_use"):
            use(library, new_card("b", size_mb=100))
        assert worker.model.name == "a"
        assert library.used_bytes == 100 * MB
    assert use(library, new_card("b", size_mb=100)).name == "b"


def test_a_model_that_computes_is_never_driven_out_also_when_nobody_waits_any_more(new_library, new_card, task):
    library = new_library(budget_mb=150, room_seconds=0.0)
    task.gate.clear()
    with library.lease(new_card("a", size_mb=100)) as worker:
        answer = worker.submit(task, "question")
        assert task.entered.acquire(timeout=30)
    with pytest.raises(Problem, match="memory_in_use"):
        use(library, new_card("b", size_mb=100))
    task.gate.set()
    assert answer.result(30) == ("a", "question")


def test_a_load_waits_for_a_model_that_is_busy(new_library, new_card, pool, monkeypatch):
    def reserve(*arguments):
        taken = Library._reserve(library, *arguments)
        if taken is None:
            refused.set()
        return taken

    library, refused = new_library(budget_mb=150), threading.Event()
    monkeypatch.setattr(library, "_reserve", reserve)
    with library.lease(new_card("a", size_mb=100)):
        other = pool.submit(use, library, new_card("b", size_mb=100))
        assert refused.wait(30) and not other.done()
    assert other.result(30).name == "b"
    assert sorted(library.loaded()) == ["b"]


def test_a_model_that_can_never_fit_is_refused_before_it_is_fetched(new_library, loader, new_card, device):
    library = new_library(budget_mb=100)
    use(library, new_card("small", size_mb=10))
    with pytest.raises(Problem) as caught:
        use(library, new_card("large", parameters=50 * MB, size_mb=10))
    assert (caught.value.key, caught.value.values) == ("model_too_large", {"model": "large", "need_mb": 200, "budget_mb": 100})
    assert loader.loaded == ["small"] and sorted(library.loaded()) == ["small"]


def test_a_model_that_turns_out_too_large_is_let_go(new_library, loader, new_card):
    library = new_library(budget_mb=100)
    use(library, new_card("small", size_mb=10))
    with pytest.raises(Problem, match="model_too_large"):
        use(library, new_card("large", size_mb=200, parameters=1))
    gc.collect()
    assert sorted(loader.models) == ["small"] == sorted(library.loaded())
    assert library.used_bytes == 10 * MB


def test_models_on_their_way_count(new_library, loader, new_card, pool):
    library = new_library(budget_mb=150, room_seconds=0.0)
    loader.gate.clear()
    first = pool.submit(use, library, new_card("a", parameters=25 * MB, size_mb=100))
    assert loader.begun.acquire(timeout=30)
    assert library.used_bytes == 100 * MB
    with pytest.raises(Problem, match="memory_in_use"):
        use(library, new_card("b", parameters=25 * MB, size_mb=100))
    loader.gate.set()
    assert first.result(30).name == "a"


def test_many_visitors_of_more_models_than_fit_are_all_served(new_library, new_card, pool, task):
    library = new_library(budget_mb=250)
    cards = [new_card(name, size_mb=100) for name in "abcde"]

    def visit(i):
        with library.lease(cards[i % 5]) as worker:
            return worker.submit(task, f"question {i}").result(30)

    visits = [pool.submit(visit, i) for i in range(60)]
    assert [each.result(60) for each in visits] == [("abcde"[i % 5], f"question {i}") for i in range(60)]
    assert library.used_bytes <= 250 * MB


def test_closing_ends_loads_and_workers(new_library, loader, new_card, pool):
    others = set(threading.enumerate())
    library = new_library()
    use(library, new_card("a"))
    loader.gate.clear()
    load = pool.submit(use, library, new_card("b"))
    assert loader.begun.acquire(timeout=30)
    closing = pool.submit(library.close)
    with pytest.raises(Problem, match="closed"):
        while True:  # until the closing thread has come so far
            use(library, new_card("a"))
    loader.gate.set()
    closing.result(30)
    assert load.exception(30).key == "cancelled"
    assert not [thread for thread in set(threading.enumerate()) - others if thread.name.startswith(("worker-", "load-"))]
    with pytest.raises(Problem, match="closed"):
        use(library, new_card("a"))
