"""Knowledge distillation: a student learns what a teacher says of each text, its doubts included (Hinton et al. 2015, section 2).

The teacher is a tuned model, as large as one likes; it is asked once, before the student begins. Of texts without labels, as `variants.py`
makes them, it is the only one who knows anything; of those with labels, the label and its word count half each.
"""

import dataclasses
from collections.abc import Callable, Sequence

from models.errors import Problem
from models.tuning.results import Outcome
from models.tuning.task import Example, Examples

AT_ONCE = 256  # texts between two pauses


def taught(
    examples: Examples, teacher: Outcome, *, more: Sequence[str] = (), pause: Callable[[int, int], None] = lambda done, all_: None
) -> Examples:
    """The same task with the teacher's chances of each label beside what is learnt from, and `more` texts that only the teacher has read.

    Problem "teacher_does_not_fit" where it was not taught to tell these labels apart. `pause(done, all)` is called between texts.
    """
    labels = list(examples.task.labels)
    if examples.task.kind != "classify" or teacher.task.kind != "classify" or set(labels) != set(teacher.task.labels):
        raise Problem("teacher_does_not_fit", teacher=teacher.model.name, task=examples.task.name)
    texts = [*(example.text for example in examples.train), *more]
    chances: list[tuple[float, ...]] = []
    for first in range(0, len(texts), AT_ONCE):
        pause(first, len(texts))
        chances += [tuple(found[label] for label in labels) for found in teacher.classify(texts[first : first + AT_ONCE])]
    train = [
        dataclasses.replace(example, chances=tuple((chance + (label == example.answer)) / 2 for label, chance in zip(labels, found)))
        for example, found in zip(examples.train, chances)
    ]
    read = [
        Example(text=text, answer=labels[max(range(len(labels)), key=found.__getitem__)], chances=found)
        for text, found in zip(more, chances[len(train) :])
    ]
    return dataclasses.replace(examples, train=tuple(train), more=tuple(read))


def together(lessons: Sequence[Examples]) -> Examples:
    """What several teachers say of the same texts on average: an ensemble (section 1 of the paper). ValueError where the texts differ."""
    first = lessons[0]
    found: dict[str, tuple[Example, ...]] = {}
    for part in ("train", "more"):
        rows = list(zip(*(getattr(lesson, part) for lesson in lessons), strict=True))
        if any(len({example.text for example in row}) > 1 for row in rows):
            raise ValueError("these lessons are not about the same texts")
        means = [tuple(sum(chances) / len(row) for chances in zip(*(example.chances for example in row))) for row in rows]
        found[part] = tuple(dataclasses.replace(row[0], chances=mean) for row, mean in zip(rows, means))
    return dataclasses.replace(first, **found)
