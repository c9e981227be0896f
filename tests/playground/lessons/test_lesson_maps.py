"""Heads are found by what they do, and answers measured at them."""

import json

import numpy as np
import pytest

from playground.lessons import maps
from playground.tasks.attend import Result

WORDS = ("[CLS]", "the", "cat", "it", "[SEP]")
SITE = "encoder.0.self"


def looking(*targets: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys with which word i looks at word targets[i] nearly alone. -> (Q, D), (K, D)"""
    return 40 * np.eye(5, dtype=np.float32)[list(targets)], np.eye(5, dtype=np.float32)


@pytest.fixture
def result() -> Result:
    heads = [looking(0, 0, 1, 2, 3), looking(1, 2, 3, 4, 4), looking(0, 0, 0, 0, 0), looking(0, 1, 2, 2, 4)]
    return Result(
        sites=(SITE,),
        causal=frozenset(),
        words={"encoder": WORDS},
        special={"encoder": (True, False, False, False, True)},
        queries={SITE: np.stack([queries for queries, _ in heads])},
        keys={SITE: np.stack([keys for _, keys in heads])},
    )


@pytest.mark.parametrize(("habit", "head"), [("previous", 0), ("next", 1), ("separator", 2), ("self", 3)])
def test_the_head_with_a_habit_is_found(result: Result, habit: str, head: int) -> None:
    found = maps.find(result, habit)
    assert (found.site, found.head) == (SITE, head) and found.score > 0.7


def test_the_head_that_looks_from_one_word_at_another_is_found(result: Result) -> None:
    found = maps.find(result, {"row": "It", "column": "CAT"})
    assert found.head in (0, 3) and found.score > 0.99
    nowhere = maps.find(result, {"row": "dog", "column": "cat"})
    assert (nowhere.head, nowhere.score) == (-1, None)


def test_a_lessons_own_place_is_kept_as_far_as_the_model_has_it(result: Result) -> None:
    assert maps.fixed(result, SITE, 2) == maps.Found(SITE, 2)
    assert maps.fixed(result, SITE, 9) == maps.fixed(result, "encoder.7.self", 2) == maps.fixed(result, None, -1) == maps.Found(SITE, -1)


def test_what_is_measured(result: Result) -> None:
    answer, view = maps.Answer(result=result, found=maps.Found(SITE, 0, 0.5)), {"row": "it"}
    assert maps.measure(answer, view, {"word": "cat"}) > 0.99 > 0.01 > maps.measure(answer, view, {"word": "the"})
    assert maps.measure(answer, view, {"row": "cat", "word": "the"}) > 0.99
    assert maps.measure(answer, view, {"word": "dog"}) is None
    assert maps.measure(answer, view, {"found": True}) == 0.5
    assert (
        maps.measure(answer, view, {"heads": {"row": "it", "column": "cat"}}) == 2
    )  # not where it looks at a sign, or at nothing but signs
    assert maps.measure(answer, view, {"heads": {"row": "dog", "column": "cat"}}) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_row_is_drawn_where_the_text_has_it_and_the_map_where_it_has_not(result: Result, language: str) -> None:
    answer = maps.Answer(result=result, found=maps.Found(SITE, 0, 0.5))
    row = json.loads(maps.pictured(answer, {"row": "it"}, language)["figure"])
    assert row["data"][0]["type"] == "bar" and "it" in row["layout"]["title"]["text"]
    for view in ({"row": "dog"}, {"row": "it", "layout": "one"}):
        assert json.loads(maps.pictured(answer, view, language)["figure"])["data"][0]["type"] == "heatmap"
    assert "50.0 %" in maps.told(answer, {"find": "next"}, language) and not maps.told(answer, {}, language)
