"""Knowledge distillation: a student learns what a teacher says."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from tuning_helpers import DRINK, classes, rewritten

from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.distil import taught, together
from models.tuning.loop import Run, Tuning
from models.tuning.reading import Item, label_loss
from models.tuning.results import Outcome
from models.tuning.task import Examples

MORE = ["He drank tea.", "The wet street was crossed.", "A cup of coffee and a sandwich.", "It had been raining."]


def learnt(model: Model, examples: Examples, *, reading: str = "auto", **run: Any) -> Tuning:
    found = Tuning(model, methods()["full"], examples, run=Run(**{"steps": 12, "measure": 0, "rows": 4} | run), reading=reading)
    for _ in found.steps():
        pass
    return found


@pytest.fixture(scope="module")
def teacher(tuning_models: dict[str, Model]) -> Outcome:
    return Outcome.of(learnt(tuning_models["gpt2"], classes(), rate=3e-4))


def test_labels_and_teacher_count_half_and_of_other_texts_the_teacher_alone(teacher: Outcome) -> None:
    plain = classes()
    found = taught(plain, teacher, more=MORE)
    said = teacher.classify([*(example.text for example in plain.train), *MORE])
    labels = list(plain.task.labels)
    assert len(found.train) == len(plain.train) and len(found.more) == len(MORE) and (found.dev, found.test) == (plain.dev, plain.test)
    for example, old, chances in zip(found.train, plain.train, said):
        assert (example.text, example.answer) == (old.text, old.answer)
        assert example.chances == pytest.approx([(chances[label] + (label == old.answer)) / 2 for label in labels], abs=1e-6)
    for example, text, chances in zip(found.more, MORE, said[len(plain.train) :]):
        assert example.text == text and example.answer == max(chances, key=chances.get)
        assert example.chances == pytest.approx([chances[label] for label in labels], abs=1e-6)


def test_labels_are_known_by_their_names_and_not_by_their_order(teacher: Outcome) -> None:
    turned = dataclasses.replace(DRINK, labels=dict(reversed(DRINK.labels.items())))
    straight, other = (taught(dataclasses.replace(classes(), task=task), teacher, more=MORE) for task in (DRINK, turned))
    for one, two in zip((*straight.train, *straight.more), (*other.train, *other.more)):
        assert one.chances == pytest.approx(two.chances[::-1]) and one.answer == two.answer


def test_the_loss_is_the_cross_entropy_with_the_chances() -> None:
    scores = torch.tensor([[1.0, -2.0], [0.5, 0.25], [3.0, 3.5]], requires_grad=True)
    rows = [
        dict(row=None, column=0, size=1, answer=answer, chances=chances) for answer, chances in ((0, (0.9, 0.1)), (1, ()), (1, (0.2, 0.8)))
    ]
    loss = label_loss(scores, [Item(**row) for row in rows])
    wanted = [(0.9, 0.1), (0.0, 1.0), (0.2, 0.8)]
    by_hand = 0.0
    for row, chances in zip(scores.tolist(), wanted):
        total = math.log(sum(map(math.exp, row)))
        by_hand -= sum(chance * (score - total) for chance, score in zip(chances, row)) / 3
    assert float(loss.detach()) == pytest.approx(by_hand, rel=1e-6)
    loss.backward()  # Hinton et al. 2015, equation 2
    torch.testing.assert_close(scores.grad, (scores.detach().softmax(-1) - torch.tensor(wanted)) / 3)


@pytest.mark.parametrize(("base", "reading"), [("bert", "words"), ("bert", "mean"), ("gpt2", "words"), ("gpt2", "linear")])
def test_a_student_learns_the_doubts_too(base: str, reading: str, tuning_models: dict[str, Model]) -> None:
    labels = list(DRINK.labels)
    doubtful = [
        dataclasses.replace(example, chances=tuple(0.7 if label == example.answer else 0.3 for label in labels))
        for example in classes().train
    ]
    examples = dataclasses.replace(classes(), train=tuple(doubtful[:4]), more=tuple(doubtful[4:]))

    def sure(examples: Examples) -> float:
        """How likely the student finds the label of what it learnt from, on average."""
        student = learnt(tuning_models[base], examples, reading=reading, steps=150, rate=1e-3)
        said = Outcome.of(student).classify([example.text for example in doubtful])
        return sum(row[example.answer] for row, example in zip(said, doubtful)) / len(doubtful)

    assert sure(examples) == pytest.approx(0.7, abs=0.08) and sure(classes()) > 0.85


def test_it_can_be_interrupted(teacher: Outcome, tuning_models: dict[str, Model]) -> None:
    examples = taught(classes(), teacher, more=MORE)
    run = Run(steps=6, measure=0, rows=4, dropout=0.1)
    whole, first, second = (Tuning(tuning_models["bert"], methods()["lora"], examples, run=run) for _ in range(3))
    losses = [step.loss for step in whole.steps()]
    begun = [first.step().loss for _ in range(3)]
    second.restore(first.state())
    assert [*begun, *(step.loss for step in second.steps())] == losses


def test_examples_in_front_of_a_question_are_labelled_ones(teacher: Outcome, tuning_models: dict[str, Model]) -> None:
    examples = taught(classes(), teacher, more=MORE)
    cloze = methods()["cloze"]
    found = Tuning(tuning_models["gpt2"], cloze, examples, settings=cloze.settings(shots=4))
    assert {shown.text for shown in found.reading.shown} <= {example.text for example in examples.train}


def test_a_teacher_of_something_else_is_refused(teacher: Outcome) -> None:
    other = dataclasses.replace(DRINK, labels=DRINK.labels | {"third": DRINK.labels["drink"]})
    for examples in (dataclasses.replace(classes(), task=other), rewritten()):
        with pytest.raises(Problem, match="teacher_does_not_fit"):
            taught(examples, teacher)


def test_whoever_waits_is_told_and_can_stop(teacher: Outcome) -> None:
    told: list[tuple[int, int]] = []
    taught(classes(), teacher, more=MORE * 100, pause=lambda done, everything: told.append((done, everything)))
    assert told == [(0, 408), (256, 408)]

    def stop(done: int, everything: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taught(classes(), teacher, pause=stop)


def test_several_teachers_are_worth_their_mean(teacher: Outcome, tuning_models: dict[str, Model]) -> None:
    other = Outcome.of(learnt(tuning_models["bert"], classes()))
    lessons = [taught(classes(), one, more=MORE) for one in (teacher, other)]
    found = together(lessons)
    assert together(lessons[:1]) == lessons[0]
    for part in ("train", "more"):
        for mean, *each in zip(*(getattr(one, part) for one in (found, *lessons))):
            assert mean.text == each[0].text == each[1].text
            assert mean.chances == pytest.approx([sum(chances) / 2 for chances in zip(*(one.chances for one in each))])
    with pytest.raises(ValueError, match="same texts"):
        together([lessons[0], taught(classes(), other, more=MORE[::-1])])
    with pytest.raises(ValueError):
        together([lessons[0], taught(classes(), other)])
