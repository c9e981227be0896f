"""What a visitor is told when something went wrong."""

import pytest

from models.errors import Problem
from playground.ui.language import LANGUAGES, table, text
from playground.ui.naming import head_name, short_site_name, site_name
from playground.ui.wording import sentence, spoken


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two problems of this test's own, so that it does not depend on the wording of real ones."""
    monkeypatch.setitem(table(), "problem.test_full", {"en": "{name} holds {count}.", "zh": "{name} 有 {count} 个。"})
    monkeypatch.setitem(table(), "problem.test_bare", {"en": "No text.", "zh": "没有文字。"})


@pytest.mark.usefixtures("problems")
def test_a_problem_is_told_in_the_language_of_the_visitor() -> None:
    assert sentence(Problem("test_full", name="box", count=3), "en") == "box holds 3."
    assert sentence(Problem("test_full", name="box", count=3), "zh") == "box 有 3 个。"
    assert sentence(Problem("test_bare"), "zh") == "没有文字。"


@pytest.mark.usefixtures("problems")
def test_what_the_visitor_typed_cannot_hide_reorder_or_flood_a_sentence() -> None:
    said = sentence(Problem("test_full", name="a\x00\u202e" + "x" * 5000, count=1), "en")
    assert said.startswith("a‹U+0000›‹U+202E›xxx") and len(said) < 400
    assert sentence(Problem("test_full", name="{count}", count=1), "en") == "{count} holds 1."
    assert "\u2068שלום\u2069" in sentence(Problem("test_full", name="שלום", count=1), "en")


@pytest.mark.usefixtures("problems")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret /etc/passwd"),
        KeyError("secret"),
        Problem("test_full", name="secret"),
        Problem("no_such_sentence"),
        ZeroDivisionError(),
    ],
)
def test_of_our_own_mistakes_the_visitor_learns_nothing_but_that_they_are_ours(error: Exception, language: str) -> None:
    assert sentence(error, language) == text("error.unexpected", language)


def test_memory_and_time_have_sentences_of_their_own() -> None:
    class OutOfMemoryError(RuntimeError):
        """As torch names it."""

    assert sentence(MemoryError(), "en") == sentence(OutOfMemoryError("CUDA"), "en") == text("error.memory", "en")
    assert sentence(TimeoutError(), "zh") == text("error.timeout", "zh")


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (3, "3", "3"),
        (0.123456, "0.1235", "0.1235"),
        (("a", "b"), "a, b", "a、b"),
        (frozenset({"b", "a"}), "a, b", "a、b"),
        (None, "None", "None"),
        (True, "True", "True"),
    ],
)
def test_a_value_is_spoken_in_the_language(value: object, en: str, zh: str) -> None:
    assert spoken(value, "en") == en and spoken(value, "zh") == zh


def test_places_in_a_model_are_counted_from_one() -> None:
    assert site_name("encoder.0.self", "en") == "Encoder layer 1 · self-attention"
    assert site_name("decoder.5.cross", "zh") == "解码器第 6 层 · 交叉注意力"
    assert short_site_name("decoder.5.cross", "en") == "cross 6"
    assert head_name(0, "en") == "Head 1" and head_name(-1, "zh") == "所有头的平均"
