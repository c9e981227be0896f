"""Every lesson that ships can be used; a file that cannot is named, with what is wrong with it."""

import copy
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.cards import CARDS
from models.tuning import methods
from models.tuning.examples import shipped
from playground.lessons.content import FOLDER, faults, lessons, read, read_all
from playground.lessons.kinds import KINDS
from playground.ui.language import LANGUAGES

FILES = sorted(FOLDER.glob("*.json"))
CONFIG = json.loads((FOLDER.parent / "mini-bert-en" / "config.json").read_text())
CHINESE = "\u3400-\u9fff"
GOOD = {
    "order": 7,
    "minutes": 5,
    "title": {"en": "A", "zh": "甲"},
    "steps": [
        {
            "title": {"en": "A", "zh": "甲"},
            "text": {"en": "A", "zh": "甲"},
            "view": {"show": "next_sentence", "model": "m", "first": "A.", "seconds": ["B.", "C."]},
            "question": {
                "ask": {"en": "A?", "zh": "甲？"},
                "right": "most",
                "choices": [{"en": "B", "zh": "乙", "sentence": 1}, {"en": "C", "zh": "丙", "sentence": 2}],
                "why": {"en": "A", "zh": "甲"},
            },
        }
    ],
}
STEP, QUESTION, CHOICE = ("steps", 0), ("steps", 0, "question"), ("steps", 0, "question", "choices", 0)


def texts(value: Any) -> Iterator[dict[str, str]]:
    """Every text in two languages that stands anywhere in a lesson."""
    if isinstance(value, dict):
        if set(LANGUAGES) <= value.keys():
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from texts(item)


def test_there_are_six_lessons_of_a_lessons_length() -> None:
    assert [lesson.order for lesson in lessons().values()] == list(range(1, len(FILES) + 1)) and len(FILES) >= 6
    assert all(5 <= lesson.minutes <= 10 and 5 <= len(lesson.steps) <= 8 for lesson in lessons().values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_lesson_that_ships_can_be_used(file: Path) -> None:
    lesson = read(file)
    for number, step in enumerate(lesson.steps, 1):
        where, view = f"{file.stem}, step {number}", step.view
        assert step.question is not None or view is not None, f"{where}: nothing happens"
        if view is None:
            continue
        card = next((card for card in CARDS if card.name == view["model"]), None)
        assert card is not None, f"{where}: no model {view['model']}"
        assert KINDS[view["show"]].task in (*card.tasks, "tune"), f"{where}: {card.name} does not do that"
        if view["show"] == "tuning":
            assert view["task"] in shipped() and set(view["methods"]) <= set(methods()), where
        if "site" in view and view["model"] == "mini-bert-en":
            layer = int(re.fullmatch(r"encoder\.(\d+)\.self", view["site"])[1])
            assert layer < CONFIG["num_hidden_layers"] and -1 <= view.get("head", -1) < CONFIG["num_attention_heads"], where
        words = re.findall(r"\w+", f"{view.get('find_in') or view.get('text')}".casefold())
        if isinstance(view.get("find"), dict):
            assert set(view["find"].values()) <= set(words), f"{where}: the head cannot be found"
        assert view["show"] != "masked_word" or "[MASK]" in view["text"], where
        if step.question and step.question.right == "most" and view["show"] == "masked_word":
            assert {choice.measure["word"] for choice in step.question.choices} <= set(view["candidates"]), where


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_lesson_speaks_both_languages_properly(file: Path) -> None:
    for text in texts(json.loads(file.read_text(encoding="utf-8"))):
        prose = re.sub(r">[^\n]*|\*[^*]*\*|（[^）]*）", "", text["zh"])
        assert re.search(f"[{CHINESE}]", text["zh"]) or text["zh"] == text["en"] or not re.search("[a-z] [a-z]", text["zh"]), text["zh"]
        assert not re.search(f"[{CHINESE}][,;:?!]|[,;:?!][{CHINESE}]", prose), text["zh"]


def test_a_good_lesson_has_no_fault() -> None:
    assert list(faults(GOOD)) == []


@pytest.mark.parametrize(
    ("place", "name", "value", "said"),
    [
        ((), "order", 0, '"order" has to be'),
        ((), "title", {"en": "A"}, '"title" is missing in zh'),
        ((), "steps", [], '"steps" has to be'),
        (STEP, "text", {"en": " ", "zh": "甲"}, 'step 1: "text" is missing in en'),
        (STEP, "view", {"show": "dance"}, '"show" of a view is one of attention'),
        (STEP, "view", {"show": "generation", "model": "m"}, 'needs "prompt"'),
        (STEP, "view", {"show": "generation", "model": "m", "prompt": "A", "promt": "B"}, 'knows no "promt"'),
        (STEP, "view", {"show": "attention", "model": "m", "text": "A", "find": "love"}, '"find" is one of previous'),
        (STEP, "view", {"show": "attention", "model": "m", "text": "A", "find": {"row": "a"}}, '"find" needs a "row"'),
        (STEP, "view", {"show": "tuning", "model": "m", "task": "t", "methods": ["prompt"], "steps": 9999}, "1 to 200"),
        (STEP, "view", None, "without a view"),
        (QUESTION, "right", "fixed", "exactly one choice"),
        (QUESTION, "right", "band", 'needs "below"'),
        (QUESTION, "choices", [], "2 to 6 choices"),
        (QUESTION, "why", None, '"why" is missing'),
        (CHOICE, "sentence", 3, "one of the 2 sentences"),
        (CHOICE, "zh", "", '"choice" is missing in zh'),
    ],
)
def test_a_fault_is_named_with_its_place(place: tuple, name: str, value: object, said: str) -> None:
    broken = copy.deepcopy(GOOD)
    spot = broken
    for part in place:
        spot = spot[part]
    spot[name] = value
    assert any(said in fault for fault in faults(broken)), list(faults(broken))


def test_a_broken_file_is_left_out_and_the_log_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "good.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "torn.json").write_text('{"order": 1', encoding="utf-8")
    (tmp_path / "twice.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert list(read_all(tmp_path)) == ["good"]
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "torn.json is not JSON" in said and "twice.json: good.json has the order 7 too" in said and "list.json holds no object" in said
