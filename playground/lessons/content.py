"""What a lesson is, and how it is read from its file. The format is explained in `assets/lessons/README.md`."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playground.lessons.kinds import KINDS
from playground.ui.language import LANGUAGES
from playground.ui.look import ASSETS

FOLDER = ASSETS / "lessons"
LOG = logging.getLogger(__name__)
LIMITS = {"minutes": 30, "steps": 12, "choices": 6}
Spoken = Mapping[str, str]  # a text by language
Right = Literal["fixed", "most", "band"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer. `right` where the lesson says so itself; `measure` is what the page measures to find out."""

    text: Spoken
    right: bool
    why: Spoken | None  # said where this is the right answer
    measure: Mapping[str, Any]
    below: float | None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to predict. `right`: "fixed" by the lesson, the choice that has "most" of what is measured, or the "band" where `of` falls."""

    ask: Spoken
    choices: tuple[Choice, ...]
    right: Right
    of: Mapping[str, Any]
    why: Spoken


@dataclass(frozen=True, kw_only=True)
class Step:
    """One idea: a text, something to see, something to predict; only the text has to be there."""

    title: Spoken
    text: Spoken
    view: Mapping[str, Any] | None
    question: Question | None


@dataclass(frozen=True, kw_only=True)
class Lesson:
    key: str  # the name of its file
    order: int
    minutes: int
    title: Spoken
    steps: tuple[Step, ...]


@cache
def lessons() -> dict[str, Lesson]:
    """The lessons that ship, by key, in their order."""
    return read_all(FOLDER)


def read_all(folder: Path) -> dict[str, Lesson]:
    """Every lesson of a folder. One that cannot be used is left out, and the log says what is wrong with it."""
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            lesson = read(file)
            if taken := next((other.key for other in found if other.order == lesson.order), None):
                raise ValueError(f"{file.name}: {taken}.json has the order {lesson.order} too")
            found.append(lesson)
        except ValueError as error:
            LOG.error("A lesson is left out. %s", error)
    return {lesson.key: lesson for lesson in sorted(found, key=lambda lesson: lesson.order)}


def read(file: Path) -> Lesson:
    """One lesson; ValueError with the file, the step and what is wrong with it."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file.name} is not JSON: {error}") from error
    if wrong := next(faults(data), None):
        raise ValueError(f"{file.name}{wrong}")
    return Lesson(
        key=file.stem, order=data["order"], minutes=data["minutes"], title=data["title"], steps=tuple(map(step_of, data["steps"]))
    )


def step_of(data: dict[str, Any]) -> Step:
    question = data.get("question")
    return Step(title=data["title"], text=data["text"], view=data.get("view"), question=question and question_of(question))


def question_of(data: dict[str, Any]) -> Question:
    choices = tuple(
        Choice(
            text={language: choice[language] for language in LANGUAGES},
            right=choice.get("right") is True,
            why=choice.get("why"),
            measure={name: value for name, value in choice.items() if name in ("word", "row", "sentence")},
            below=choice.get("below"),
        )
        for choice in data["choices"]
    )
    return Question(ask=data["ask"], choices=choices, right=data.get("right", "fixed"), of=data.get("of", {}), why=data["why"])


def faults(data: Any) -> Iterator[str]:
    """What is wrong with a lesson, as the ends of sentences that begin with the name of its file."""
    if not isinstance(data, dict):
        yield " holds no object {...}"
        return
    for name in ("order", "minutes"):
        if not isinstance(data.get(name), int) or not 1 <= data[name] <= LIMITS["minutes"]:
            yield f': "{name}" has to be a whole number from 1 to {LIMITS["minutes"]}'
    yield from unspoken(data, "title", "")
    steps = data.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= LIMITS["steps"]:
        yield f': "steps" has to be a list of 1 to {LIMITS["steps"]} steps'
        return
    for number, step in enumerate(steps, 1):
        yield from step_faults(step if isinstance(step, dict) else {}, f", step {number}")


def step_faults(step: dict[str, Any], where: str) -> Iterator[str]:
    for name in ("title", "text"):
        yield from unspoken(step, name, where)
    view, question = step.get("view"), step.get("question")
    if view is not None:
        kind = KINDS.get(view.get("show")) if isinstance(view, dict) else None
        if kind is None:
            yield f'{where}: "show" of a view is one of {", ".join(KINDS)}'
            return
        for name in kind.needs:
            if not view.get(name):
                yield f'{where}: the view "{view["show"]}" needs "{name}"'
        for name in view.keys() - {"show", *kind.needs, *kind.may}:
            yield f'{where}: the view "{view["show"]}" knows no "{name}"; it may have {", ".join((*kind.needs, *kind.may))}'
        yield from (f"{where}: {wrong}" for wrong in kind.faults(view))
    if question is not None:
        yield from question_faults(question if isinstance(question, dict) else {}, view, where)


def question_faults(question: dict[str, Any], view: dict[str, Any] | None, where: str) -> Iterator[str]:
    for name in ("ask", "why"):
        yield from unspoken(question, name, f"{where}, question")
    choices = question.get("choices")
    if not isinstance(choices, list) or not 2 <= len(choices) <= LIMITS["choices"] or not all(isinstance(one, dict) for one in choices):
        yield f"{where}: a question has 2 to {LIMITS['choices']} choices"
        return
    for number, choice in enumerate(choices, 1):
        yield from unspoken({"choice": choice}, "choice", f"{where}, choice {number}")
        if "why" in choice:
            yield from unspoken(choice, "why", f"{where}, choice {number}")
    right = question.get("right", "fixed")
    if right not in ("fixed", "most", "band"):
        yield f'{where}: "right" is "most" or "band", or stands with the choice that is right'
    if right == "fixed" and sum(choice.get("right") is True for choice in choices) != 1:
        yield f'{where}: exactly one choice has to have "right": true'
    if right != "fixed" and view is None:
        yield f"{where}: without a view the page cannot find out which answer is right"
    if right == "most" and not all(choice.get("word") or choice.get("sentence") for choice in choices):
        yield f'{where}: where the page measures, every choice needs its "word" or "sentence"'
    if right == "band":
        bounds = [choice.get("below") for choice in choices[:-1]]
        if not all(isinstance(bound, int | float) for bound in bounds) or bounds != sorted(bounds):
            yield f'{where}: every choice but the last needs "below", in rising order'
        if not isinstance(question.get("of"), dict):
            yield f'{where}: a question with bands needs "of", which says what is measured'
    if view and right == "most" and view.get("show") == "next_sentence":
        last = len(view.get("seconds", ()))
        if not all(isinstance(choice.get("sentence"), int) and 1 <= choice["sentence"] <= last for choice in choices):
            yield f'{where}: "sentence" is the number of one of the {last} sentences'


def unspoken(data: dict[str, Any], name: str, where: str) -> Iterator[str]:
    """Languages in which a text is missing."""
    texts = data.get(name)
    for language in LANGUAGES:
        if not isinstance(texts, dict) or not isinstance(texts.get(language), str) or not texts[language].strip():
            yield f'{where}: "{name}" is missing in {language}'
