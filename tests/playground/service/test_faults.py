import gc
import weakref

import pytest
import torch

from models.errors import Problem
from playground.service.faults import LOG, answerable, fresh, is_memory


def test_a_problem_stays_what_it_is_and_loses_its_traceback():
    try:
        raise Problem("empty_text", field="text")
    except Problem as error:
        answer = answerable(error, doing="a test")
    assert (answer.key, answer.values, answer.__traceback__) == ("empty_text", {"field": "text"}, None)


def test_the_answer_to_an_unexpected_error_keeps_nothing_of_the_failed_call_alive(monkeypatch):
    class Large:
        """Something large."""

    def fail():
        large = Large()
        kept.append(weakref.ref(large))
        raise KeyError("no")

    kept = []
    monkeypatch.setattr(LOG, "error", lambda *arguments, **options: None)  # pytest keeps the records, with their tracebacks
    try:
        fail()
    except KeyError as error:
        answer = answerable(error, doing="a test")
    gc.collect()
    assert kept[0]() is None
    assert answer.key == "internal" and len(answer.values["reference"]) == 6


def test_each_unexpected_error_has_a_reference_of_its_own():
    assert len({answerable(KeyError(), doing="a test").values["reference"] for _ in range(20)}) == 20


def test_a_load_that_failed_names_its_model():
    answer = answerable(ValueError("3 names are unknown"), doing="loading x", key="load_failed", model="x")
    assert answer.key == "load_failed" and answer.values["model"] == "x" and "unknown" not in str(answer)


def test_copies_of_a_problem_are_raised_apart():
    problem = Problem("empty_text")
    for _ in range(3):
        with pytest.raises(Problem):
            raise fresh(problem)
    assert problem.__traceback__ is None


def test_only_what_tells_of_memory_is_taken_for_it():
    assert is_memory(MemoryError()) and is_memory(torch.OutOfMemoryError("no"))
    assert not is_memory(RuntimeError("shapes do not fit")) and not is_memory(ValueError("out of memory"))
