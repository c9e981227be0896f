"""Variants of texts: replaced words and parts, for a student who has a teacher."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Problem
from models.model import Model
from models.tuning.variants import SHORTEST, cut_out, variants, whole_words, with_other_words

TEXTS = (
    "She drank a cup of tea in the morning.",
    "The streets were still wet, and nobody crossed the street.",
    "Paris is the capital of France.",
)


def quiet(done: int, everything: int) -> None:
    """Nobody waits."""


def test_what_a_seed_gives_is_always_the_same_and_never_the_text_itself(tuning_models: dict[str, Model]) -> None:
    bert = tuning_models["bert"]
    found = variants(bert, TEXTS, replaced=4, parts=3)
    assert found == variants(bert, TEXTS, replaced=4, parts=3) != variants(bert, TEXTS, replaced=4, parts=3, seed=2)
    assert len(set(found)) == len(found) > 10 and not set(found) & set(TEXTS)
    assert all(any(part in text for text in TEXTS) for part in variants(None, TEXTS, replaced=0, parts=5))


def test_only_whole_words_change_into_words_of_the_vocabulary(tuning_models: dict[str, Model]) -> None:
    bert = tuning_models["bert"]
    words = {word.lower() for word, whole in zip(bert.tokenizer.words(range(bert.tokenizer.vocab_size)), whole_words(bert)) if whole}
    changed = 0
    for text in TEXTS * 3:
        for new in with_other_words(bert, [text] * 6, random.Random(len(text)), quiet):
            old_words, new_words = (re.findall(r"\w+", one) for one in (text, new))
            assert re.sub(r"\w+", "", new) == re.sub(r"\w+", "", text) and len(new_words) == len(old_words)
            for before, after in zip(old_words, new_words):
                if before != after:
                    changed += 1
                    assert (
                        after.lower() in words
                        and before.lower() in words
                        and after[0] == (after[0].upper() if before[0].isupper() else after[0])
                    )
    assert changed > 20


def test_half_a_word_stays(tuning_models: dict[str, Model]) -> None:
    text = "The cup's tea-cup wasn't a cup."
    for new in with_other_words(tuning_models["bert"], [text] * 40, random.Random(1), quiet):
        assert new.split()[1:4] == ["cup's", "tea-cup", "wasn't"]


def test_parts_are_clauses_or_words_in_a_row() -> None:
    text = "It was slow, but the end was worth it."
    found = {part for seed in range(40) for part in cut_out(text, 3, random.Random(seed))}
    assert {"It was slow,", "the end was worth it."} <= found
    assert all(part in text and len(part.split()) > 1 for part in found) and not any(part.startswith("but") for part in found)
    chinese = {part for seed in range(40) for part in cut_out("今天下雨了，出门记得带伞。", 3, random.Random(seed))}
    assert "今天下雨了，" in chinese and "出门记得带伞。" in chinese and all(len(part) >= min(SHORTEST, 2) for part in chinese)


@pytest.mark.parametrize("text", ["", " ", "tea", "🙂🙂", "...", "\x00\x07", "مرحبا", "tea " * 30_000, "<b>tea</b>", "[MASK] [SEP] tea"])
def test_no_text_is_too_odd(text: str, tuning_models: dict[str, Model]) -> None:
    for new in variants(tuning_models["bert"], [text], replaced=2, parts=2):
        assert new and new != text


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=60), max_size=4), parts=st.integers(0, 3))
def test_parts_of_anything_stand_in_it(texts: list[str], parts: int) -> None:
    found = variants(None, texts, replaced=0, parts=parts)
    assert len(found) <= parts * len(texts) and all(any(part in text for text in texts) for part in found)


def test_whoever_waits_is_told_and_can_stop(tuning_models: dict[str, Model]) -> None:
    told: list[tuple[int, int]] = []
    variants(tuning_models["bert"], TEXTS, replaced=3, parts=0, pause=lambda done, everything: told.append((done, everything)))
    assert told and told[-1][0] == told[-1][1]

    def stop(done: int, everything: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        variants(tuning_models["bert"], TEXTS, replaced=3, parts=0, pause=stop)


def test_a_model_that_fills_no_gaps_replaces_nothing(tuning_models: dict[str, Model]) -> None:
    for model in (None, tuning_models["gpt2"]):
        with pytest.raises(Problem, match="no_word_head"):
            variants(model, TEXTS, replaced=1, parts=0)
