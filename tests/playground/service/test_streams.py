import threading
import weakref
from contextlib import nullcontext

import pytest

from models.errors import Problem
from playground.service.streams import AHEAD, Stream, Streams


def letters(text="abc", ended=None):
    """An iterator that tells when it is let go."""
    try:
        yield from text
    finally:
        if ended is not None:
            ended.set()


def by_hand(start=letters, **options):
    """A stream that the test itself moves on."""
    return Stream(start, **({"wake": lambda: None, "seconds": 30.0} | options))


def test_items_come_in_order_and_then_the_end(new_worker, task):
    stream = new_worker().stream(task, "one two three", seconds=30)
    assert list(stream) == ["one", "two", "three"]
    assert list(stream) == []


def test_streams_and_questions_take_turns(new_worker, task):
    worker = new_worker(gather=0.0)
    moves = []

    def stream(model, request):
        for step in range(3):
            moves.append(request)
            yield step

    def run(model, requests):
        moves.append("question")
        return requests

    task.stream = stream
    task.gate.clear()
    worker.submit(task, "held")
    assert task.entered.acquire(timeout=30)
    task.run = run
    streams = [worker.stream(task, name, seconds=30) for name in "ab"]
    lengths = (1, 300, 600, 1200)  # too different for one batch
    questions = [worker.submit(task, "q" * length) for length in lengths]
    task.gate.set()
    assert [list(stream) for stream in streams] == [[0, 1, 2], [0, 1, 2]]
    assert [len(question.result(30)) for question in questions] == list(lengths)
    assert moves == ["question", "a", "question", "b", "question", "a", "question", "b", "a", "b"]


def test_an_error_comes_after_the_items_before_it(new_worker, task):
    stream = new_worker().stream(task, "one two bad", seconds=30)
    assert [next(stream), next(stream)] == ["one", "two"]
    with pytest.raises(Problem, match="empty_text"):
        next(stream)


def test_an_unexpected_error_ends_one_stream_and_no_other(new_worker, task, caplog):
    worker = new_worker()
    task.error = lambda request: ZeroDivisionError(request)
    good, bad = worker.stream(task, "one two three", seconds=30), worker.stream(task, "bad", seconds=30)
    with pytest.raises(Problem, match="internal"):
        list(bad)
    assert list(good) == ["one", "two", "three"]
    assert "ZeroDivisionError" in caplog.text


def test_a_reader_who_is_slow_holds_nobody_up(new_worker, task):
    task.stream = lambda model, request: iter(range(1000))
    worker = new_worker()
    slow, quick = worker.stream(task, "", seconds=60), worker.stream(task, "", seconds=60)
    assert list(quick) == list(range(1000))
    assert worker.submit(task, "question").result(30) == ("fake", "question")
    assert list(slow) == list(range(1000))


def test_a_stream_rests_when_enough_lies_ready():
    made = []
    stream = by_hand(lambda: (made.append(i) or i for i in range(10)), ahead=3)
    while stream.due():
        stream.advance(nullcontext)
    assert made == [0, 1, 2]
    assert next(stream) == 0
    assert stream.due()


def test_a_cancelled_stream_lets_go_of_its_memory_and_ends_quietly(new_worker, task):
    ended, cancel = threading.Event(), threading.Event()

    def forever(model, request):
        try:
            while True:
                yield "more"
        finally:
            ended.set()

    task.stream = forever
    worker = new_worker()
    stream = worker.stream(task, "", seconds=60, cancel=cancel)
    assert next(stream) == "more"
    cancel.set()
    assert list(stream) == []
    assert ended.wait(30)
    assert worker.submit(task, "next").result(30) == ("fake", "next")


def test_a_stream_that_rests_notices_that_it_is_cancelled(new_worker, task):
    ended, full, cancel = threading.Event(), threading.Event(), threading.Event()

    def stream(model, request):
        try:
            for step in range(2 * AHEAD):
                if step == AHEAD - 1:
                    full.set()
                yield step
        finally:
            ended.set()

    task.stream = stream
    new_worker().stream(task, "", seconds=60, cancel=cancel)  # nobody reads
    assert full.wait(30)
    cancel.set()
    assert ended.wait(30)


def test_a_reader_who_leaves_frees_what_the_stream_held(new_worker, task):
    class Cache:
        """Something large."""

    ended = threading.Event()
    worker = new_worker()
    kept = []

    def stream(model, request):
        cache = Cache()
        kept.append(weakref.ref(cache, lambda _: ended.set()))
        while True:
            yield "more"

    task.stream = stream
    reading = worker.stream(task, "", seconds=60)
    assert next(reading) == "more"
    assert kept[0]() is not None
    reading.close()
    assert ended.wait(30)
    assert list(reading) == []


def test_a_stream_that_nobody_reads_is_given_up():
    ended = threading.Event()
    stream = by_hand(lambda: letters("abcdef", ended), ahead=2, patience=0.0)
    for _ in range(3):
        stream.advance(nullcontext)
    assert stream.over and ended.is_set()
    assert [next(stream), next(stream)] == ["a", "b"]
    with pytest.raises(Problem, match="deadline"):
        next(stream)


def test_a_stream_ends_at_its_deadline():
    ended = threading.Event()
    stream = by_hand(lambda: letters("abc", ended), seconds=60.0)
    stream.advance(nullcontext)
    stream._deadline = 0.0
    stream.advance(nullcontext)
    assert ended.is_set()
    assert next(stream) == "a"
    with pytest.raises(Problem, match="deadline"):
        next(stream)


def test_a_reader_does_not_wait_beyond_the_deadline_for_a_worker_that_is_held_up():
    stream = by_hand(seconds=0.01)
    with pytest.raises(Problem, match="deadline"):
        next(stream)
    stream.advance(nullcontext)
    assert stream.over


def test_a_stream_whose_iterator_fails_while_it_is_closed_is_over_all_the_same(caplog):
    def stubborn():
        try:
            yield 1
        finally:
            raise RuntimeError("not without a fight")

    stream = by_hand(stubborn)
    stream.advance(nullcontext)
    stream.close()
    stream.advance(nullcontext)
    assert stream.over
    assert "not without a fight" in caplog.text


def test_more_streams_than_places_wait_in_line():
    streams = Streams(together=2)
    a, b, c, d = (by_hand() for _ in range(4))
    for stream in (a, b, c, d):
        streams.add(stream)
    assert [streams.next() for _ in range(4)] == [a, b, a, b]
    c.close()
    assert streams.next() is c  # to be ended without waiting for a place
    streams.remove(c)
    streams.remove(a)
    assert [streams.next() for _ in range(3)] == [b, d, b]
    assert streams.clear() == [d, b] and len(streams) == 0 and streams.next() is None
