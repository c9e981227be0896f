"""Where a visitor stands in the lessons, and what they have answered so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from playground.lessons.content import Lesson, Question, Step

Place = tuple[str, int]  # key of a lesson, index of a step


@dataclass(frozen=True, kw_only=True)
class Walk:
    """One visitor's way; every move gives a new one. Coming back to a lesson finds the step, the answers and the texts left there."""

    lesson: str
    at: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[Place, int] = field(default_factory=dict)
    typed: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    fetched: frozenset[Place] = frozenset()  # where the visitor has asked for a model that was not on this machine

    @property
    def index(self) -> int:
        return self.at.get(self.lesson, 0)

    @property
    def place(self) -> Place:
        return self.lesson, self.index

    def step(self, lessons: Mapping[str, Lesson]) -> Step:
        return lessons[self.lesson].steps[self.index]

    def go(self, lessons: Mapping[str, Lesson], index: int) -> "Walk":
        """To a step of the same lesson; no further than its ends."""
        last = len(lessons[self.lesson].steps) - 1
        return replace(self, at={**self.at, self.lesson: min(max(index, 0), last)})

    def open(self, lessons: Mapping[str, Lesson], lesson: str | None) -> "Walk":
        """To another lesson, where it was left."""
        return replace(self, lesson=lesson) if lesson in lessons else self

    def after(self, lessons: Mapping[str, Lesson]) -> str | None:
        """The lesson that follows this one."""
        keys = list(lessons)
        place = keys.index(self.lesson) + 1
        return keys[place] if place < len(keys) else None

    def answer(self, question: Question | None, choice: int | None) -> "Walk":
        """A prediction counts once: whoever has seen the figure cannot predict any more."""
        if question is None or choice not in range(len(question.choices)) or self.place in self.answers:
            return self
        return replace(self, answers={**self.answers, self.place: choice})

    def answered(self, question: Question | None) -> bool:
        """Whether the step may show what it has to show."""
        return question is None or self.place in self.answers

    def type(self, *texts: str) -> "Walk":
        """Remember what the boxes of this step hold."""
        return replace(self, typed={**self.typed, self.place: texts})

    def fetch(self) -> "Walk":
        return replace(self, fetched=self.fetched | {self.place})
