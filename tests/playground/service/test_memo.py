import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from models.errors import Problem
from playground.service.memo import Memo, weigh


def done(value):
    future = Future()
    future.set_result(value)
    return future


def never():
    raise AssertionError("worked out again")


def soon():
    return time.monotonic() + 30


def kept(memo, key):
    flight = memo.join(key, None)
    if flight is not None:
        memo.leave(flight)
    return flight is not None


def test_an_answer_is_worked_out_once():
    memo = Memo(10_000)
    assert memo.join("key", lambda: done("answer")).wait(until=soon()) == "answer"
    assert memo.join("key", never).wait(until=soon()) == "answer"


def test_a_question_on_its_way_is_joined():
    memo, future = Memo(10_000), Future()
    first = memo.join("key", lambda: future)
    second = memo.join("key", never)
    assert second is first
    future.set_result("answer")
    assert [first.wait(until=soon()), second.wait(until=soon())] == ["answer", "answer"]


def test_nothing_is_joined_where_nobody_asked():
    assert Memo(10_000).join("key", None) is None


def test_one_who_leaves_does_not_disturb_the_others():
    memo, future = Memo(10_000), Future()
    first, second = memo.join("key", lambda: future), memo.join("key", never)
    memo.leave(first)
    assert not future.cancelled()
    future.set_result("answer")
    assert second.wait(until=soon()) == "answer"


def test_a_question_that_everybody_left_is_dropped_and_can_be_asked_anew():
    memo, future = Memo(10_000), Future()
    flights = memo.join("key", lambda: future), memo.join("key", never)
    for flight in flights:
        memo.leave(flight)
    assert future.cancelled()
    assert memo.join("key", lambda: done("anew")).wait(until=soon()) == "anew"


def test_a_question_that_everybody_left_while_it_was_computed_is_kept_all_the_same():
    memo, future = Memo(10_000), Future()
    flight = memo.join("key", lambda: future)
    assert future.set_running_or_notify_cancel()
    memo.leave(flight)
    future.set_result("answer")
    assert memo.join("key", never).wait(until=soon()) == "answer"


def test_a_problem_reaches_everybody_and_is_not_kept():
    memo, future = Memo(10_000), Future()
    flights = memo.join("key", lambda: future), memo.join("key", never)
    future.set_exception(Problem("empty_text"))
    raised = []
    for flight in flights:
        with pytest.raises(Problem, match="empty_text") as caught:
            flight.wait(until=soon())
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert memo.join("key", lambda: done("better")).wait(until=soon()) == "better"


def test_a_start_that_is_refused_leaves_nothing_to_join():
    memo = Memo(10_000)

    def refuse():
        raise Problem("too_busy")

    with pytest.raises(Problem, match="too_busy"):
        memo.join("key", refuse)
    assert memo.join("key", None) is None


def test_waiting_ends_at_the_deadline():
    with pytest.raises(Problem, match="deadline"):
        Memo(10_000).join("key", Future).wait(until=time.monotonic())


def test_waiting_ends_when_cancelled():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Problem, match="cancelled"):
        Memo(10_000).join("key", Future).wait(until=soon(), cancel=cancel)


def test_the_longest_unused_answer_goes_first():
    memo = Memo(35_000)
    for key in "abc":
        memo.join(key, lambda: done(np.zeros(10_000, dtype=np.uint8)))
    assert kept(memo, "a")  # used again
    memo.join("d", lambda: done(np.zeros(10_000, dtype=np.uint8)))
    assert [key for key in "abcd" if kept(memo, key)] == ["a", "c", "d"]
    assert 30_000 < memo.used_bytes <= 35_000


def test_what_has_gone_is_given_back_in_large_parts():
    tidied = []
    memo = Memo(100_000, tidy=lambda: tidied.append(memo.used_bytes))
    for number in range(40):
        memo.leave(memo.join(number, lambda: done(np.zeros(10_000, dtype=np.uint8))))
    assert kept(memo, 39) and not kept(memo, 30) and memo.used_bytes <= 100_000
    assert len(tidied) == 10 and max(tidied) <= 100_000, "31 answers of a tenth of the budget went"


def test_an_answer_larger_than_the_memo_is_given_and_not_kept_and_drives_nothing_out():
    memo = Memo(20_000)
    memo.join("small", lambda: done(b"x" * 10_000))
    assert len(memo.join("large", lambda: done(b"x" * 20_000)).wait(until=soon())) == 20_000
    assert kept(memo, "small") and not kept(memo, "large")


@dataclass(frozen=True)
class Result:
    words: tuple[str, ...]
    arrays: dict[str, np.ndarray]
    rest: object = None


def test_the_weight_of_a_result_counts_every_array_once():
    array = np.zeros((100, 100), dtype=np.float32)
    size = weigh(Result(("a", "b"), {"first": array, "again": array, "view": array[:10]}))
    assert 40_000 <= size < 42_000


def test_a_small_view_weighs_what_it_keeps_alive():
    assert weigh(np.zeros(100_000, dtype=np.uint8)[:10]) >= 100_000
    assert weigh(torch.zeros(100_000, dtype=torch.uint8)[:10].numpy()) >= 100_000


def test_nested_results_are_weighed_to_the_bottom():
    inner = Result(("x" * 5_000,), {}, rest=[Result((), {"a": np.zeros(7_000, dtype=np.uint8)})])
    assert 12_000 <= weigh((inner, {"key": inner})) < 14_000


def test_nobody_can_change_an_answer_that_others_see():
    array = np.zeros(3)
    answer = Memo(10_000).join("key", lambda: done(Result((), {"a": array}))).wait(until=soon())
    with pytest.raises(ValueError, match="read-only"):
        answer.arrays["a"][0] = 1
