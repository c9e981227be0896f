"""A kept result teaches another run."""

import dataclasses

import pytest
from test_tuning_work import EXAMPLES, REWRITE, ROWS, TASK, opened, plan, playground, run  # noqa: F401 - fixtures among them

from models.catalogue import Catalogue
from models.errors import Problem
from models.tuning.loop import Tuning
from models.tuning.task import Label
from playground.service.kept import Shelf
from playground.service.playground import Playground
from playground.ui.tuning_results import teachers
from playground.ui.tuning_words import comparison, status


def taught_by(server: Playground) -> str:
    """The name of a kept result that can teach."""
    return run(server, "ada", plan("full", model="tiny-gpt2")).outcomes[0].kept.name


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Tuning]:
    """Every run that learns from now on."""
    found: list[Tuning] = []
    plain = Tuning.__init__

    def begin(self: Tuning, *given, **named) -> None:
        plain(self, *given, **named)
        found.append(self)

    monkeypatch.setattr(Tuning, "__init__", begin)
    return found


def test_every_method_learns_what_the_teacher_says(playground: Playground, monkeypatch) -> None:  # noqa: F811 - a fixture
    teacher = taught_by(playground)
    runs = watched(monkeypatch)
    found = run(playground, "ada", plan("cloze", "prefix", "lora", teacher=teacher, variants=2))
    assert found.state == "done" and [outcome.problem for outcome in found.outcomes] == [None] * 3
    cloze, prefix, lora = (outcome.kept for outcome in found.outcomes)
    assert (cloze.teacher, prefix.teacher, lora.teacher) == ("", teacher, teacher)
    assert all(teacher in comparison(found.outcomes, language) for language in ("en", "zh"))
    assert teacher not in comparison(found.outcomes[:1], "en") and Shelf(playground.shelf.folder).get(lora.name).teacher == teacher
    (examples,) = {id(one.examples): one.examples for one in runs}.values()
    assert len(examples.train) == len(ROWS) and all(len(example.chances) == 2 for example in (*examples.train, *examples.more))
    parts = [example for example in examples.more if any(example.text in text.text for text in ROWS)]
    assert parts and len(examples.more) > len(parts)  # the pupil filled gaps too
    assert all(sum(example.chances) == pytest.approx(1, abs=1e-4) for example in examples.more)


def test_a_teacher_is_not_asked_where_nobody_learns(playground: Playground, monkeypatch) -> None:  # noqa: F811
    teacher = taught_by(playground)
    runs = watched(monkeypatch)
    found = run(playground, "ada", plan("cloze", teacher=teacher, variants=2))
    assert found.state == "done" and found.outcomes[0].kept.teacher == ""
    (alone,) = runs
    assert not alone.examples.more and not any(example.chances for example in alone.examples.train)


def test_who_cannot_fill_gaps_learns_from_parts(playground: Playground, monkeypatch) -> None:  # noqa: F811
    teacher = taught_by(playground)
    runs = watched(monkeypatch)
    found = run(playground, "ada", plan("lora", model="tiny-gpt2", teacher=teacher, variants=4))
    assert found.outcomes[0].problem is None
    assert runs[0].examples.more and all(any(part.text in text.text for text in ROWS) for part in runs[0].examples.more)


def test_the_model_that_the_page_fills_gaps_with_helps_out(playground: Playground, monkeypatch) -> None:  # noqa: F811
    teacher = taught_by(playground)
    runs = watched(monkeypatch)
    card = dataclasses.replace(playground.catalogue.find("tiny-bert"), languages=("en",))
    monkeypatch.setattr(Catalogue, "default", lambda self, task: card if task == "fill_mask" else None)
    assert run(playground, "ada", plan("lora", model="tiny-gpt2", teacher=teacher, variants=4)).outcomes[0].problem is None
    assert not all(any(part.text in text.text for text in ROWS) for part in runs[0].examples.more)


def test_a_teacher_that_does_not_fit_or_is_not_there_is_refused_in_a_sentence(playground: Playground) -> None:  # noqa: F811
    with pytest.raises(Problem, match="unknown_result"):
        playground.tune("ada", plan("prefix", teacher="nobody"))
    teacher = taught_by(playground)
    other = dataclasses.replace(TASK, labels={"drink": Label(word="tea"), "sky": Label(word="blue")})
    rows = tuple(dataclasses.replace(row, answer="sky" if row.answer == "weather" else row.answer) for row in ROWS)
    examples = dataclasses.replace(EXAMPLES, task=other, train=rows, dev=rows[:4], test=rows[4:])
    for wrong in (examples, REWRITE):
        found = run(playground, "ada", plan("full", model="tiny-gpt2", examples=wrong, teacher=teacher))
        assert found.state == "failed" and found.problem.key == "teacher_does_not_fit"
        assert teacher in status(found, "en") and teacher in status(found, "zh")
    for variants in ({"variants": 3}, {"variants": 9, "teacher": teacher}, {"variants": -1, "teacher": teacher}):
        with pytest.raises(Problem, match="bad_variants"):
            plan("prefix", **variants)


def test_a_run_can_be_stopped_while_the_teacher_reads(playground: Playground, monkeypatch) -> None:  # noqa: F811
    teacher = taught_by(playground)
    seen: list[str] = []

    def stopped(*given, pause, **named):
        seen.extend(status(playground.runs.look("ada"), language) for language in ("en", "zh"))
        playground.runs.stop("ada")
        pause(0, 1)
        raise AssertionError("went on")

    monkeypatch.setattr("playground.service.teaching.taught", stopped)
    found = run(playground, "ada", plan("prefix", teacher=teacher))
    assert found.state == "stopped" and not found.outcomes
    assert "teacher reads" in seen[0] and "教师" in seen[1]


def test_the_page_offers_a_visitors_own_results_that_tell_labels_apart(playground: Playground) -> None:  # noqa: F811
    assert [value for _, value in teachers(playground.shelf, "ada", "en")] == [""]
    name = taught_by(playground)
    written = run(playground, "ada", plan("lora", model="tiny-gpt2", examples=REWRITE)).outcomes[0].kept.name
    assert written in [kept.name for kept in playground.shelf.of("ada")]
    for language in ("en", "zh"):
        assert [value for _, value in teachers(playground.shelf, "ada", language)] == ["", name]
        assert [value for _, value in teachers(playground.shelf, "bob", language)] == [""]
