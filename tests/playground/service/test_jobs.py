import threading

import pytest

from models.errors import Problem
from playground.service.jobs import Jobs


@pytest.fixture
def jobs():
    jobs = Jobs("job", running=2, waiting=2)
    yield jobs
    jobs.close()


@pytest.fixture
def new_work(jobs):
    """Makes work that the test lets go on step by step, and lets it run out after the test."""
    works = []

    def make():
        works.append(Steps())
        return works[-1]

    yield make
    for work in works:
        work.go.release(2000)


class Steps:
    """Work that makes a step each time it is let."""

    def __init__(self):
        self.go = threading.Semaphore(0)
        self.begun = threading.Event()

    def __call__(self, job):
        self.begun.set()
        for step in range(1000):
            assert self.go.acquire(timeout=30)
            job.put(step)


def finish(job):
    list(job.follow())
    return job.result()


def test_steps_are_followed_until_the_result(jobs):
    def work(job):
        for step in range(3):
            job.put(step)
        return "result"

    job = jobs.start("count", work, keep=10)
    assert list(job.follow()) == [0, 1, 2]
    assert job.result() == "result" and job.state == "done"
    assert list(job.follow()) == [0, 1, 2]  # who comes back reads it all again


def test_a_late_or_slow_reader_gets_the_steps_that_are_kept(jobs):
    job = jobs.start("count", lambda job: [job.put(step) for step in range(100)], keep=3)
    finish(job)
    assert list(job.follow()) == [97, 98, 99] and job.latest == 99


def test_all_readers_see_every_step_as_it_comes(jobs, new_work):
    work = new_work()
    job = jobs.start("count", work, keep=1000)
    readers = [job.follow() for _ in range(3)]
    for step in range(5):
        work.go.release()
        assert [next(reader) for reader in readers] == [step] * 3
    jobs.stop(job)
    work.go.release()
    assert all(list(reader) == [5] for reader in readers)


def test_a_reader_who_leaves_does_not_end_the_job(jobs, new_work):
    work, cancel = new_work(), threading.Event()
    job = jobs.start("count", work)
    work.go.release()
    reader = job.follow(cancel=cancel)
    assert next(reader) == 0
    cancel.set()
    assert list(reader) == []
    assert job.state == "running"


def test_stop_ends_the_work_at_its_next_step(jobs, new_work):
    work = new_work()
    job = jobs.start("count", work)
    jobs.stop(job)
    work.go.release()
    with pytest.raises(Problem, match="cancelled"):
        finish(job)
    assert job.state == "stopped"


def test_a_deadline_ends_the_work(jobs):
    def work(job):
        while True:
            job.put("more")

    job = jobs.start("forever", work, seconds=0.01)
    with pytest.raises(Problem) as caught:
        finish(job)
    assert caught.value.key == "job_deadline" and caught.value.values == {"seconds": 0.01}


def test_an_error_ends_one_job_and_is_logged(jobs, caplog):
    job = jobs.start("fail", lambda job: 1 / 0)
    with pytest.raises(Problem, match="internal"):
        finish(job)
    assert "ZeroDivisionError" in caplog.text
    assert finish(jobs.start("next", lambda job: "fine")) == "fine"


def test_jobs_beyond_the_limit_wait_in_line_and_know_their_place(jobs, new_work):
    works = [new_work() for _ in range(4)]
    started = [jobs.start(str(i), work) for i, work in enumerate(works)]
    assert [jobs.position(job) for job in started] == [0, 0, 1, 2]
    with pytest.raises(Problem, match="too_many_jobs"):
        jobs.start("one too many", new_work())
    assert jobs.unfinished() == started
    jobs.stop(started[0])
    works[0].go.release()
    assert works[2].begun.wait(30)
    assert [jobs.position(job) for job in started[1:]] == [0, 0, 1]
    assert not works[3].begun.is_set()


def test_a_job_that_is_stopped_while_it_waits_never_begins(jobs, new_work):
    works = [new_work() for _ in range(3)]
    started = [jobs.start(str(i), work) for i, work in enumerate(works)]
    jobs.stop(started[2])
    with pytest.raises(Problem, match="cancelled"):
        finish(started[2])
    for job, work in zip(started[:2], works[:2], strict=True):
        jobs.stop(job)
        work.go.release()
        list(job.follow())
    assert not works[2].begun.is_set() and jobs.unfinished() == []


def test_a_visitor_has_one_job_and_finds_it_again(jobs, new_work):
    work = new_work()
    job = jobs.start("count", work, visitor="ann")
    with pytest.raises(Problem, match="job_running"):
        jobs.start("another", new_work(), visitor="ann")
    assert jobs.find("ann") is job and jobs.find("bob") is None
    jobs.stop(job)
    work.go.release()
    list(job.follow())
    assert jobs.find("ann") is None
    assert finish(jobs.start("another", lambda job: "fine", visitor="ann")) == "fine"


def test_closing_stops_everything_and_ends_every_thread(jobs):
    def work(job):
        begun.release()
        while True:
            job.put("more")

    begun = threading.Semaphore(0)
    started = [jobs.start(str(i), work) for i in range(4)]
    assert begun.acquire(timeout=30) and begun.acquire(timeout=30)
    jobs.close()
    assert [job.state for job in started] == ["stopped"] * 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job-")]
    with pytest.raises(Problem, match="closed"):
        jobs.start("late", work)
