"""Whoever gives a translator a text in the wrong language is told so, and nobody else."""

import pytest

from playground.ui.direction import wrong_way

OPUS = {"name": "opus-mt-zh-en", "languages": ["zh", "en"]}
OTHER = {"name": "opus-mt-en-zh", "languages": ["en", "zh"]}
GERMAN = {"name": "opus-mt-en-de", "languages": ["en", "de"]}


@pytest.mark.parametrize("words", ["今天天气很好。", "我喜欢 Transformer 和 attention。", "123 + 4", "🙂", ""])
def test_a_text_that_may_be_chinese_goes_without_a_word(words: str) -> None:
    assert wrong_way(OPUS, words, "en") == ""


def test_english_for_a_model_that_reads_chinese_is_named_with_what_goes_the_other_way() -> None:
    said = wrong_way(OPUS, "The weather is fine today.", "en")
    assert "reads Chinese" in said and "mini-mt-en-zh" in said
    assert "mini-mt-en-zh" in wrong_way(OPUS, "The weather is fine today.", "zh")


@pytest.mark.parametrize("row", [OTHER, GERMAN])
def test_chinese_for_a_model_that_reads_english_is_named(row: dict) -> None:
    said = wrong_way(row, "今天天气很好。", "en")
    assert "reads English" in said and ("choose opus-mt-zh-en" in said) == (row is OTHER) and "hub" not in said
    assert wrong_way(row, "The weather is fine today.", "en") == ""


@pytest.mark.parametrize("row", [None, {"name": "mine", "languages": []}, {"name": "mine", "languages": ["en"]}])
def test_nothing_is_said_where_nobody_knows(row: dict | None) -> None:
    assert wrong_way(row, "今天天气很好。", "en") == ""
