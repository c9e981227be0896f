"""What a step shows, and which answer is right, with tiny models in the place of those that the lessons were written for."""

from dataclasses import replace

import pytest

from models.catalogue import CARDS, Catalogue
from playground.lessons.content import Lesson, lessons, question_of, step_of
from playground.lessons.grading import Grade, grade, verdict
from playground.lessons.kinds import KINDS
from playground.lessons.stage import Stage
from playground.lessons.walk import Walk
from playground.service.playground import Playground

BOTH = {"en": "A", "zh": "甲"}
MASKED = {"show": "masked_word", "model": "tiny-bert", "text": "She drank [MASK].", "candidates": ["tea", "paris"]}
ASK = {
    "ask": BOTH,
    "right": "most",
    "choices": [{"en": "<b>tea</b>", "zh": "茶", "word": "tea", "why": BOTH}, {"en": "Paris", "zh": "巴黎", "word": "paris"}],
    "why": BOTH,
}


def stage_of(playground: Playground, view: dict | None, question: dict | None) -> Stage:
    """A service with one lesson of one step."""
    step = step_of({"title": BOTH, "text": BOTH, "view": view, "question": question})
    return Stage(playground=playground, lessons={"x": Lesson(key="x", order=1, minutes=5, title=BOTH, steps=(step,))})


@pytest.fixture
def walk() -> Walk:
    return Walk(lesson="x")


def test_nothing_is_shown_before_a_prediction_and_the_model_decides_what_was_right(tiny_playground: Playground, walk: Walk) -> None:
    stage = stage_of(tiny_playground, MASKED, ASK)
    question = stage.lessons["x"].steps[0].question
    assert stage.reveal(walk, "en") == stage.reveal(walk, "zh") and stage.reveal(walk, "en").shown.figure is None
    assert "Choose an answer first" in stage.hint(walk, "en")
    revealed = [stage.reveal(walk.answer(question, choice), "en") for choice in (0, 1)]
    assert all("tea" in one.shown.figure["figure"] for one in revealed)
    assert sum('class="verdict right"' in one.verdict for one in revealed) == 1
    assert all("<b>" not in one.verdict and "&lt;b&gt;tea" in one.verdict for one in revealed)
    assert stage.hint(walk.answer(question, 0), "en") == ""


def test_a_text_of_the_visitor_changes_the_figure_and_not_what_was_right(tiny_playground: Playground, walk: Walk) -> None:
    stage = stage_of(tiny_playground, MASKED, ASK)
    walk = walk.answer(stage.lessons["x"].steps[0].question, 0)
    before, after = stage.reveal(walk, "en"), stage.reveal(walk.type("Paris is the capital of [MASK]."), "en")
    assert before.verdict == after.verdict and before.shown.figure != after.shown.figure
    assert stage.boxes(walk.type("Mine")) == [("masked_word.text", "Mine")]


@pytest.mark.parametrize("show", ["attention", "next_sentence", "translation", "generation", "tuning"])
def test_a_lesson_works_with_whatever_model_can_do_its_task(tiny_playground: Playground, show: str) -> None:
    stage = Stage(playground=tiny_playground, lessons=lessons())
    places = ((key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps)))
    key, index = next(place for place in places if (view := lessons()[place[0]].steps[place[1]].view) and view["show"] == show)
    step = lessons()[key].steps[index]
    walk = Walk(lesson=key).go(lessons(), index).answer(step.question, 0)
    revealed = stage.reveal(walk, "zh")
    assert "verdict" in revealed.verdict and step.view["model"] in stage.hint(walk, "zh")
    assert show == "tuning" or revealed.shown.figure or revealed.shown.html
    assert show != "tuning" or stage.plan(walk).methods == tuple(step.view["methods"])


def test_a_model_that_is_not_here_is_offered_and_not_fetched_unasked(tmp_path, monkeypatch: pytest.MonkeyPatch, walk: Walk) -> None:
    monkeypatch.setenv("TRANSFORMER_PLAYGROUND_CACHE", str(tmp_path))
    fixed = ASK | {"right": "fixed", "choices": [BOTH | {"right": True}, BOTH]}
    view = {"show": "translation", "model": "opus-mt-zh-en", "text": "今天下雨了。"}
    with Playground(Catalogue(CARDS), "cpu") as playground:
        stage = stage_of(playground, view, fixed)
        walk = walk.answer(stage.lessons["x"].steps[0].question, 1)
        assert not stage.ready(walk) and stage.fetchable(walk)
        assert "opus-mt-zh-en" in stage.hint(walk, "en") and "MB" in stage.hint(walk, "zh")
        revealed = stage.reveal(walk, "en")
        assert revealed.shown.figure is None and "It is: A" in revealed.verdict  # what the lesson itself knows is said all the same
        assert stage.ready(walk.fetch())


@pytest.mark.parametrize(("number", "right"), [(0.1, 0), (0.2, 1), (0.99, 1)])
def test_a_number_falls_into_one_band(number: float, right: int) -> None:
    question = question_of(ASK | {"right": "band", "of": {"found": True}, "choices": [BOTH | {"below": 0.2}, BOTH]})
    kind = replace(KINDS["masked_word"], measure=lambda answer, view, what: number)
    assert grade(question, kind, object(), {}).right == right
    assert "99.0 %" in verdict(question, Grade(right=1, measured=(0.99,)), 1, "en")
    assert "：7<" in verdict(question, Grade(right=1, measured=(7,)), 1, "zh")


def test_where_no_answer_fits_the_visitor_is_told_so() -> None:
    question = question_of(ASK)
    nothing = replace(KINDS["masked_word"], measure=lambda answer, view, what: 0.0)
    assert grade(question, nothing, object(), {}) == Grade(right=None)
    assert "none of these" in verdict(question, Grade(right=None), 0, "en")
