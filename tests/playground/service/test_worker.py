import logging
import threading
import weakref

import pytest
import torch

from models.errors import Problem


def hold(worker, task):
    """Keep the worker busy with one question, so that what comes next waits together."""
    task.gate.clear()
    held = worker.submit(task, "held")
    assert task.entered.acquire(timeout=30)
    task.batches.clear()
    return held


def problem_of(future):
    with pytest.raises(Problem) as caught:
        future.result(30)
    return caught.value


def test_questions_that_wait_together_are_run_together(new_worker, task):
    worker = new_worker()
    held = hold(worker, task)
    futures = [worker.submit(task, f"question {i}") for i in range(8)]
    task.gate.set()
    assert [future.result(30) for future in futures] == [("fake", f"question {i}") for i in range(8)]
    assert held.result(30) == ("fake", "held")
    assert len(task.batches) == 1 and sorted(task.batches[0]) == [f"question {i}" for i in range(8)]


def test_long_and_short_questions_are_not_padded_to_each_other(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    futures = [worker.submit(task, str(i) * length) for i, length in enumerate((500, 4, 500, 4, 500))]
    task.gate.set()
    assert [len(future.result(30)[1]) for future in futures] == [500, 4, 500, 4, 500]
    assert [sorted(map(len, batch)) for batch in task.batches] == [[500, 500, 500], [4, 4]]


def test_the_oldest_question_goes_first(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    futures = [worker.submit(task, "x" * length) for length in (3, 900, 2000)]
    task.gate.set()
    [future.result(30) for future in futures]
    assert [len(batch[0]) for batch in task.batches] == [3, 900, 2000]


def test_a_batch_holds_one_task_only(new_worker, task, fakes):
    worker, other = new_worker(), fakes.Task(NAME="other")
    hold(worker, task)
    futures = [worker.submit((task, other)[i % 2], f"question {i}") for i in range(6)]
    task.gate.set()
    [future.result(30) for future in futures]
    assert sorted(task.batches[0]) == ["question 0", "question 2", "question 4"]
    assert sorted(other.batches[0]) == ["question 1", "question 3", "question 5"]


def test_a_failing_question_answers_for_itself_only(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    good = [worker.submit(task, f"good {i}") for i in range(5)]
    bad = worker.submit(task, "bad 0")
    more = [worker.submit(task, f"more {i}") for i in range(5)]
    task.gate.set()
    assert [future.result(30)[1] for future in good + more] == [f"good {i}" for i in range(5)] + [f"more {i}" for i in range(5)]
    assert problem_of(bad).key == "empty_text"
    assert len(task.batches[0]) == 11 and sorted(map(len, task.batches[1:])) == [1] * 11


def test_a_question_that_cannot_be_measured_is_refused_and_the_rest_answered(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    refused, good = worker.submit(task, "unmeasurable"), worker.submit(task, "good")
    task.gate.set()
    assert problem_of(refused).key == "empty_text"
    assert good.result(30) == ("fake", "good")


def test_an_unexpected_error_reaches_the_log_with_its_traceback_and_the_visitor_with_a_reference(new_worker, task, caplog):
    worker = new_worker()
    task.error = lambda request: KeyError("a detail for nobody")
    with caplog.at_level(logging.ERROR):
        problem = problem_of(worker.submit(task, "bad"))
    assert problem.key == "internal" and "detail" not in str(problem)
    [record] = caplog.records
    assert problem.values["reference"] in record.getMessage()
    assert record.exc_info[0] is KeyError and record.exc_info[2] is not None
    assert worker.submit(task, "good").result(30) == ("fake", "good")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_running_out_of_memory_is_told_as_that_and_the_device_is_tidied(new_worker, task, error):
    tidied = threading.Event()
    worker = new_worker(tidy=tidied.set)
    task.error = lambda request: error
    assert problem_of(worker.submit(task, "bad")).key == "out_of_memory"
    assert tidied.wait(30)
    assert worker.submit(task, "good").result(30) == ("fake", "good")


def test_an_allocation_that_no_machine_can_serve_is_out_of_memory(new_worker, task):
    worker = new_worker()
    task.run = lambda model, requests: [torch.empty(1 << 60) for _ in requests]
    assert problem_of(worker.submit(task, "huge")).key == "out_of_memory"


def test_not_even_an_exit_ends_the_worker(new_worker, task):
    worker = new_worker()
    task.error = lambda request: SystemExit(1)
    assert problem_of(worker.submit(task, "bad")).key == "internal"
    assert worker.submit(task, "good").result(30) == ("fake", "good")


def test_a_task_that_loses_an_answer_is_found_out(new_worker, task, caplog):
    worker = new_worker()
    task.run = lambda model, requests: []
    assert problem_of(worker.submit(task, "question")).key == "internal"
    assert "0 results to 1 requests" in caplog.text


def test_a_task_that_cannot_tell_sizes_harms_nobody_for_long(new_worker, task, fakes, caplog):
    worker, broken = new_worker(), fakes.Task(NAME="broken")
    broken.size = lambda model, request: None
    assert problem_of(worker.submit(broken, "question")).key == "internal"
    assert "sorting the questions" in caplog.text
    assert worker.submit(task, "good").result(30) == ("fake", "good")
    assert not worker.busy


def test_a_cancelled_question_is_never_run(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    dropped, kept = worker.submit(task, "dropped"), worker.submit(task, "kept")
    assert dropped.cancel()
    task.gate.set()
    assert kept.result(30) == ("fake", "kept")
    assert task.batches == [["kept"]]


def test_gradients_are_off_while_the_task_runs_and_nowhere_else(new_worker, task):
    worker = new_worker()
    hold(worker, task)
    outside = torch.is_inference_mode_enabled()
    task.gate.set()
    task.run = lambda model, requests: [torch.is_inference_mode_enabled() for _ in requests]
    assert worker.submit(task, "inside").result(30) is True
    assert outside is False

    def stream(model, request):
        for _ in range(3):
            yield torch.is_inference_mode_enabled()

    task.stream = stream
    modes = []
    for mode in worker.stream(task, "", seconds=30):
        modes += [mode, torch.is_inference_mode_enabled()]
    assert modes == [True, False] * 3


def test_a_worker_is_busy_from_the_question_to_the_answer(new_worker, task):
    worker = new_worker()
    assert not worker.busy
    held = hold(worker, task)
    assert worker.busy
    task.gate.set()
    held.result(30)
    assert not worker.busy


def test_too_many_questions_at_once_are_refused(new_worker, task, monkeypatch):
    monkeypatch.setattr("playground.service.worker.LINE", 3)
    worker = new_worker()
    hold(worker, task)
    futures = [worker.submit(task, f"question {i}") for i in range(2)]
    with pytest.raises(Problem, match="too_busy"):
        worker.submit(task, "one too many")
    task.gate.set()
    assert [future.result(30)[1] for future in futures] == ["question 0", "question 1"]
    assert worker.submit(task, "later").result(30)[1] == "later"


def test_closing_refuses_what_waits_ends_the_thread_and_frees_the_model(new_worker, task, fakes):
    model = fakes.Model()
    worker, gone = new_worker(model), weakref.ref(model)
    held = hold(worker, task)
    waiting = worker.submit(task, "waiting")
    stream = worker.stream(task, "a b c", seconds=30)
    closing = threading.Thread(target=worker.close)
    closing.start()
    with pytest.raises(Problem, match="closed"):
        while True:  # until the closing thread has come so far
            worker.submit(task, "late").cancel()
    task.gate.set()
    closing.join(30)
    assert not closing.is_alive() and not worker._thread.is_alive()
    assert held.result(0) == ("fake", "held")
    assert problem_of(waiting).key == "closed"
    with pytest.raises(Problem, match="closed"):
        list(stream)
    del model
    assert gone() is None
