"""Where a visitor stands."""

import pytest

from playground.lessons.content import Lesson, Step, question_of
from playground.lessons.walk import Walk

BOTH = {"en": "A", "zh": "甲"}
QUESTION = question_of({"ask": BOTH, "choices": [BOTH | {"right": True}, BOTH], "why": BOTH})
STEPS = tuple(Step(title=BOTH, text=BOTH, view=None, question=QUESTION) for _ in range(3))
LESSONS = {key: Lesson(key=key, order=place, minutes=5, title=BOTH, steps=STEPS) for place, key in enumerate("ab", 1)}


@pytest.fixture
def walk() -> Walk:
    return Walk(lesson="a")


def test_one_goes_forth_and_back_and_not_beyond_the_ends(walk: Walk) -> None:
    assert walk.go(LESSONS, 1).index == 1 and walk.go(LESSONS, 99).index == 2 and walk.go(LESSONS, -1).index == 0


def test_another_lesson_begins_at_its_beginning_and_the_first_is_found_where_it_was_left(walk: Walk) -> None:
    there = walk.go(LESSONS, 2).open(LESSONS, "b")
    assert there.index == 0 and there.open(LESSONS, "a").index == 2
    assert walk.open(LESSONS, "no such lesson") == walk == walk.open(LESSONS, None)
    assert walk.after(LESSONS) == "b" and there.after(LESSONS) is None


def test_a_prediction_counts_once(walk: Walk) -> None:
    assert not walk.answered(QUESTION) and walk.answered(None)
    chosen = walk.answer(QUESTION, 1)
    assert chosen.answered(QUESTION) and chosen.answer(QUESTION, 0).answers == {("a", 0): 1}
    assert not chosen.go(LESSONS, 1).answered(QUESTION)


@pytest.mark.parametrize("choice", [None, -1, 2, "x"])
def test_what_is_no_choice_is_no_answer(walk: Walk, choice: object) -> None:
    assert walk.answer(QUESTION, choice) == walk


def test_what_was_typed_stays_with_its_step(walk: Walk) -> None:
    typed = walk.type("one", "two").fetch()
    assert typed.typed[typed.place] == ("one", "two") and typed.place in typed.fetched
    assert typed.go(LESSONS, 1).place not in typed.typed
