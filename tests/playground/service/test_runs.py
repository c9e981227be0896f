"""Runs of visitors: who waits for whom, how one is held and let go, and what is left of it. The work is a stand-in that a test lets on."""

import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.errors import Problem
from playground.service.kept import FACTS, Kept, Note, Shelf
from playground.service.runs import Outcome, Plan, Point, Runs

PATIENCE = 30
PLAN = Plan(model="m", methods=("prompt", "prefix"), task="reviews_en")


def kept(**values) -> Kept:
    return Kept(**{"base": "m", "method": "prompt", "task": "reviews_en", "tasks": ("attend",)} | values)


class Work:
    """Two methods of so many steps; each step waits for the test. `made` counts steps."""

    def __init__(self, steps: int = 3):
        self.steps, self.go, self.made = steps, threading.Semaphore(0), threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, job, plan, model, keep, tidy):
        for method in plan.methods:
            for step in range(1, self.steps + 1):
                job.pause()
                assert self.go.acquire(timeout=PATIENCE)
                if self.error:
                    raise self.error
                job.put(Point(method, step, step / 10, 1 / step, None))
                self.made.release()
            done = keep(kept(method=method), lambda folder, name: (folder / "numbers").write_bytes(b"0" * 100) and None)
            job.put(Outcome(method=method, kept=done))


@pytest.fixture
def work():
    work = Work()
    yield work
    work.go.release(1000)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "tuned")


@pytest.fixture
def runs(work, shelf):
    @contextmanager
    def lend(name, progress=None, cancel=None):
        yield name

    runs = Runs(lend, shelf, work=work, running=1, waiting=2)
    yield runs
    work.go.release(1000)
    runs.close()


def ended(runs, visitor):
    for _ in runs.job(visitor).follow():
        pass
    return runs.look(visitor)


def test_a_run_is_read_along_by_anybody_and_its_results_stay(runs, work, shelf):
    assert runs.look("ada") is None
    runs.start("ada", PLAN)
    work.go.release(1000)
    found = ended(runs, "ada")
    assert found.over and found.state == "done" and found.problem is None
    assert [(point.method, point.step) for point in found.points] == [(method, step) for method in PLAN.methods for step in (1, 2, 3)]
    assert [outcome.kept.name for outcome in found.outcomes] == ["m + prompt, reviews_en", "m + prefix, reviews_en"]
    assert runs.look("ada").version == found.version  # a page that was closed finds it as it was
    assert [one.name for one in shelf.of("ada")] == ["m + prefix, reviews_en", "m + prompt, reviews_en"] and shelf.of("bob") == []


def test_one_run_a_visitor_and_the_others_wait_in_line(runs, work):
    runs.start("ada", PLAN)
    with pytest.raises(Problem, match="job_running"):
        runs.start("ada", PLAN)
    runs.start("bob", PLAN)
    runs.start("eve", PLAN)
    assert [runs.look(visitor).position for visitor in ("ada", "bob", "eve")] == [0, 1, 2]
    with pytest.raises(Problem, match="too_many_jobs"):
        runs.start("kim", PLAN)
    runs.stop("bob")
    assert runs.look("bob").state == "stopped" and runs.look("eve").position == 1
    work.go.release(1000)
    assert ended(runs, "ada").state == ended(runs, "eve").state == "done"
    runs.start("ada", PLAN)
    assert ended(runs, "ada").state == "done"


def test_a_run_is_held_makes_one_step_goes_on_and_stops(runs, work):
    runs.start("ada", PLAN)
    runs.hold("ada")
    work.go.release(1000)
    reached = len(runs.look("ada").points)  # a step that was under way may still come
    runs.hold("ada", allow=2)
    for _ in range(reached + 2):
        assert work.made.acquire(timeout=PATIENCE)
    assert runs.look("ada").held and not runs.look("ada").over
    runs.release("ada")
    assert ended(runs, "ada").state == "done"
    with pytest.raises(Problem, match="nothing_running"):
        runs.hold("ada")


def test_stop_ends_a_run_that_is_held(runs, work):
    runs.start("ada", PLAN)
    runs.hold("ada")
    runs.stop("ada")
    work.go.release(1000)
    assert ended(runs, "ada").state == "stopped" and ended(runs, "ada").problem.key == "cancelled"


def test_what_goes_wrong_with_one_run_ends_that_one_alone(runs, work):
    runs.start("ada", PLAN)
    runs.start("bob", PLAN)
    work.error = MemoryError()
    work.go.release()
    assert ended(runs, "ada").problem.key == "out_of_memory"
    work.error = None
    work.go.release(1000)
    assert ended(runs, "bob").state == "done"


def test_a_run_has_a_deadline_held_or_not(shelf, work):
    @contextmanager
    def lend(name, progress=None, cancel=None):
        yield name

    runs = Runs(lend, shelf, work=work, seconds=0.05)
    runs.start("ada", PLAN)
    runs.hold("ada")
    work.go.release(1000)
    assert ended(runs, "ada").problem.key == "job_deadline"
    runs.close()


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"methods": ()}, "no_methods"),
        ({"amount": 0}, "bad_amount"),
        ({"amount": float("nan")}, "bad_amount"),
        ({"amount": 1e9}, "bad_amount"),
        ({"budget": "seconds", "amount": 1e4}, "bad_amount"),
        ({"rate": -1.0}, "bad_rate"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong, key):
    with pytest.raises(Problem, match=key):
        Plan(**{"model": "m", "methods": ("prompt",), "task": "reviews_en"} | wrong)


def numbers(size: int):
    return lambda folder: (folder / "numbers").write_bytes(b"0" * size) and None


def put(shelf: Shelf, visitor: str, size: int = 10, **values) -> Kept:
    return shelf.keep(kept(name=shelf.title("m", "prompt", "reviews_en"), **values), visitor, numbers(size))


def test_the_last_results_of_a_visitor_are_kept_and_found_after_a_restart(tmp_path):
    shelf, dropped = Shelf(tmp_path / "tuned", most=2), []
    shelf.dropped = dropped.append
    first, other = put(shelf, "ada"), put(shelf, "bob")
    put(
        shelf,
        "ada",
        wrong=((3, "text", "a", "b"),),
        note=Note("not_for_peft", {"reason": "x"}),
        prompt={"words": [], "cosines": [], "drift": []},
    )
    last = put(shelf, "ada")
    assert dropped == [first.name] and not shelf.place(first).exists() and shelf.find(first.name) is None
    again = Shelf(tmp_path / "tuned", most=2)
    assert again.all() == shelf.all() and [one.name for one in again.of("ada")][0] == last.name and again.of("bob") == [other]
    assert [card.tuned_from for card in again.cards()] == ["m"] * 3
    assert "ada" not in (shelf.place(last) / FACTS).read_text()


def test_a_name_is_never_given_twice(tmp_path):
    shelf = Shelf(tmp_path / "tuned", most=1)
    names = [put(shelf, "ada").name for _ in range(3)]
    assert names == ["m + prompt, reviews_en", "m + prompt, reviews_en 2", "m + prompt, reviews_en 3"]
    assert len(shelf.title("org/" + "long" * 30, "prompt", "own, <data>")) <= 80


def test_all_results_together_are_bounded_in_bytes_and_a_giant_is_refused(tmp_path):
    shelf = Shelf(tmp_path / "tuned", most_bytes=7000)
    made = [put(shelf, f"visitor {place}", size=2000) for place in range(4)]
    assert [one.name for one in shelf.all()] == [one.name for one in reversed(made[-2:])]
    with pytest.raises(Problem, match="result_too_large"):
        put(shelf, "ada", size=9000)
    assert len(list((tmp_path / "tuned").iterdir())) == 2


def test_a_result_is_there_whole_or_not_at_all(tmp_path):
    shelf = Shelf(tmp_path / "tuned")

    def dies(folder: Path) -> None:
        (folder / "numbers").write_bytes(b"0")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        shelf.keep(kept(name="m + prompt"), "ada", dies)
    assert list((tmp_path / "tuned").iterdir()) == []
    good = put(shelf, "ada")
    (shelf.place(good) / FACTS).write_text('{"base": "half')
    assert Shelf(tmp_path / "tuned").all() == []


def test_of_somebodys_own_data_no_text_goes_to_the_disk(tmp_path):
    shelf = Shelf(tmp_path / "tuned")
    made = put(shelf, "ada", own=True, wrong=((3, "a secret", "a", "b"),))
    assert made.wrong and "secret" not in (shelf.place(made) / FACTS).read_text()


def test_a_result_is_packed_without_what_only_this_server_needs(tmp_path):
    shelf = Shelf(tmp_path / "tuned")
    made = put(shelf, "ada")
    with zipfile.ZipFile(shelf.pack(made.name, tmp_path / "a.zip")) as archive:
        assert archive.namelist() == ["numbers"]
    with pytest.raises(Problem, match="unknown_result"):
        shelf.pack("nobody", tmp_path / "b.zip")
